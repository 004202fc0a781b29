namespace Nhi.TokenExchange.Tests.Exchange;

internal sealed class Rfc8693ExchangerTests
{
    private const string Urn = "urn:ietf:params:oauth:token-type:";

    [Test]
    public async Task The_form_says_what_RFC_8693_wants_and_nothing_else()
    {
        ReceivedRequest request = await SentAsync();
        Assert.That(request.Method, Is.EqualTo("POST"));
        Assert.That(request.Path, Is.EqualTo("/token"));
        Assert.That(request.Headers["Content-Type"], Is.EqualTo("application/x-www-form-urlencoded"));
        Assert.That(request.Headers["Accept"], Is.EqualTo("application/json"));
        Assert.That(request.Headers.Keys, Has.No.Member("Authorization"));
        Assert.That(request.Form, Is.EqualTo(new[]
        {
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", WireSamples.Proof),
            ("subject_token_type", Urn + "id_token"),
        }));
    }

    [Test]
    public async Task Every_parameter_has_its_place_and_repeated_ones_are_repeated()
    {
        const string details = """[{"type":"sql","actions":["read&write=1"]}]""";
        ReceivedRequest request = await SentAsync(
            o =>
            {
                o.Client.Id = "a b&c=d";
                o.Resources.Add(new Uri("https://one.example/?q=1&r=2"));
                o.Resources.Add(new Uri("https://two.example"));
                o.Audiences.Add("ö\r\n");
                o.RequestedTokenType = SubjectTokenType.AccessToken;
                o.AuthorizationDetails = details;
            },
            new SubjectToken("actor-token", SubjectTokenType.Jwt),
            "sql", "files");
        Assert.That(request.Form, Is.EqualTo(new[]
        {
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("resource", "https://one.example/?q=1&r=2"),
            ("resource", "https://two.example"),
            ("audience", "ö\r\n"),
            ("requested_token_type", Urn + "access_token"),
            ("authorization_details", details),
            ("subject_token", WireSamples.Proof),
            ("subject_token_type", Urn + "id_token"),
            ("scope", "files sql"),
            ("actor_token", "actor-token"),
            ("actor_token_type", Urn + "jwt"),
            ("client_id", "a b&c=d"),
        }));
    }

    [Test]
    public void The_proof_is_for_the_issuer_unless_another_audience_is_named()
    {
        var issuer = new Uri("https://issuer.example/tenant");
        Assert.That(Targets.Rfc8693(issuer).SubjectAudience.ToString(), Is.EqualTo("https://issuer.example/tenant"));
        Assert.That(Targets.Rfc8693(issuer, o => o.SubjectAudience = "api://x").SubjectAudience.ToString(), Is.EqualTo("api://x"));
        Assert.That(Targets.Rfc8693(issuer).UsableMargin, Is.EqualTo(TimeSpan.FromSeconds(10)));
        Assert.That(Targets.Rfc8693(issuer).EndsWithSubjectToken, Is.False);
    }

    [TestCase("http://issuer.example", "not https")]
    [TestCase("https://issuer.example?tenant=1", "query")]
    [TestCase("https://issuer.example#x", "fragment")]
    [TestCase("https://u:p@issuer.example", "user info")]
    [TestCase("/relative", "not an absolute URI")]
    public void An_issuer_that_is_none_is_refused_at_once(string issuer, string told) =>
        Assert.That(() => Targets.Rfc8693(new Uri(issuer, UriKind.RelativeOrAbsolute)), Throws.InstanceOf<ArgumentException>().With.Message.Contain(told));

    [TestCase("{}")]
    [TestCase("[]")]
    [TestCase("[1]")]
    [TestCase("""[{"actions":[]}]""")]
    [TestCase("""[{"type":"a","type":"b"}]""")]
    [TestCase("not json")]
    public void Authorization_details_that_are_no_array_of_typed_objects_are_refused_at_once(string details) =>
        Assert.That(() => Targets.Rfc8693(new Uri("https://issuer.example"), o => o.AuthorizationDetails = details), Throws.ArgumentException);

