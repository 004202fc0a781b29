namespace Nhi.TokenExchange;

/// <summary>The places of the emulator that a request can be sent to; faults and counts are kept for each.</summary>
public enum EmulatorEndpoint
{
    /// <summary>The OIDC issuer's discovery document.</summary>
    OidcDiscovery,

    /// <summary>The OIDC issuer's keys.</summary>
    Jwks,

    /// <summary>The CI system's endpoint that hands out proofs.</summary>
    ProofRequest,

    /// <summary>The authorization server's metadata (RFC 8414 and OIDC form).</summary>
    AuthorizationDiscovery,

    /// <summary>The authorization server's keys, for its own JWT access tokens.</summary>
    AuthorizationJwks,

    /// <summary>The authorization server's token endpoint (RFC 8693, RFC 7523).</summary>
    AuthorizationToken,

    /// <summary>The authorization server's revocation endpoint (RFC 7009).</summary>
    Revocation,

    /// <summary>The authorization server's introspection endpoint (RFC 7662).</summary>
    Introspection,

    /// <summary>The Databricks-style workspace's <c>databricks-config</c> document.</summary>
    DatabricksConfig,

    /// <summary>The authorization server metadata of the Databricks-style workspace and of its account.</summary>
    DatabricksDiscovery,

    /// <summary>The token endpoints of the Databricks-style workspace and of its account.</summary>
    DatabricksToken,

    /// <summary>The protected API.</summary>
    Warehouse,

    /// <summary>Entra's instance discovery, <c>/common/discovery/instance</c>.</summary>
    EntraInstanceDiscovery,

    /// <summary>A tenant's OIDC metadata at Entra.</summary>
    EntraDiscovery,

    /// <summary>A tenant's keys at Entra.</summary>
    EntraJwks,

    /// <summary>A tenant's token endpoint at Entra, <c>/{tenant}/oauth2/v2.0/token</c>.</summary>
    EntraToken,

    /// <summary>The token endpoint of every managed identity host (IMDS, App Service, Azure Arc and the others).</summary>
    ManagedIdentityToken,

    /// <summary>The protected Azure-style API.</summary>
    AzureResource,

    /// <summary>The REST API of the Databricks-style workspace and of its account.</summary>
    DatabricksApi,

    /// <summary>Vault: <c>auth/{mount}/login</c>.</summary>
    VaultLogin,

    /// <summary>Vault: <c>auth/token/…</c>.</summary>
    VaultToken,

    /// <summary>Vault: a path of a secrets engine, where secrets are made.</summary>
    VaultSecret,

    /// <summary>Vault: <c>sys/leases/…</c>.</summary>
    VaultLease,

    /// <summary>Vault: <c>sys/wrapping/…</c>.</summary>
    VaultWrapping,

    /// <summary>The decision point's AuthZEN metadata, <c>/.well-known/authzen-configuration</c>.</summary>
    AuthZenMetadata,

    /// <summary>The decision point's AuthZEN evaluation, <c>/access/v1/evaluation</c>.</summary>
    AuthZenEvaluation,

    /// <summary>The decision point's OPA data API, <c>/v1/data/…</c>.</summary>
    OpaData,

    /// <summary>Azure Key Vault: <c>/secrets/{name}</c>.</summary>
    KeyVault,

    /// <summary>AWS STS: <c>/</c>.</summary>
    AwsSts,

    /// <summary>Google Cloud: the Security Token Service, <c>/v1/token</c>.</summary>
    GoogleSts,

    /// <summary>Google Cloud: <c>generateAccessToken</c> of the IAM Service Account Credentials API.</summary>
    GoogleIam,
}
