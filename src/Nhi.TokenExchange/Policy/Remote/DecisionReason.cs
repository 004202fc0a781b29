namespace Nhi.TokenExchange;

/// <summary>Finds the words in a reason: a text, a list of texts, or an object of texts by language or code.</summary>
internal static class DecisionReason
{
    /// <summary>The text, redacted, cleaned and cut; null if there is none.</summary>
    public static string? Of(ReadOnlySpan<byte> json)
    {
        string? said = json.IsEmpty ? null : json[0] switch
        {
            (byte)'{' => OfObject(json),
            (byte)'[' => JsonTexts.Read(json) is { Count: > 0 } texts ? string.Join("; ", texts) : null,
            _ => JsonTexts.ReadOne(json),
        };
        return said is { Length: > 0 } ? OuterText.Shown(said) : null;
    }

    private static string? OfObject(ReadOnlySpan<byte> json)
    {
        string? english = null, first = null;
        var members = new JsonMembers(json);
        while (members.MoveNext())
        {
            string? text = members.TextOrNumber();
            first ??= text;
            if (members.Name is "en" || members.Name.StartsWith("en-", StringComparison.Ordinal))
                english ??= text;
        }
        return english ?? first;
    }
}
