namespace Nhi.TokenExchange;

/// <summary>What may be said about a grant by assertion (RFC 7523 §2.1).</summary>
public sealed class JwtBearerOptions
{
    /// <summary>The token endpoint. If set, nothing is discovered, and without <see cref="RevocationEndpoint"/> nothing can be revoked. Default: from the metadata of the issuer (RFC 8414, then OpenID Connect Discovery), on the issuer's own host.</summary>
    public Uri? TokenEndpoint { get; set; }

    /// <summary>The revocation endpoint (RFC 7009), where <see cref="TokenEndpoint"/> is set; without it credentials die by themselves.</summary>
    public Uri? RevocationEndpoint { get; set; }

    /// <summary>How the client says who it is; by default it does not.</summary>
    public OAuthClientOptions Client { get; } = new();

    /// <summary>The <c>resource</c> values (RFC 8707): absolute URIs without fragment, sent character for character.</summary>
    public IList<Uri> Resources { get; } = [];

    /// <summary>Further <c>aud</c> values that an issued JWT may have, where the server renders the asked resources by other names.</summary>
    public IList<string> AcceptedAudiences { get; } = [];

    /// <summary>For whom the proof has to be made. Default: the issuer identifier; RFC 7523 §3 also allows the token endpoint.</summary>
    public string? SubjectAudience { get; set; }

    /// <summary>How long before its end a credential is handed out no more. Default 10 seconds; from 0 to 10 minutes.</summary>
    public TimeSpan UsableMargin { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a credential is taken to live where neither <c>expires_in</c> nor the token's own <c>exp</c> says it. After that it is revoked: it may live on.
    /// Default 5 minutes; from 1 second to 1 day.
    /// </summary>
    public TimeSpan DefaultLifetime { get; set; } = TimeSpan.FromMinutes(5);
}
