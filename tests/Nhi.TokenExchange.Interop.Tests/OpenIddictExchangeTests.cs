using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Our job against OpenIddict: discovery from the issuer alone, private_key_jwt, RFC 8693, RFC 7009.</summary>
internal sealed class OpenIddictExchangeTests
{
    private readonly WorkloadKey _clientKey = new("client");
    private readonly WorkloadKey _warehouseKey = new("warehouse");
    private OpenIddictServer? _server;
    private RawClient? _raw;
    private RawClient? _warehouse;

    private OpenIddictServer Server => _server!;

    private RawClient Raw => _raw!;

    // What a token is for is told to its audience alone.
    private RawClient Warehouse => _warehouse!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _server = await OpenIddictServer.StartAsync(new Dictionary<string, WorkloadKey> { ["job"] = _clientKey, [OpenIddictServer.Audience] = _warehouseKey });
        _raw = new RawClient(_server.Issuer, "job", _clientKey);
        _warehouse = new RawClient(_server.Issuer, OpenIddictServer.Audience, _warehouseKey);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        _raw?.Dispose();
        _warehouse?.Dispose();
        if (_server is not null)
            await _server.DisposeAsync();
        _clientKey.Dispose();
        _warehouseKey.Dispose();
    }

    [TestCase("audience")]
    [TestCase("resource")]
    public async Task A_token_of_the_server_is_exchanged_used_and_given_back(string parameter)
    {
        await using JobSession job = await StartJobAsync(options =>
        {
            if (parameter == "audience")
                options.Audiences.Add(OpenIddictServer.Audience);
            else
                options.Resources.Add(new Uri(OpenIddictServer.Audience));
        });

        BearerToken token = await job.Provider<BearerToken>("api").GetAsync();
        JsonObject during = await Warehouse.IntrospectAsync(token.Reveal());
        JobReport report = await job.CompleteAsync();
        JsonObject after = await Warehouse.IntrospectAsync(token.Reveal());

        Assert.Multiple(() =>
        {
            Assert.That((bool)during["active"]!, Is.True);
            Assert.That((string?)during["sub"], Is.EqualTo("job"));
            Assert.That((string?)during["aud"], Is.EqualTo(OpenIddictServer.Audience));
            Assert.That((string?)during["scope"], Is.EqualTo("read"));
            Assert.That(token.ExpiresAt, Is.EqualTo(DateTimeOffset.FromUnixTimeSeconds((long)during["exp"]!)).Within(TimeSpan.FromSeconds(2)));
            Assert.That((bool)after["active"]!, Is.False);
            Assert.That(report.Leases.Select(lease => lease.End), Is.EqualTo(new[] { LeaseEnd.Revoked }), report.ToString());
            Assert.That(report.AllEnded, Is.True);
        });
    }

    [Test]
    public async Task A_rejected_token_is_replaced_and_both_are_dead_after_the_job()
    {
        await using JobSession job = await StartJobAsync();
        CredentialProvider<BearerToken> api = job.Provider<BearerToken>("api");

        BearerToken first = await api.GetAsync();
        BearerToken again = await api.GetAsync();
        api.Reject(first);
        BearerToken second = await api.GetAsync();
        await job.CompleteAsync();

        await Assert.MultipleAsync(async () =>
        {
            Assert.That(again, Is.SameAs(first));
            Assert.That(second.Reveal(), Is.Not.EqualTo(first.Reveal()));
            Assert.That(await Raw.IsActiveAsync(first.Reveal()), Is.False);
            Assert.That(await Raw.IsActiveAsync(second.Reveal()), Is.False);
        });
    }

    [Test]
    public async Task A_target_goes_through_another_at_the_same_server()
    {
        await using JobSession job = await JobSession.StartAsync(builder => builder
            .EndOnSignals(false)
            .Identity("job", OwnToken(), ActsFor.Workload)
            .Target("account", Targets.Rfc8693(Server.Issuer, Complete), "job", "read", "write")
            .Target("api", Targets.Rfc8693(Server.Issuer, Complete), target =>
            {
                target.Through = "account";
                target.Scopes = ScopeSet.Of("read");
            }));

        BearerToken token = await job.Provider<BearerToken>("api").GetAsync();
        JsonObject during = await Warehouse.IntrospectAsync(token.Reveal());
        JobReport report = await job.CompleteAsync();

        await Assert.MultipleAsync(async () =>
        {
            Assert.That((string?)during["scope"], Is.EqualTo("read"));
            Assert.That(report.Leases.Select(lease => (lease.Target, lease.End)), Is.EqualTo(new[] { ("account", LeaseEnd.Revoked), ("api", LeaseEnd.Revoked) }), report.ToString());
            Assert.That(await Raw.IsActiveAsync(token.Reveal()), Is.False);
        });
    }

    // By default OpenIddict encrypts its access tokens: opaque to us, as any access token is to its client (RFC 6749 §1.4), and its own to read.
    [Test]
    public async Task An_encrypted_access_token_of_the_server_is_a_proof_that_only_the_server_reads()
    {
        await using OpenIddictServer server = await OpenIddictServer.StartAsync(new Dictionary<string, WorkloadKey> { ["job"] = _clientKey }, encryptAccessTokens: true);
        using var raw = new RawClient(server.Issuer, "job", _clientKey);
        await using JobSession job = await StartJobAsync(source: OwnToken(raw), issuer: server.Issuer);

        BearerToken issued = await job.Provider<BearerToken>("api").GetAsync();

        Assert.That(issued.Reveal().Count(c => c == '.'), Is.EqualTo(4), "a JWE");
    }

    // A known audience that this client may not have is no invalid_target there (RFC 8693 §2.2.2 would have it so), and so may be the proof's fault.
    [TestCase("https://elsewhere.example/", "NHI4001", "invalid_target")]
    [TestCase(OpenIddictServer.ForbiddenAudience, "NHI4011", "invalid_request")]
    public async Task A_wrong_audience_is_refused_and_says_what_to_look_at(string audience, string code, string error)
    {
        await using JobSession job = await StartJobAsync(options => options.Audiences.Add(audience));

        TokenExchangeException refused = await Refusal.OfAsync(job);

        Assert.Multiple(() =>
        {
            Assert.That(refused.Code, Is.EqualTo(code), refused.Message);
            Assert.That(refused.IssuerError, Is.EqualTo(error));
            Assert.That(refused.IsTransient, Is.False);
            Assert.That(refused.Target, Is.EqualTo("api"));
            Assert.That(refused.Hint, Does.Contain("audience"));
        });
    }

    [Test]
    public async Task A_garbage_proof_is_refused_twice_and_then_said_to_be_the_proof()
    {
        var asked = new List<bool>();
        await using JobSession job = await StartJobAsync(source: IdentitySources.From((request, _) =>
        {
            asked.Add(request.MustBeNew);
            return new ValueTask<SubjectToken>(new SubjectToken("garbage", SubjectTokenType.AccessToken));
        }));

        TokenExchangeException refused = await Refusal.OfAsync(job);

        Assert.Multiple(() =>
        {
            Assert.That(refused.Code, Is.EqualTo("NHI4011"), refused.Message);
            Assert.That(refused.IssuerError, Is.EqualTo("invalid_grant"));
            Assert.That(asked, Is.EqualTo(new[] { false, true }), "once more with a new proof, then never");
            Assert.That(refused.ToString(), Does.Not.Contain("garbage"));
        });
    }

    [Test]
    public async Task A_revoked_proof_is_refused()
    {
        string revoked = await Raw.ClientCredentialsAsync(("scope", "read"));
        await Raw.RevokeAsync(revoked);
        await using JobSession job = await StartJobAsync(source: IdentitySources.From((_, _) => new ValueTask<SubjectToken>(new SubjectToken(revoked, SubjectTokenType.AccessToken))));

        TokenExchangeException refused = await Refusal.OfAsync(job);

        Assert.Multiple(() =>
        {
            Assert.That(refused.IssuerError, Is.EqualTo("invalid_grant"), refused.Message);
            Assert.That(refused.ToString(), Does.Not.Contain(revoked));
        });
    }

    [Test]
    public async Task A_client_with_another_key_is_refused()
    {
        using var stranger = new WorkloadKey("client");
        await using JobSession job = await StartJobAsync(options =>
        {
            Complete(options);
            options.Client.Signer = AssertionSigner.From(stranger.Key, stranger.KeyId);
        });

        TokenExchangeException refused = await Refusal.OfAsync(job);

        Assert.Multiple(() =>
        {
            Assert.That(refused.Code, Is.EqualTo("NHI4001"), refused.Message);
            Assert.That(refused.IssuerError, Is.EqualTo("invalid_client"));
            Assert.That(refused.Hint, Does.Contain("key"));
        });
    }

    [Test]
    public async Task An_assertion_of_the_default_type_is_refused_and_the_hint_names_the_option()
    {
        await using JobSession job = await StartJobAsync(options =>
        {
            Complete(options);
            options.Client.AssertionType = "JWT";
        });

        TokenExchangeException refused = await Refusal.OfAsync(job);

        Assert.Multiple(() =>
        {
            Assert.That(refused.IssuerError, Is.EqualTo("invalid_client"), refused.Message);
            Assert.That(refused.Hint, Does.Contain("Client.AssertionType"));
        });
    }

    [Test]
    public async Task An_issuer_that_names_itself_otherwise_is_not_believed()
    {
        await using JobSession job = await StartJobAsync(issuer: new Uri(Server.Issuer.GetLeftPart(UriPartial.Authority)));   // without the slash

        TokenExchangeException refused = await Refusal.OfAsync(job);

        Assert.Multiple(() =>
        {
            Assert.That(refused.Code, Is.EqualTo("NHI4007"), refused.Message);
            Assert.That(refused.Hint, Does.Contain("exactly as it names itself"));
        });
    }

    private Task<JobSession> StartJobAsync(Action<Rfc8693Options>? configure = null, IWorkloadIdentitySource? source = null, Uri? issuer = null) =>
        JobSession.StartAsync(builder => builder
            .EndOnSignals(false)
            .Identity("job", source ?? OwnToken(), ActsFor.Workload)
            .Target("api", Targets.Rfc8693(issuer ?? Server.Issuer, options =>
            {
                AuthenticateAsClient(options);
                (configure ?? Complete)(options);
            }), "job", "read"));

    // The server takes only its own tokens as proofs; this one is for the same audience.
    private IWorkloadIdentitySource OwnToken(RawClient? raw = null) => IdentitySources.From(async (_, _) =>
        new SubjectToken(await (raw ?? Raw).ClientCredentialsAsync(("scope", "read write")), SubjectTokenType.AccessToken));

    private void Complete(Rfc8693Options options)
    {
        AuthenticateAsClient(options);
        options.Audiences.Add(OpenIddictServer.Audience);
    }

    private void AuthenticateAsClient(Rfc8693Options options)
    {
        options.Client.Id = "job";
        options.Client.Signer = AssertionSigner.From(_clientKey.Key, _clientKey.KeyId);
        options.Client.AssertionType = "client-authentication+jwt";   // no other is taken here
        options.SubjectAudience = OpenIddictServer.Audience;
    }
}