    private static IEnumerable<Action<Rfc8693Options>> WrongOptions() =>
    [
        o => o.TokenEndpoint = new Uri("http://issuer.example/token"),
        o => o.RevocationEndpoint = new Uri("https://issuer.example/revoke"),
        o => o.Resources.Add(new Uri("https://a.example#b")),
        o => o.Resources.Add(new Uri("relative", UriKind.Relative)),
        o => o.UsableMargin = TimeSpan.FromSeconds(-1),
        o => o.DefaultLifetime = TimeSpan.Zero,
        o => o.Client.Source = IdentitySources.From((_, _) => throw new InvalidOperationException()),
    ];

    [TestCaseSource(nameof(WrongOptions))]
    public void Wrong_options_are_refused_at_once(Action<Rfc8693Options> configure) =>
        Assert.That(() => Targets.Rfc8693(new Uri("https://issuer.example"), configure), Throws.InstanceOf<ArgumentException>());

    [TestCase("""[{"type":"sql","actions":["read","write"]}]""", true)]
    [TestCase("""[{"actions":["read"],"type":"sql"}]""", true)]
    [TestCase("""[{"type":"sql","actions":["read"],"locations":["https://one.example"]}]""", true)]
    [TestCase("""[]""", true)]
    [TestCase("""[{"type":"sql","actions":["read","drop"]}]""", false)]
    [TestCase("""[{"type":"sql"}]""", false)]
    [TestCase("""[{"type":"other","actions":["read"]}]""", false)]
    [TestCase("""[{"type":"sql","actions":["read"],"owner":true}]""", false)]
    [TestCase("""[{"type":"sql","actions":["read"]},{"type":"files"}]""", false)]
    [TestCase("""[7]""", false)]
    [TestCase("""{}""", false)]
    [TestCase(null, false)]
    public async Task Granted_authorization_details_are_the_same_or_narrower(string? granted, bool isRight)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json(WireSamples.Answer(granted is null ? "" : $"\"authorization_details\":{granted}")));
        Issued<BearerToken> issued = await ExchangeAsync(issuer, o => o.AuthorizationDetails = """[{"type":"sql","actions":["read","write"]}]""");
        Assert.That(issued.Flaw?.Code, Is.EqualTo(isRight ? null : ErrorCodes.WiderScope));
    }

    [Test]
    public async Task Authorization_details_that_nobody_asked_for_flaw()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json(WireSamples.Answer("""
            "authorization_details":[{"type":"sql"}]
            """)));
        Assert.That((await ExchangeAsync(issuer)).Flaw?.Code, Is.EqualTo(ErrorCodes.WiderScope));
    }

    [TestCase("tenant", "NHI4016")]
    [TestCase("claims", "NHI4017")]
    public void A_tenant_or_claims_are_refused_and_not_dropped(string what, string code)
    {
        using HttpMessageInvoker channel = WireSamples.Backchannel();
        ExchangeRequest plain = WireSamples.Request(channel);
        var asked = new ExchangeRequest
        {
            Target = plain.Target, Subject = plain.Subject, MaxLifetime = plain.MaxLifetime, Job = plain.Job, Backchannel = channel, Tenant = what == "tenant" ? "other" : null, Claims = what == "claims" ? "{}" : null,
        };

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await Targets.Rfc8693(new Uri("https://issuer.example")).ExchangeAsync(asked, default))!;

        Assert.That((refused.Code, refused.Stage, refused.Detail, refused.Hint), Is.EqualTo((
            code, ExchangeStage.Exchange, "A tenant or the claims of a challenge were asked for; this issuer knows neither.", "Ask without tenant and claims, or use an exchanger that knows them.")));
    }

    [TestCase(-1, 300, "UsableMargin is -00:00:01; give 00:00:00 to 00:10:00.")]
    [TestCase(0, 300, null)]
    [TestCase(600, 300, null)]
    [TestCase(601, 300, "UsableMargin is 00:10:01; give 00:00:00 to 00:10:00.")]
    [TestCase(10, 0, "DefaultLifetime is 00:00:00; give 00:00:01 to 1 day.")]
    [TestCase(10, 1, null)]
    [TestCase(10, 86_400, null)]
    [TestCase(10, 86_401, "DefaultLifetime is 1.00:00:01; give 00:00:01 to 1 day.")]
    public void Margin_and_life_have_their_bounds(int margin, int life, string? said)
    {
        TokenExchanger<BearerToken> Make() => Targets.Rfc8693(new Uri("https://issuer.example"), o => (o.UsableMargin, o.DefaultLifetime) = (TimeSpan.FromSeconds(margin), TimeSpan.FromSeconds(life)));
        if (said is null)
            Assert.That(Make().UsableMargin, Is.EqualTo(TimeSpan.FromSeconds(margin)));
        else
            Assert.That(() => Make(), Throws.ArgumentException.With.Message.StartsWith(said));
    }

    [Test]
    public async Task A_wider_scope_is_revoked_at_the_issuer_and_refused()
    {
        await using var issuer = new ScriptedIssuer(request => request.Path == "/revoke" ? ScriptedAnswer.Status(200) : ScriptedAnswer.Json(WireSamples.Answer("\"scope\":\"sql admin\"")));
        TokenExchangeException failure = await FailureOfJobAsync(issuer, "sql");
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.WiderScope));
        Assert.That(issuer.Requests.Single(request => request.Path == "/revoke").Field("token"), Is.EqualTo(WireSamples.Token));
    }

    [Test]
    public async Task A_flawed_token_is_revoked_at_the_issuer_and_refused()
    {
        await using var issuer = new ScriptedIssuer(request => request.Path == "/revoke" ? ScriptedAnswer.Status(200) : ScriptedAnswer.Json(WireSamples.Answer("\"scope\":\"sql\",\"x\":1,\"x\":2")));
        TokenExchangeException failure = await FailureOfJobAsync(issuer, "sql");
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerAnswerMalformed));
        Assert.That(issuer.Requests.Count(request => request.Path == "/revoke"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_proof_that_is_refused_is_replaced_once()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("""{"error":"invalid_grant","error_description":"expired"}""", 400));
        TokenExchangeException failure = await FailureOfJobAsync(issuer);
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.ProofRefused));
        Assert.That(issuer.Requests, Has.Count.EqualTo(2));
    }

    private static async Task<TokenExchangeException> FailureOfJobAsync(ScriptedIssuer issuer, params string[] scopes)
    {
        await using JobSession job = await JobSession.StartAsync(b => b
            .EndOnSignals(false)
            .Identity("job", IdentitySources.From((asked, _) => new(new SubjectToken(WireSamples.ProofFor(asked.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("warehouse", Targets.Rfc8693(issuer.Uri, o => (o.TokenEndpoint, o.RevocationEndpoint) = (new Uri(issuer.Uri, "/token"), new Uri(issuer.Uri, "/revoke"))), identity: "job", scopes));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;
        WireSamples.AssertNoCanary(failure);
        return failure;
    }

    private static async Task<ReceivedRequest> SentAsync(Action<Rfc8693Options>? configure = null, SubjectToken? actor = null, params string[] scopes)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json(WireSamples.Answer()));
        await ExchangeAsync(issuer, configure, actor, scopes);
        return issuer.Requests.Single();
    }

    private static async Task<Issued<BearerToken>> ExchangeAsync(ScriptedIssuer issuer, Action<Rfc8693Options>? configure = null, SubjectToken? actor = null, params string[] scopes)
    {
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(issuer.Uri, o =>
        {
            o.TokenEndpoint = new Uri(issuer.Uri, "/token");
            configure?.Invoke(o);
        });
        using HttpMessageInvoker channel = WireSamples.Backchannel();
        return await exchanger.ExchangeAsync(WireSamples.Request(channel, new SkippingTime(), actor, scopes), default);
    }
}
