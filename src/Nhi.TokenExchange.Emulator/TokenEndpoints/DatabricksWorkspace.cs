using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The emulated Databricks-style workspace: token federation at <c>/oidc/v1/token</c>. It has no revocation endpoint, as the real one has none.</summary>
/// <remarks>Pages: Databricks "Authenticate access using OAuth token federation", "Configure a federation policy".</remarks>
public sealed class DatabricksWorkspace : IDisposable
{
    // "Configure a federation policy": RS256 and ES256 only.
    private static readonly string[] ProofAlgorithms = ["RS256", "ES256"];

    private readonly ConcurrentDictionary<string, ServicePrincipal> _principals = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<FederationPolicy> _accountPolicies = new();
    private readonly ProofVerifier _proofs;
    private readonly TokenMint _mint;
    private readonly string _origin;

    internal DatabricksWorkspace(string origin, ProofIssuers issuers, Ledger ledger, EmulatorCanaries canaries, EmulatorOptions options)
    {
        _origin = origin;
        TokenLifetime = options.DatabricksTokenLifetime;
        _proofs = new ProofVerifier(issuers, options.Time, options.ClockLeeway, ProofAlgorithms);
        _mint = new TokenMint(IssuerText, canaries.Databricks, ledger, options.Time);
    }

    /// <summary>The workspace's address.</summary>
    public Uri Host => new(_origin);

    /// <summary><c>/oidc/v1/token</c>; also the default audience of proofs, as the workspace's <c>databricks-config</c> says.</summary>
    public Uri TokenEndpoint => new($"{_origin}/oidc/v1/token");

    /// <summary>The account id: what a policy without audiences accepts as audience.</summary>
    public string AccountId { get; } = Guid.NewGuid().ToString();

    /// <summary>The life of new tokens. Default one hour.</summary>
    public TimeSpan TokenLifetime { get; set; }

    /// <summary>Whether a subject token with a <c>jti</c> is taken only once. Default false.</summary>
    public bool OneUseSubjectTokens { get; set; }

    internal string IssuerText => $"{_origin}/oidc";

    /// <summary>Adds a service principal with one federation policy for the emulator's own issuer; audiences: the token endpoint and the account id.</summary>
    /// <param name="applicationId">Its application id, a UUID: what the request's <c>client_id</c> names.</param>
    /// <param name="subject">The exact subject; null to add policies by hand.</param>
    /// <param name="scopes">What it may ask for; nothing given: <c>all-apis</c> and <c>sql</c>.</param>
    /// <returns>The principal, to be refined.</returns>
    /// <exception cref="ArgumentException">The id is no UUID or taken.</exception>
    public ServicePrincipal AddServicePrincipal(string applicationId, string? subject, params IEnumerable<string> scopes)
    {
        if (!Guid.TryParseExact(applicationId, "D", out _))
            throw new ArgumentException("A service principal is named by its application id, a UUID.", nameof(applicationId));
        ServicePrincipal principal = Add(applicationId, scopes);
        if (subject is not null)
            principal.Policies.Add(new FederationPolicy { Subject = subject, Audiences = [TokenEndpoint.OriginalString, AccountId] });
        return principal;
    }

    /// <summary>Adds a user, who can be reached by an account-wide policy only.</summary>
    /// <param name="userName">The name that the subject claim gives.</param>
    /// <param name="scopes">As in <see cref="AddServicePrincipal"/>.</param>
    public ServicePrincipal AddUser(string userName, params IEnumerable<string> scopes) => Add(userName, scopes);

    /// <summary>Adds an account-wide policy: its subject claim names a user or a service principal. The request then has no <c>client_id</c>.</summary>
    /// <param name="policy">It must not name a subject.</param>
    /// <exception cref="ArgumentException">It names one.</exception>
    public void AddAccountPolicy(FederationPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        if (policy.Subject is not null)
            throw new ArgumentException("An account-wide policy must not name a subject.", nameof(policy));
        _accountPolicies.Enqueue(policy);
    }

    /// <inheritdoc/>
    public void Dispose() => _mint.Dispose();

