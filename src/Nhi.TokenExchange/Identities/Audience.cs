namespace Nhi.TokenExchange;

/// <summary>For whom a proof is made: one <c>aud</c> value (RFC 7519 §4.1.3), compared byte for byte.</summary>
public readonly record struct Audience
{
    private readonly string? _value;

    /// <summary>Makes an audience.</summary>
    /// <param name="value">The value; not empty, no control characters, at most 2,048 characters.</param>
    /// <exception cref="ArgumentException">The value is none of that.</exception>
    public Audience(string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(value);
        if (value.Length > 2048)
            throw new ArgumentException($"An audience has {value.Length} characters; at most 2,048 are taken.", nameof(value));
        if (value.AsSpan().ContainsAnyInRange('\0', '\u001f'))
            throw new ArgumentException("An audience has a control character.", nameof(value));
        _value = value;
    }

    /// <summary>The value; empty for the default of this type, which names nobody.</summary>
    public override string ToString() => _value ?? "";
}
