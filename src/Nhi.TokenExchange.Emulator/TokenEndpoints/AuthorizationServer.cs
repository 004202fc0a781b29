using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The emulated authorization server: token exchange (RFC 8693), JWT bearer grant (RFC 7523), revocation (RFC 7009), introspection (RFC 7662).</summary>
/// <remarks>Settings and clients are set up before the first request that needs them.</remarks>
public sealed class AuthorizationServer : IDisposable
{
    private static readonly string[] ProofAlgorithms = ["RS256", "PS256", "ES256"];

    private readonly ConcurrentDictionary<string, RegisteredClient> _clients = new(StringComparer.Ordinal);
    private readonly TokenMint _mint;
    private readonly ClientAuthentication _authentication;
    private readonly TokenExchangeGrant _exchange;
    private readonly JwtBearerGrant _jwtBearer;
    private readonly RevocationEndpoint _revocation;
    private readonly IntrospectionEndpoint _introspection;
    private readonly IReadOnlyList<string> _warehouse;

    internal AuthorizationServer(string issuer, IReadOnlyList<string> warehouse, ProofIssuers issuers, Ledger ledger, EmulatorCanaries canaries, EmulatorOptions options)
    {
        IssuerText = issuer;
        _warehouse = warehouse;
        TokenLifetime = options.TokenLifetime;
        TokenFormat = options.TokenFormat;
        _mint = new TokenMint(issuer, canaries.Authorization, ledger, options.Time);
        _authentication = new ClientAuthentication(issuer, $"{issuer}/token", id => _clients.GetValueOrDefault(id), options.Time, options.ClockLeeway);
        var proofs = new ProofVerifier(issuers, options.Time, options.ClockLeeway, ProofAlgorithms);
        _exchange = new TokenExchangeGrant(this, proofs, ledger, options.Time);
        _jwtBearer = new JwtBearerGrant(this, proofs);
        _revocation = new RevocationEndpoint(issuer, _authentication, ledger);
        _introspection = new IntrospectionEndpoint(issuer, _authentication, ledger, canaries);
    }

    /// <summary>The issuer identifier, and the audience that proofs for this server carry by default.</summary>
    public Uri Issuer => new(IssuerText);

    /// <summary>Takes both grants.</summary>
    public Uri TokenEndpoint => new($"{IssuerText}/token");

    /// <summary>RFC 7009.</summary>
    public Uri RevocationEndpoint => new($"{IssuerText}/revoke");

    /// <summary>RFC 7662.</summary>
    public Uri IntrospectionEndpoint => new($"{IssuerText}/introspect");

    /// <summary>The life of new tokens. Default as in <see cref="EmulatorOptions.TokenLifetime"/>.</summary>
    public TimeSpan TokenLifetime { get; set; }

    /// <summary>What new tokens look like, unless the request asks for a JWT.</summary>
    public TokenFormat TokenFormat { get; set; }

    /// <summary>Whether a subject or actor token with a <c>jti</c> is taken only once. Default false: a token from a file is the same until the kubelet replaces it.</summary>
    public bool OneUseSubjectTokens { get; set; }

    /// <summary>Whether an assertion of the JWT bearer grant with a <c>jti</c> is taken only once (RFC 7523 §3 (7)). Default true.</summary>
    public bool OneUseAssertions { get; set; } = true;

    internal string IssuerText { get; }

    internal IReadOnlyCollection<string> DefaultAudiences => [IssuerText];

    internal IReadOnlyCollection<string> AssertionAudiences => [IssuerText, $"{IssuerText}/token"];

    /// <summary>Registers a public client whose proofs carry a subject of the emulator's own issuer.</summary>
    /// <param name="clientId">The client id.</param>
    /// <param name="subject">The exact subject; null to add policies by hand.</param>
    /// <param name="scopes">What it may ask for.</param>
    /// <returns>The client, to be refined.</returns>
    /// <exception cref="ArgumentException">The id is empty or taken.</exception>
    public RegisteredClient AddClient(string clientId, string? subject, params IEnumerable<string> scopes)
    {
        ArgumentException.ThrowIfNullOrEmpty(clientId);
        var client = new RegisteredClient(clientId);
        foreach (string scope in scopes)
            client.Scopes.Add(scope);
        if (subject is not null)
            client.Policies.Add(new FederationPolicy { Subject = subject });
        return _clients.TryAdd(clientId, client) ? client : throw new ArgumentException($"The client '{clientId}' is registered already.", nameof(clientId));
    }

