namespace Nhi.TokenExchange;

/// <summary>A job decided by a decision point that we did not write: discovery, question and answer of AuthZEN, against Cerbos.</summary>
[Parallelizable]
internal sealed class AuthZenServerTests
{
    private const string Policy = """
        apiVersion: api.cerbos.dev/v1
        resourcePolicy:
          resource: target
          version: default
          rules:
            - actions: ["exchange"]
              effect: EFFECT_ALLOW
              roles: ["workload"]
              condition:
                match:
                  all:
                    of:
                      - expr: P.id == P.attr.issuer + "|" + P.attr.subject
                      - expr: P.attr.claims["kubernetes.io/namespace"] == "orders"
                      - expr: P.attr.job.dataset == "orders"
                      - expr: '"run" in P.attr.job.attested'
                      - expr: R.id == "warehouse"
                      - expr: '"dataset:orders" in R.attr.scopes && size(R.attr.scopes) == 1'
                      - expr: R.attr.max_lifetime_seconds <= 3600
                      - expr: '!P.attr.is_person'
        """;

    private CerbosServer _server = null!;
    private IdentityEmulator _emulator = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _server = await CerbosServer.StartAsync(Policy);
        _emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        _emulator.Authorization.AddClient("orders", "system:serviceaccount:orders:loader", "dataset:orders", "dataset:customers");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _emulator.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Test]
    public async Task What_its_rule_permits_is_issued()
    {
        await using JobSession job = await StartJobAsync("orders", "dataset:orders");

        BearerToken token = await job.Provider<BearerToken>("warehouse").GetAsync();

        Assert.That(_emulator.Ledger.Issued.Select(issue => issue.Fingerprint), Does.Contain(token.Fingerprint));
    }

    [TestCase("customers", "dataset:orders")]
    [TestCase("orders", "dataset:customers")]
    [TestCase("orders", "dataset:orders", "other")]
    public async Task What_it_does_not_is_denied_and_no_issuer_hears_of_it(string dataset, string scope, string space = "orders")
    {
        await using JobSession job = await StartJobAsync(dataset, scope, space);
        int before = _emulator.Ledger.Requests.Of(EmulatorEndpoint.AuthorizationToken);

        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;

        Assert.That((denied.Code, denied.Rule, denied.CorrelationId is null), Is.EqualTo(("NHI3001", "authzen 127.0.0.1", false)));
        Assert.That(_emulator.Ledger.Requests.Of(EmulatorEndpoint.AuthorizationToken), Is.EqualTo(before));
    }

    [Test]
    public async Task When_it_is_gone_nothing_is_granted()
    {
        await using CerbosServer server = await CerbosServer.StartAsync(Policy);
        await using JobSession job = await StartJobAsync("orders", "dataset:orders", server: server);
        await server.StopAsync();

        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!.Code, Is.EqualTo("NHI3002"));
    }

    private Task<JobSession> StartJobAsync(string dataset, string scope, string space = "orders", CerbosServer? server = null) => JobSession.StartAsync(b => b
        .Job(new JobContext { Dataset = dataset, Purpose = "load" })
        .Identity("job", IdentitySources.From((request, _) => new ValueTask<SubjectToken>(new SubjectToken(
            _emulator.JobIdentity(ProofShape.Kubernetes, $"system:serviceaccount:{space}:loader").Mint(request.Audience.ToString()), SubjectTokenType.Jwt))))
        .Target("warehouse", Targets.Rfc8693(_emulator.Authorization.Issuer, o => o.Client.Id = "orders"), t =>
        {
            t.Identity = "job";
            t.Scopes = ScopeSet.Of(scope);
            t.AttestingIssuer = _emulator.Issuer.OriginalString;
        })
        .Policy(AccessPolicies.AuthZen((server ?? _server).Address, configure: o => o.Deadline = TimeSpan.FromSeconds(30)))
        .EndOnSignals(false));
}
