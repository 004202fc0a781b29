using System.Collections;

namespace Nhi.TokenExchange;

/// <summary>A line of the log and the audit event that it tells: the text stays as it is, the attributes are those of the line and then all of the event.</summary>
/// <remarks>Attributes are made for a provider that looks at them: one that writes the text alone pays nothing for them.</remarks>
/// <param name="state">What the line was made of.</param>
/// <param name="text">Makes the text of that.</param>
/// <param name="auditEvent">The event.</param>
internal sealed class AuditLine(object? state, Func<Exception?, string> text, AuditEvent auditEvent) : IReadOnlyList<KeyValuePair<string, object?>>
{
    private const string Template = "{OriginalFormat}";

    private KeyValuePair<string, object?>[]? _attributes;

    public int Count => Attributes.Length;

    private KeyValuePair<string, object?>[] Attributes => _attributes ??= Make();

    public KeyValuePair<string, object?> this[int index] => Attributes[index];

    public string Text(Exception? exception) => text(exception);

    public override string ToString() => Text(null);

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => Attributes.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // The template is the last one: providers look for it there.
    private KeyValuePair<string, object?>[] Make()
    {
        IEnumerable<KeyValuePair<string, object?>> line = state as IEnumerable<KeyValuePair<string, object?>> ?? [];
        return [.. line.Where(one => one.Key != Template).Select(Shown), .. AuditAttributes.Of(auditEvent), .. line.Where(one => one.Key == Template)];
    }

    // The names of a job and of a target come from outside, too.
    private static KeyValuePair<string, object?> Shown(KeyValuePair<string, object?> one) => one.Value is string said ? new(one.Key, AuditText.Shown(said, AuditText.LongestProse)) : one;
}
