namespace Nhi.TokenExchange;

/// <summary>A client of the emulated authorization server and what it may do. Set it up before the first request.</summary>
public sealed class RegisteredClient
{
    internal RegisteredClient(string clientId) => ClientId = clientId;

    /// <summary>The client id.</summary>
    public string ClientId { get; }

    /// <summary>The scopes that it may ask for; all of them are granted when it asks for none.</summary>
    public IList<string> Scopes { get; } = [];

    /// <summary>The <c>audience</c> and <c>resource</c> values that it may name beside the warehouse's.</summary>
    public IList<string> Targets { get; } = [];

    /// <summary>Whose proofs it may exchange.</summary>
    public IList<FederationPolicy> Policies { get; } = [];

    /// <summary>Who may act for others (<c>actor_token</c>). Empty: nobody.</summary>
    public IList<FederationPolicy> Actors { get; } = [];

    /// <summary>Its public keys as a JWK set. When set it must authenticate by <c>private_key_jwt</c>; null: public client, <c>client_id</c> suffices.</summary>
    public string? Jwks { get; set; }

    /// <summary>Whether its client assertions may name the token endpoint as audience, as older servers wish. Default: the issuer identifier alone.</summary>
    public bool AcceptsTokenEndpointAsAudience { get; set; }

    /// <summary>Whether it may use the token exchange grant (RFC 8693). Default true.</summary>
    public bool MayExchange { get; set; } = true;

    /// <summary>Whether it may use the JWT bearer grant (RFC 7523). Default true.</summary>
    public bool MayUseJwtBearer { get; set; } = true;

    /// <summary>The life of its tokens. Null: the server's.</summary>
    public TimeSpan? TokenLifetime { get; set; }
}
