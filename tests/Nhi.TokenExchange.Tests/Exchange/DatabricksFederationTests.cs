using System.Net;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>Whole jobs against the emulated workspace and account, which verify each proof for real.</summary>
internal sealed class DatabricksFederationTests
{
    private const string AppId = "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10";
    private const string Details = """[{"type":"unity_catalog_privileges","object_type":"TABLE","object_full_path":"main.shop.orders","privileges":["SELECT"]}]""";

    private readonly ManualTimeProvider _time = new();
    private IdentityEmulator _emulator = null!;
    private JobIdentity _job = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _emulator = await IdentityEmulator.StartAsync(o => (o.Time, o.ProofAlgorithm) = (_time, "ES256"));
        _job = _emulator.JobIdentity(ProofShape.Kubernetes);
        _emulator.Databricks.AddServicePrincipal(AppId, _job.Subject, "all-apis", "sql", "unity-catalog");
    }

    [TearDown]
    public async Task StopAsync() => await _emulator.DisposeAsync();

    [Test]
    public async Task A_service_principal_is_federated_in_both_dialects([Values] DatabricksDialect dialect, [Values] bool account)
    {
        await using JobSession job = await JobAsync(b => b.Target("warehouse", Databricks(AppId, o => (o.Dialect, o.AccountId) = (dialect, account ? _emulator.Databricks.AccountId : null)), "job", "sql"));
        BearerToken token = await job.Provider<BearerToken>("warehouse").GetAsync();
        LedgerIssue issued = _emulator.Ledger.Issued.Single();
        Assert.That((issued.Fingerprint, issued.Subject, issued.ClientId, issued.Scope), Is.EqualTo((token.Fingerprint, AppId, AppId, "sql")));
        Assert.That(issued.Issuer, Does.EndWith(account ? $"/oidc/accounts/{_emulator.Databricks.AccountId}" : "/oidc"));
    }

    [Test]
    public async Task An_account_wide_policy_needs_no_client_id([Values] DatabricksDialect dialect, [Values] bool account)
    {
        _emulator.Databricks.AddUser("nightly@acme.example");
        _emulator.Databricks.AddAccountPolicy(new FederationPolicy { SubjectClaim = "databricks_user", Audiences = [_emulator.Databricks.AccountId] });
        await using JobSession job = await JobAsync(b => b.Target("warehouse", Databricks(null, o =>
        {
            o.Dialect = dialect;
            o.AccountId = account ? _emulator.Databricks.AccountId : null;
            o.SubjectAudience = _emulator.Databricks.AccountId;
        }), "job", "sql"), claims => claims.Payload["databricks_user"] = "nightly@acme.example");
        await job.Provider<BearerToken>("warehouse").GetAsync();
        Assert.That((_emulator.Ledger.Issued.Single().Subject, _emulator.Ledger.Issued.Single().ClientId), Is.EqualTo(("nightly@acme.example", (string?)null)));
    }

    [Test]
    public async Task A_token_of_the_account_is_good_for_its_workspaces_and_one_of_a_workspace_is_not_good_for_the_account()
    {
        await using JobSession job = await JobAsync(b => b
            .Target("account", Databricks(AppId, o => o.AccountId = _emulator.Databricks.AccountId), "job")
            .Target("workspace", Databricks(AppId), "job"));
        string workspaces = $"/api/2.0/accounts/{_emulator.Databricks.AccountId}/workspaces";
        Assert.That(await StatusAsync(job, "account", workspaces), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await StatusAsync(job, "account", "/api/2.0/sql/warehouses"), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await StatusAsync(job, "workspace", "/api/2.0/sql/warehouses"), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await StatusAsync(job, "workspace", workspaces), Is.EqualTo(HttpStatusCode.Unauthorized));
    }

    [Test]
    public async Task A_scope_that_was_not_asked_for_is_not_had()
    {
        await using JobSession job = await JobAsync(b => b.Target("warehouse", Databricks(AppId), "job", "unity-catalog"));
        Assert.That(await StatusAsync(job, "warehouse", "/api/2.0/sql/warehouses"), Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(_emulator.Ledger.Issued, Has.Count.EqualTo(1));   // a denial is no reason for another token
    }

    [Test]
    public async Task A_token_is_narrowed_through_the_target_that_got_it([Values] DatabricksDialect dialect, [Values] bool byDetails)
    {
        await using JobSession job = await JobAsync(b => b
            .Target("workspace", Databricks(AppId), "job", "all-apis")
            .Target("orders", Databricks(null, o => (o.Dialect, o.AuthorizationDetails) = (dialect, byDetails ? Details : null)), t => (t.Through, t.Scopes) = ("workspace", ScopeSet.Of("sql"))));
        BearerToken narrow = await job.Provider<BearerToken>("orders").GetAsync();
        LedgerIssue wide = _emulator.Ledger.Issued[0], narrowed = _emulator.Ledger.Issued[1];
        Assert.That((narrowed.Fingerprint, narrowed.Subject, narrowed.Scope, narrowed.AuthorizationDetails is not null), Is.EqualTo((narrow.Fingerprint, AppId, "sql", byDetails)));
        Assert.That(narrowed.EndsAt, Is.LessThanOrEqualTo(wide.EndsAt));
        Assert.That(wide.Scope, Is.EqualTo("all-apis"));
    }

    [Test]
    public async Task A_workspace_that_does_not_say_what_it_granted_is_not_believed_unasked([Values] bool allowed)
    {
        _emulator.Databricks.StatesAuthorizationDetails = false;
        await using JobSession job = await JobAsync(b => b
            .Target("workspace", Databricks(AppId), "job", "all-apis")
            .Target("orders", Databricks(null, o => (o.Dialect, o.AuthorizationDetails, o.AllowUnstatedDetails) = (DatabricksDialect.JwtBearer, Details, allowed)), t => t.Through = "workspace"));
        ValueTask<BearerToken> Get() => job.Provider<BearerToken>("orders").GetAsync();
        if (allowed)
            await Get();
        else
            Assert.That(async () => await Get(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI5001"));
    }

    [Test]
    public async Task A_narrowed_token_is_not_widened_again()
    {
        await using JobSession job = await JobAsync(b => b
            .Target("workspace", Databricks(AppId), "job", "sql")
            .Target("wide", Databricks(null), t => (t.Through, t.Scopes) = ("workspace", ScopeSet.Of("all-apis"))));
        Assert.That(async () => await job.Provider<BearerToken>("wide").GetAsync(), Throws.TypeOf<TokenExchangeException>().With.Property("IssuerError").EqualTo("invalid_scope"));
    }

    [Test]
    public async Task What_a_policy_narrows_reaches_the_workspace_and_bounds_what_the_token_opens([Values] DatabricksDialect dialect)
    {
        const string both = """[{"type":"unity_catalog_privileges","object_type":"TABLE","object_full_path":"main.shop.orders","privileges":["SELECT","MODIFY"]},{"type":"unity_catalog_privileges","object_type":"TABLE","object_full_path":"main.shop.customers","privileges":["SELECT"]}]""";
        await using JobSession job = await JobAsync(b => b
            .Target("orders", Databricks(AppId, o => (o.Dialect, o.AuthorizationDetails) = (dialect, both)), "job", "sql", "unity-catalog")
            .Policy(Policy.Policies.Of(Policy.Policies.Permit("orders", """{ "target": "orders" }""", $$"""{ "scopes": [ "sql" ], "authorizationDetails": {{Details}} }"""))));
        BearerToken token = await job.Provider<BearerToken>("orders").GetAsync();
        LedgerIssue issued = _emulator.Ledger.Issued.Single();
        Assert.That((issued.Fingerprint, issued.Scope, issued.AuthorizationDetails), Is.EqualTo((token.Fingerprint, "sql", Details)));
        Assert.That(await RowsAsync(token, "orders"), Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await RowsAsync(token, "customers"), Is.EqualTo(HttpStatusCode.Forbidden));
    }

    [Test]
    public async Task Scopes_that_a_workspace_grants_beyond_what_the_policy_left_are_refused_though_the_target_has_them()
    {
        _emulator.Faults.Next(EmulatorEndpoint.DatabricksToken, Fault.WiderScope("unity-catalog"));
        await using JobSession job = await JobAsync(b => b
            .Target("orders", Databricks(AppId), "job", "sql", "unity-catalog")
            .Policy(Policy.Policies.Of(Policy.Policies.Permit("orders", """{ "target": "orders" }""", """{ "scopes": [ "sql" ] }"""))));
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("orders").GetAsync().AsTask())!;
        Assert.That(refused.Code, Is.EqualTo("NHI5001"));
        Assert.That(refused.Detail, Does.StartWith("Scopes 'sql' were asked for, 'sql unity-catalog' were granted. It is not handed out."));
        Assert.That((await job.CompleteAsync()).Leases.Single().End, Is.EqualTo(LeaseEnd.CannotBeRevoked), "it was tried, and is accounted for");
    }

    [TestCase("subject", "subject_mismatch")]
    [TestCase("issuer", "issuer_unknown")]
    [TestCase("audience", "audience_mismatch")]
    public async Task A_proof_that_no_policy_lists_is_refused_for_good_with_the_command_that_would_list_it(string wrong, string reason)
    {
        string other = Guid.NewGuid().ToString();
        _emulator.Databricks.AddServicePrincipal(other, null).Policies.Add(new FederationPolicy
        {
            Subject = wrong == "subject" ? "system:serviceaccount:other:one" : _job.Subject,
            Issuer = wrong == "issuer" ? "https://other.example" : null,
            Audiences = [wrong == "audience" ? "other" : _emulator.Databricks.TokenEndpoint.OriginalString],
        });
        await using JobSession job = await JobAsync(b => b.Target("warehouse", Databricks(other), "job", "sql"));
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Provider<BearerToken>("warehouse").GetAsync())!;
        Assert.That((refused.Code, refused.IsTransient, refused.IssuerError), Is.EqualTo(("NHI4011", false, "invalid_request")));
        Assert.That(refused.Message, Does.Contain(_job.Subject).And.Contain(_emulator.Databricks.TokenEndpoint.OriginalString).And.Contain("service-principal-federation-policy create NUMERIC_ID"));
        Assert.That(_emulator.Ledger.Refusals.Select(refusal => refusal.Reason), Is.All.EqualTo(reason));
        Assert.That(refused.ToString(), Does.Not.Contain(_emulator.Canaries.Proof));
    }

    [Test]
    public async Task A_failed_exchange_never_falls_back_to_the_proof()
    {
        _emulator.Faults.Always(EmulatorEndpoint.DatabricksToken, Fault.Status(401));
        await using JobSession job = await JobAsync(b => b.Target("warehouse", Databricks(AppId), "job", "sql"));
        using var http = new HttpClient(job.CreateHandler("warehouse"));
        Assert.That(async () => await http.GetAsync(new Uri(_emulator.Databricks.Host, "/api/2.0/sql/warehouses")), Throws.TypeOf<TokenExchangeException>());
        Assert.That(_emulator.Ledger.Uses, Is.Empty);
    }

    private TokenExchanger<BearerToken> Databricks(string? clientId, Action<DatabricksOptions>? configure = null) => Targets.Databricks(_emulator.Databricks.Host, clientId, configure);

    private Task<JobSession> JobAsync(Action<TokenExchangeBuilder> targets, Action<ProofClaims>? claims = null) => JobSession.StartAsync(b =>
    {
        b.Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(_job.Mint(request.Audience.ToString(), claims), SubjectTokenType.Jwt)))).Time(_time).EndOnSignals(false);
        targets(b);
    });

    private async Task<HttpStatusCode> StatusAsync(JobSession job, string target, string path)
    {
        using var http = new HttpClient(job.CreateHandler(target));
        using HttpResponseMessage response = await http.GetAsync(new Uri(_emulator.Databricks.Host, path));
        return response.StatusCode;
    }

    private async Task<HttpStatusCode> RowsAsync(BearerToken token, string dataset)
    {
        using var http = new HttpClient();
        token.ApplyTo(http.DefaultRequestHeaders);
        using HttpResponseMessage response = await http.GetAsync(new Uri(_emulator.Warehouse.Address, $"/api/datasets/{dataset}/rows?count=1"));
        return response.StatusCode;
    }
}
