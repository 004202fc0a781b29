namespace Nhi.TokenExchange;

/// <summary>The issuers of this emulator whose signatures its token endpoints can check without being given keys: the OIDC issuer and Entra's tenants.</summary>
internal sealed class ProofIssuers(OidcIssuer own, EntraDirectory entra)
{
    /// <summary>The issuer of a policy that names none.</summary>
    public string Default => own.Identifier;

    /// <summary>The published key of that id; null when the issuer is none of ours or publishes no such key.</summary>
    public SigningKey? Published(string issuer, string keyId)
    {
        if (issuer == own.Identifier)
            return own.Keys.Published(keyId);
        return entra.TenantOfIssuer(issuer) is null ? null : entra.Keys.Published(keyId);
    }
}