    /// <summary>Registers a resource server that may introspect tokens for its audience.</summary>
    /// <param name="audience">The audience value of the tokens that it may see.</param>
    /// <returns>The bearer token that it authenticates with at the introspection endpoint.</returns>
    public string AddResourceServer(string audience) => _introspection.AddResourceServer(audience);

    /// <inheritdoc/>
    public void Dispose() => _mint.Dispose();

    internal async Task<EmulatorAnswer> TokenAsync(EmulatorRequest request)
    {
        RegisteredClient client = await _authentication.AuthenticateAsync(request).ConfigureAwait(false);
        return request.Form.Need("grant_type") switch
        {
            TokenTypes.ExchangeGrant => await _exchange.AnswerAsync(request, client).ConfigureAwait(false),
            TokenTypes.JwtBearerGrant => await _jwtBearer.AnswerAsync(request, client).ConfigureAwait(false),
            string other => throw new OAuthRefusal("unsupported_grant_type", "grant_unknown", $"this server does not know the grant {other}"),
        };
    }

    internal Task<EmulatorAnswer> RevokeAsync(EmulatorRequest request) => _revocation.AnswerAsync(request);

    internal Task<EmulatorAnswer> IntrospectAsync(EmulatorRequest request) => _introspection.AnswerAsync(request);

    // RFC 8693 §2.1, RFC 8707 §2: resource is an absolute URI without fragment; both must be known to the server.
    internal IReadOnlyList<string> TargetsOf(RequestForm form, RegisteredClient client)
    {
        foreach (string resource in form.All("resource"))
        {
            if (!Uri.TryCreate(resource, UriKind.Absolute, out Uri? uri) || uri.Fragment.Length > 0 || resource.StartsWith('/'))
                throw new OAuthRefusal("invalid_target", "resource_malformed", "resource must be an absolute URI without fragment");
        }

        string[] asked = [.. form.All("resource"), .. form.All("audience")];
        if (asked.FirstOrDefault(target => !_warehouse.Contains(target) && !client.Targets.Contains(target)) is { } unknown)
            throw new OAuthRefusal("invalid_target", "target_unknown", $"the client {client.ClientId} may not ask for the target {unknown}");
        return asked.Length > 0 ? asked : [_warehouse[0]];
    }

    // RFC 6749 §5.1.
    internal EmulatorAnswer Issue(EmulatorRequest request, RegisteredClient client, TokenFormat format, string subject, string scope, IReadOnlyList<string> audience, JsonObject? act)
    {
        TimeSpan life = client.TokenLifetime ?? TokenLifetime;
        (string token, _) = _mint.Issue(format, life, client.ClientId, subject, scope, audience, act, request.RequestId);
        return EmulatorAnswer.Of(new JsonObject { ["access_token"] = token, ["token_type"] = "Bearer", ["expires_in"] = (long)life.TotalSeconds, ["scope"] = scope }).NotStored();
    }

    // RFC 8414 §2; the same fields serve OIDC Discovery.
    internal EmulatorAnswer Metadata() => EmulatorAnswer.Of(new JsonObject
    {
        ["issuer"] = IssuerText,
        ["token_endpoint"] = $"{IssuerText}/token",
        ["revocation_endpoint"] = $"{IssuerText}/revoke",
        ["introspection_endpoint"] = $"{IssuerText}/introspect",
        ["jwks_uri"] = $"{IssuerText}/jwks",
        ["grant_types_supported"] = JsonText.Array([TokenTypes.ExchangeGrant, TokenTypes.JwtBearerGrant]),
        ["response_types_supported"] = JsonText.Array([]),
        ["token_endpoint_auth_methods_supported"] = JsonText.Array(["none", "private_key_jwt"]),
        ["token_endpoint_auth_signing_alg_values_supported"] = JsonText.Array(ProofAlgorithms),
        ["revocation_endpoint_auth_methods_supported"] = JsonText.Array(["none", "private_key_jwt"]),
        ["introspection_endpoint_auth_methods_supported"] = JsonText.Array(["private_key_jwt"]),
    });

    internal EmulatorAnswer Jwks()
    {
        _ = _mint.Keys.Current("ES256");
        return EmulatorAnswer.Of(_mint.Keys.ToJwks());
    }
}
