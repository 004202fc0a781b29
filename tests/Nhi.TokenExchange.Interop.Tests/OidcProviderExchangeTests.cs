using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Our job against oidc-provider: a proof that another issuer signed, private_key_jwt, RFC 8693, RFC 7009.</summary>
internal sealed class OidcProviderExchangeTests
{
    private readonly WorkloadKey _clientKey = new("client");
    private readonly WorkloadKey _platformKey = new("platform");
    private OidcProviderServer? _server;
    private RawClient? _raw;

    private OidcProviderServer Server => _server!;

    private RawClient Raw => _raw!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await OidcProviderServer.StartAsync(new Dictionary<string, WorkloadKey> { ["job"] = _clientKey }, _platformKey);
        _raw = new RawClient(_server.Issuer, "job", _clientKey);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        _raw?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
        _clientKey.Dispose();
        _platformKey.Dispose();
    }

    [TestCase("audience")]
    [TestCase("resource")]
    public async Task A_proof_is_exchanged_used_and_given_back(string parameter)
    {
        await using JobSession job = await StartJobAsync(options =>
        {
            if (parameter == "audience")
                options.Audiences.Add(OidcProviderServer.Resource);
            else
                options.Resources.Add(new Uri(OidcProviderServer.Resource));
        });

        BearerToken token = await job.Provider<BearerToken>("api").GetAsync();
        JsonObject during = await Raw.IntrospectAsync(token.Reveal());
        JobReport report = await job.CompleteAsync();
        JsonObject after = await Raw.IntrospectAsync(token.Reveal());

        Assert.Multiple(() =>
        {
            Assert.That((bool)during["active"]!, Is.True);
            Assert.That((string?)during["sub"], Is.EqualTo("orders-nightly"));
            Assert.That((string?)during["aud"], Is.EqualTo(OidcProviderServer.Resource));
            Assert.That((string?)during["scope"], Is.EqualTo("read"));
            Assert.That(during["act"], Is.Null);
            Assert.That((bool)after["active"]!, Is.False);
            Assert.That(report.Leases.Select(lease => lease.End), Is.EqualTo(new[] { LeaseEnd.Revoked }), report.ToString());
        });
    }

    [TestCase("file")]
    [TestCase("assertion")]
    public async Task The_proofs_of_our_sources_are_taken(string kind)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("interop-");
        try
        {
            string file = Path.Combine(folder.FullName, "token");
            await File.WriteAllTextAsync(file, _platformKey.Sign(OidcProviderServer.WorkloadIssuer, "orders-nightly", Server.Issuer.OriginalString));
            IWorkloadIdentitySource source = kind == "file"
                ? IdentitySources.OidcFile(file)
                : IdentitySources.FederatedAssertion(AssertionSigner.From(_platformKey.Key, _platformKey.KeyId), OidcProviderServer.WorkloadIssuer, "orders-nightly");
            await using JobSession job = await StartJobAsync(source: source);

            JsonObject seen = await Raw.IntrospectAsync((await job.Provider<BearerToken>("api").GetAsync()).Reveal());

            Assert.That((string?)seen["sub"], Is.EqualTo("orders-nightly"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Test]
    public async Task An_actor_goes_along_and_is_seen_at_the_server()
    {
        await using JobSession job = await JobSession.StartAsync(builder => builder
            .EndOnSignals(false)
            .Identity("job", Proof("orders-nightly"), ActsFor.Workload)
            .Identity("runner", Proof("runner-7"), ActsFor.Workload)
            .Target("api", Targets.Rfc8693(Server.Issuer, Complete), target =>
            {
                target.Identity = "job";
                target.Actor = "runner";
            }));

        JsonObject seen = await Raw.IntrospectAsync((await job.Provider<BearerToken>("api").GetAsync()).Reveal());

        Assert.Multiple(() =>
        {
            Assert.That((string?)seen["sub"], Is.EqualTo("orders-nightly"));
            Assert.That((string?)seen["act"]?["sub"], Is.EqualTo("runner-7"));
        });
    }

    [Test]
    public async Task A_target_goes_through_another_and_both_are_given_back()
    {
        await using JobSession job = await JobSession.StartAsync(builder => builder
            .EndOnSignals(false)
            .Identity("job", Proof("orders-nightly"), ActsFor.Workload)
            .Target("account", Targets.Rfc8693(Server.Issuer, Complete), "job", "read", "write")
            .Target("api", Targets.Rfc8693(Server.Issuer, Complete), target =>
            {
                target.Through = "account";
                target.Scopes = ScopeSet.Of("read");
            }));

        BearerToken token = await job.Provider<BearerToken>("api").GetAsync();
        JsonObject during = await Raw.IntrospectAsync(token.Reveal());
        JobReport report = await job.CompleteAsync();

        await Assert.MultipleAsync(async () =>
        {
            Assert.That((string?)during["sub"], Is.EqualTo("orders-nightly"));
            Assert.That((string?)during["scope"], Is.EqualTo("read"));
            Assert.That(report.Leases.Select(lease => (lease.Target, lease.End)), Is.EqualTo(new[] { ("account", LeaseEnd.Revoked), ("api", LeaseEnd.Revoked) }), report.ToString());
            Assert.That(await Raw.IsActiveAsync(token.Reveal()), Is.False);
        });
    }

    [Test]
    public async Task Fifty_callers_cause_one_exchange_whose_assertion_is_used_once()
    {
        await using JobSession job = await StartJobAsync();
        CredentialProvider<BearerToken> api = job.Provider<BearerToken>("api");

        BearerToken[] tokens = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(async () => await api.GetAsync())));
        JobReport report = await job.CompleteAsync();

        Assert.Multiple(() =>
        {
            Assert.That(tokens.Distinct().Count(), Is.EqualTo(1));
            Assert.That(report.Leases, Has.Count.EqualTo(1));
        });
    }

    [TestCase("JWT", false)]
    [TestCase("client-authentication+jwt", false)]
    [TestCase("JWT", true)]
    public async Task The_client_is_known_by_its_assertion(string type, bool forTokenEndpoint)
    {
        string tokenEndpoint = (string)(await Raw.DiscoverAsync())["token_endpoint"]!;
        await using JobSession job = await StartJobAsync(options =>
        {
            Complete(options);
            options.Client.AssertionType = type;
            options.Client.AssertionAudience = forTokenEndpoint ? tokenEndpoint : null;
        });

        BearerToken token = await job.Provider<BearerToken>("api").GetAsync();
        JobReport report = await job.CompleteAsync();

        await Assert.MultipleAsync(async () =>
        {
            // The revocation endpoint takes the same assertion's audience.
            Assert.That(report.Leases.Single().End, Is.EqualTo(LeaseEnd.Revoked), report.ToString());
            Assert.That(await Raw.IsActiveAsync(token.Reveal()), Is.False);
        });
    }

    [TestCase("audience", "NHI4001", "invalid_target")]
    [TestCase("scope", "NHI4001", "invalid_scope")]
    [TestCase("client key", "NHI4001", "invalid_client")]
    [TestCase("client id", "NHI4001", "invalid_client")]
    [TestCase("proof's key", "NHI4011", "invalid_grant")]
    public async Task What_is_wrong_is_refused_by_the_RFCs_name(string what, string code, string error)
    {
        using var stranger = new WorkloadKey(what == "proof's key" ? _platformKey.KeyId : _clientKey.KeyId);
        await using JobSession job = await JobSession.StartAsync(builder => builder
            .EndOnSignals(false)
            .Identity("job", Proof("orders-nightly", what == "proof's key" ? stranger : _platformKey), ActsFor.Workload)
            .Target("api", Targets.Rfc8693(Server.Issuer, options =>
            {
                AuthenticateAsClient(options);
                options.Audiences.Add(what == "audience" ? "https://elsewhere.example/" : OidcProviderServer.Resource);
                if (what == "client key")
                    options.Client.Signer = AssertionSigner.From(stranger.Key, stranger.KeyId);
                if (what == "client id")
                    options.Client.Id = "nobody";
            }), "job", what == "scope" ? "everything" : "read"));

        TokenExchangeException refused = await Refusal.OfAsync(job);
        JobReport report = await job.CompleteAsync();

        Assert.Multiple(() =>
        {
            Assert.That(refused.Code, Is.EqualTo(code), refused.Message);
            Assert.That(refused.IssuerError, Is.EqualTo(error));
            Assert.That(refused.IsTransient, Is.False);
            Assert.That(refused.Hint, Is.Not.Null);
            Assert.That(report.Leases, Is.Empty);
        });
    }

    private Task<JobSession> StartJobAsync(Action<Rfc8693Options>? configure = null, IWorkloadIdentitySource? source = null) =>
        JobSession.StartAsync(builder => builder
            .EndOnSignals(false)
            .Identity("job", source ?? Proof("orders-nightly"), ActsFor.Workload)
            .Target("api", Targets.Rfc8693(Server.Issuer, options =>
            {
                AuthenticateAsClient(options);
                (configure ?? Complete)(options);
            }), "job", "read"));

    private IWorkloadIdentitySource Proof(string subject, WorkloadKey? key = null) => IdentitySources.From((request, _) =>
        new ValueTask<SubjectToken>(new SubjectToken((key ?? _platformKey).Sign(OidcProviderServer.WorkloadIssuer, subject, request.Audience.ToString()), SubjectTokenType.Jwt)));

    private void Complete(Rfc8693Options options)
    {
        AuthenticateAsClient(options);
        options.Audiences.Add(OidcProviderServer.Resource);
    }

    private void AuthenticateAsClient(Rfc8693Options options)
    {
        options.Client.Id = "job";
        options.Client.Signer = AssertionSigner.From(_clientKey.Key, _clientKey.KeyId);
    }
}
