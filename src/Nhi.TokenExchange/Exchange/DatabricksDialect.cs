namespace Nhi.TokenExchange;

/// <summary>In which of its two dialects a Databricks token endpoint is spoken to.</summary>
public enum DatabricksDialect
{
    /// <summary>OAuth 2.0 Token Exchange (RFC 8693), as Databricks documents token federation. The service principal goes into <c>client_id</c>.</summary>
    TokenExchange,

    /// <summary>
    /// The proof as <c>assertion</c> of a grant (RFC 7523 §2.1). Narrows a Databricks token at the endpoint that issued it. Also the older way of token federation, where
    /// the service principal goes into <c>identity_federation_client_id</c>.
    /// </summary>
    JwtBearer,
}
