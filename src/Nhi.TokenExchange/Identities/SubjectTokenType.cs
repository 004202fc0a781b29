namespace Nhi.TokenExchange;

/// <summary>What kind of token a proof is: a token type identifier of RFC 8693 §3, or a private URN.</summary>
public readonly record struct SubjectTokenType
{
    private readonly string? _urn;

    /// <summary>Makes a type from its URN.</summary>
    /// <param name="urn">An absolute URI without white space. Unknown ones are legal: some issuers have their own.</param>
    /// <exception cref="ArgumentException">Not an absolute URI.</exception>
    public SubjectTokenType(string urn)
    {
        ArgumentException.ThrowIfNullOrEmpty(urn);
        if (!Uri.TryCreate(urn, UriKind.Absolute, out _) || urn.AsSpan().ContainsAnyInRange('\0', ' '))
            throw new ArgumentException("A token type is an absolute URI (RFC 8693 §3).", nameof(urn));
        _urn = urn;
    }

    /// <summary>Any JWT: <c>urn:ietf:params:oauth:token-type:jwt</c>.</summary>
    public static SubjectTokenType Jwt { get; } = new("urn:ietf:params:oauth:token-type:jwt");

    /// <summary>An OpenID Connect ID token: <c>urn:ietf:params:oauth:token-type:id_token</c>.</summary>
    public static SubjectTokenType IdToken { get; } = new("urn:ietf:params:oauth:token-type:id_token");

    /// <summary>An access token of the issuer asked: <c>urn:ietf:params:oauth:token-type:access_token</c>.</summary>
    public static SubjectTokenType AccessToken { get; } = new("urn:ietf:params:oauth:token-type:access_token");

    /// <summary>The URN; empty for the default of this type.</summary>
    public override string ToString() => _urn ?? "";
}