    internal async Task<EmulatorAnswer> TokenAsync(EmulatorRequest request)
    {
        RequestForm form = request.Form;
        // "credentials go in the form": no Authorization header, no secret.
        if (request.Authorization.Length > 0 || form.One("client_secret") is not null)
            throw OAuthRefusal.InvalidClient("client_method", "token federation takes no Authorization header and no client secret");
        if (form.Need("grant_type") is var grant && grant != TokenTypes.ExchangeGrant)
            throw new OAuthRefusal("unsupported_grant_type", "grant_unknown", $"the grant {grant} is not supported here");
        if (form.One("actor_token") is not null || form.One("actor_token_type") is not null)
            throw OAuthRefusal.InvalidRequest("actor_not_supported", "actor tokens are not supported here");
        string subjectToken = form.Need("subject_token");
        if (form.Need("subject_token_type") is var type && type != TokenTypes.Jwt)
            throw OAuthRefusal.InvalidRequest("subject_type_unknown", $"subject_token_type must be {TokenTypes.Jwt}");
        string asked = form.Need("scope");
        string? clientId = form.One("client_id");
        ServicePrincipal principal = await PrincipalAsync(clientId, subjectToken).ConfigureAwait(false);
        string scope = ScopeGrant.Of(asked, principal.Scopes, request.WiderScope);
        (string token, _) = _mint.Issue(TokenFormat.Jwt, TokenLifetime, clientId, principal.Name, scope, [_origin], act: null, request.RequestId);
        return EmulatorAnswer.Of(new JsonObject { ["access_token"] = token, ["scope"] = scope, ["token_type"] = "Bearer", ["expires_in"] = (long)TokenLifetime.TotalSeconds }).NotStored();
    }

    // GET {host}/.well-known/databricks-config, as the SDKs read it.
    internal EmulatorAnswer Config() => EmulatorAnswer.Of(new JsonObject
    {
        ["oidc_endpoint"] = IssuerText,
        ["account_id"] = AccountId,
        ["workspace_id"] = "1000000000000001",
        ["cloud"] = "AWS",
        ["host_type"] = "workspace",
        ["token_federation_default_oidc_audiences"] = JsonText.Array([TokenEndpoint.OriginalString]),
    });

    // The real document does not list token exchange among its grants either.
    internal EmulatorAnswer Metadata() => EmulatorAnswer.Of(new JsonObject
    {
        ["issuer"] = IssuerText,
        ["token_endpoint"] = TokenEndpoint.OriginalString,
        ["authorization_endpoint"] = $"{IssuerText}/v1/authorize",
        ["grant_types_supported"] = JsonText.Array(["client_credentials", "authorization_code", "refresh_token"]),
    });

    private ServicePrincipal Add(string name, IEnumerable<string> scopes)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var principal = new ServicePrincipal(name);
        foreach (string scope in scopes.DefaultIfEmpty("all-apis").Concat(scopes.Any() ? [] : ["sql"]))
            principal.Scopes.Add(scope);
        return _principals.TryAdd(name, principal) ? principal : throw new ArgumentException($"The principal '{name}' is there already.", nameof(name));
    }

    private async Task<ServicePrincipal> PrincipalAsync(string? clientId, string subjectToken)
    {
        try
        {
            if (clientId is not null)
            {
                if (!_principals.TryGetValue(clientId, out ServicePrincipal? principal) || !Guid.TryParse(clientId, out _))
                    throw OAuthRefusal.InvalidClient("client_unknown", $"there is no service principal with the application id {clientId}");
                // A service principal's policy must name the subject; one without never matches.
                FederationPolicy[] policies = [.. principal.Policies.Where(policy => policy.Subject is not null)];
                _ = await _proofs.VerifyAsync(subjectToken, policies, [AccountId], OneUseSubjectTokens).ConfigureAwait(false);
                return principal;
            }

            VerifiedProof proof = await _proofs.VerifyAsync(subjectToken, [.. _accountPolicies], [AccountId], OneUseSubjectTokens).ConfigureAwait(false);
            return _principals.GetValueOrDefault(proof.Subject) ?? throw new ProofRefused("subject_mismatch", $"the subject {proof.Subject} is no user or service principal of this account");
        }
        catch (ProofRefused refused)
        {
            throw refused.As("invalid_request");
        }
    }
}
