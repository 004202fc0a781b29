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

    /// <summary>The Databricks-style workspace's authorization server metadata.</summary>
    DatabricksDiscovery,

    /// <summary>The Databricks-style workspace's token endpoint.</summary>
    DatabricksToken,

    /// <summary>The protected API.</summary>
    Warehouse,
}
