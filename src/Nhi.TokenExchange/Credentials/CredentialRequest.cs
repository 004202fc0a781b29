namespace Nhi.TokenExchange;

/// <summary>What one caller wants that differs from the target's declaration. Unset members mean "as the target says".</summary>
public sealed class CredentialRequest
{
    /// <summary>A subset of the target's scopes. Others are refused.</summary>
    public ScopeSet? Scopes { get; init; }

    /// <summary>The tenant to ask, where the issuer has tenants.</summary>
    public string? Tenant { get; init; }

    /// <summary>The claims of a challenge, as the resource sent them (a JSON object), where the issuer takes them.</summary>
    public string? Claims { get; init; }
}
