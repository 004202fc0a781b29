using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>
/// The emulated Databricks-style workspace with its account, at one address as a unified host has them: token federation and the narrowing of tokens in both dialects, and some of the REST API.
/// It has no revocation endpoint, as the real one has none.
/// </summary>
/// <remarks>Pages: Databricks "Authenticate access using OAuth token federation", "Configure a federation policy", "Statement Execution API".</remarks>
public sealed class DatabricksWorkspace : IDisposable
{
    private readonly ConcurrentDictionary<string, ServicePrincipal> _principals = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<FederationPolicy> _accountPolicies = new();
    private readonly DatabricksGrants _grants;
    private readonly TokenMint _workspaceMint;
    private readonly TokenMint _accountMint;
    private readonly DatabricksApi _api;
    private readonly string _origin;

    internal DatabricksWorkspace(string origin, ProofIssuers issuers, Ledger ledger, EmulatorCanaries canaries, EmulatorOptions options)
    {
        _origin = origin;
        TokenLifetime = options.DatabricksTokenLifetime;
        Statements = new DatabricksStatements(options.Time);
        _workspaceMint = new TokenMint(IssuerText, canaries.Databricks, ledger, options.Time);
        _accountMint = new TokenMint(AccountIssuerText, canaries.Databricks, ledger, options.Time);
        _grants = new DatabricksGrants(this, issuers, ledger, options);
        _api = new DatabricksApi(this, ledger, options.Time);
    }

    /// <summary>The workspace's address, and the account's.</summary>
    public Uri Host => new(_origin);

    /// <summary><c>/oidc/v1/token</c>; also the default audience of proofs, as the workspace's <c>databricks-config</c> says.</summary>
    public Uri TokenEndpoint => new($"{_origin}/oidc/v1/token");

    /// <summary><c>/oidc/accounts/{account}/v1/token</c>. Its tokens are good for the account's API and for the workspace; the workspace's own are not good for the account's.</summary>
    public Uri AccountTokenEndpoint => new($"{AccountIssuerText}/v1/token");

    /// <summary>The account id: what a policy without audiences accepts as audience.</summary>
    public string AccountId { get; } = Guid.NewGuid().ToString();

    /// <summary>The life of new tokens. Default one hour. A narrowed token ends no later than the one it came of.</summary>
    public TimeSpan TokenLifetime { get; set; }

    /// <summary>Whether a subject token with a <c>jti</c> is taken only once. Default false.</summary>
    public bool OneUseSubjectTokens { get; set; }

    /// <summary>The types of <c>authorization_details</c> that are taken. Default: <c>unity_catalog_privileges</c>.</summary>
    public IList<string> AuthorizationDetailsTypes { get; } = ["unity_catalog_privileges"];

    /// <summary>Whether answer and token say which authorization details were granted (RFC 9396 §7). Default true.</summary>
    public bool StatesAuthorizationDetails { get; set; } = true;

    /// <summary>The Statement Execution API at <c>/api/2.0/sql/statements</c>.</summary>
    public DatabricksStatements Statements { get; }

    internal string Origin => _origin;

    internal string IssuerText => $"{_origin}/oidc";

    internal string AccountIssuerText => $"{_origin}/oidc/accounts/{AccountId}";

    internal IReadOnlyCollection<FederationPolicy> AccountPolicies => _accountPolicies;

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
    public void Dispose()
    {
        _workspaceMint.Dispose();
        _accountMint.Dispose();
    }

    internal TokenMint MintOf(bool account) => account ? _accountMint : _workspaceMint;

    internal ServicePrincipal? FindPrincipal(string name) => _principals.GetValueOrDefault(name);

    internal bool IsIssuerOf(LedgerIssue? issue) => issue is not null && (issue.Issuer == IssuerText || issue.Issuer == AccountIssuerText);

    internal bool IsAccountPath(string path) => path.StartsWith($"/oidc/accounts/{AccountId}/", StringComparison.Ordinal);

    internal Task<EmulatorAnswer> TokenAsync(EmulatorRequest request) => _grants.AnswerAsync(request, IsAccountPath(request.Path));

    internal Task<EmulatorAnswer> ApiAsync(EmulatorRequest request) => _api.AnswerAsync(request);

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
    internal EmulatorAnswer Metadata(bool account)
    {
        string issuer = account ? AccountIssuerText : IssuerText;
        return EmulatorAnswer.Of(new JsonObject
        {
            ["issuer"] = issuer,
            ["token_endpoint"] = $"{issuer}/v1/token",
            ["authorization_endpoint"] = $"{issuer}/v1/authorize",
            ["grant_types_supported"] = JsonText.Array(["client_credentials", "authorization_code", "refresh_token"]),
        });
    }

    private ServicePrincipal Add(string name, IEnumerable<string> scopes)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        var principal = new ServicePrincipal(name);
        foreach (string scope in scopes.DefaultIfEmpty("all-apis").Concat(scopes.Any() ? [] : ["sql"]))
            principal.Scopes.Add(scope);
        return _principals.TryAdd(name, principal) ? principal : throw new ArgumentException($"The principal '{name}' is there already.", nameof(name));
    }
}
