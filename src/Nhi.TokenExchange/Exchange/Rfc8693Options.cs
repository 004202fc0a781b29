namespace Nhi.TokenExchange;

/// <summary>What may be said about a token exchange by RFC 8693.</summary>
public sealed class Rfc8693Options
{
    /// <summary>The token endpoint. If set, nothing is discovered, and without <see cref="RevocationEndpoint"/> nothing can be revoked. Default: from the metadata of the issuer (RFC 8414, then OpenID Connect Discovery), on the issuer's own host.</summary>
    public Uri? TokenEndpoint { get; set; }

    /// <summary>The revocation endpoint (RFC 7009), where <see cref="TokenEndpoint"/> is set; without it credentials die by themselves.</summary>
    public Uri? RevocationEndpoint { get; set; }

    /// <summary>How the client says who it is; by default it does not.</summary>
    public OAuthClientOptions Client { get; } = new();

    /// <summary>The <c>resource</c> values (RFC 8707): absolute URIs without fragment, sent character for character. Some servers take only these, some only <see cref="Audiences"/>.</summary>
    public IList<Uri> Resources { get; } = [];

    /// <summary>The <c>audience</c> values: names that the server knows.</summary>
    public IList<string> Audiences { get; } = [];

    /// <summary>Further <c>aud</c> values that an issued JWT may have, where the server renders the asked resources and audiences by other names.</summary>
    /// <remarks>If anything was asked for, a JWT with an <c>aud</c> that has none of them is ended and refused. Opaque tokens can't be looked into.</remarks>
    public IList<string> AcceptedAudiences { get; } = [];

    /// <summary>The <c>requested_token_type</c>; null leaves it to the server, which must then issue an access token or a JWT.</summary>
    public SubjectTokenType? RequestedTokenType { get; set; }

    /// <summary>The <c>authorization_details</c> (RFC 9396): a JSON array of objects, each with a <c>type</c>. What is granted must be the same or narrower, and must be said.</summary>
    public string? AuthorizationDetails { get; set; }

    /// <summary>For whom the proof has to be made. Default: the issuer identifier.</summary>
    public string? SubjectAudience { get; set; }

    /// <summary>How long before its end a credential is handed out no more. Default 10 seconds; from 0 to 10 minutes.</summary>
    public TimeSpan UsableMargin { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a credential is taken to live where neither <c>expires_in</c> nor the token's own <c>exp</c> says it. After that it is revoked: it may live on.
    /// Default 5 minutes; from 1 second to 1 day.
    /// </summary>
    public TimeSpan DefaultLifetime { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Whether a credential dies with the proof it was issued for. Default false.</summary>
    public bool EndsWithSubjectToken { get; set; }
}
