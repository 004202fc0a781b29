namespace Nhi.TokenExchange.Tests.Exchange.OAuth;

/// <summary>What stands in the form of a grant, and what is refused before one is sent.</summary>
internal sealed class GrantFormTests
{
    private const string Orders = "https://warehouse.example/orders";
    private const string Returns = "https://warehouse.example/returns";
    private const string ReadAndWrite = """[{"type":"sql","actions":["read","write"]}]""";
    private const string ReadOnly = """[{"type":"sql","actions":["read"]}]""";

    [Test]
    public async Task An_exchange_asks_for_what_a_policy_leaves_of_either([Values] bool isFewerResources, [Values] bool isLessDetail)
    {
        var issuer = new InMemoryIssuer(_ => InMemoryIssuer.Json(WireSamples.Answer()));
        using var channel = new HttpMessageInvoker(issuer);
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(InMemoryIssuer.Address, o =>
        {
            o.TokenEndpoint = InMemoryIssuer.TokenEndpoint;
            o.Resources.Add(new Uri(Orders));
            o.Resources.Add(new Uri(Returns));
            o.Audiences.Add("lake");
            o.Audiences.Add("shore");
            o.AuthorizationDetails = ReadAndWrite;
        });

        await exchanger.ExchangeAsync(Request(channel, isFewerResources ? [Returns, "lake"] : null, isLessDetail ? ReadOnly : null), default);

        string[] resources = isFewerResources ? [Returns] : [Orders, Returns];
        string[] audiences = isFewerResources ? ["lake"] : ["lake", "shore"];
        Assert.That(issuer.Requests.Single().Form, Is.EqualTo((IEnumerable<(string, string)>)[
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            .. resources.Select(one => ("resource", one)), .. audiences.Select(one => ("audience", one)),
            ("authorization_details", isLessDetail ? ReadOnly : ReadAndWrite),
            ("subject_token", WireSamples.Proof), ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"), ("scope", "files sql"),
        ]));
    }

    [Test]
    public async Task So_does_a_grant_by_assertion([Values] bool isFewerResources)
    {
        var issuer = new InMemoryIssuer(_ => InMemoryIssuer.Json(WireSamples.Answer()));
        using var channel = new HttpMessageInvoker(issuer);

        await ByAssertion().ExchangeAsync(Request(channel, isFewerResources ? [Returns] : null, null), default);

        string[] resources = isFewerResources ? [Returns] : [Orders, Returns];
        Assert.That(issuer.Requests.Single().Form, Is.EqualTo((IEnumerable<(string, string)>)[
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), .. resources.Select(one => ("resource", one)), ("assertion", WireSamples.Proof), ("scope", "files sql"),
        ]));
    }

    [TestCase(Orders, null)]
    [TestCase("renamed", null)]
    [TestCase("other", ErrorCodes.WrongAudience)]
    public async Task A_token_by_assertion_is_for_the_resources_that_were_asked_for(string audience, string? code)
    {
        using var channel = new HttpMessageInvoker(new InMemoryIssuer(_ => InMemoryIssuer.Json($$"""{"access_token":"{{WireSamples.Jwt($$"""{"aud":"{{audience}}"}""")}}","token_type":"Bearer"}""")));

        Issued<BearerToken> issued = await ByAssertion().ExchangeAsync(Request(channel, null, null), default);

        Assert.That(issued.Flaw?.Code, Is.EqualTo(code));
    }

    [Test]
    public async Task Without_resources_a_token_by_assertion_may_be_for_anybody()
    {
        using var channel = new HttpMessageInvoker(new InMemoryIssuer(_ => InMemoryIssuer.Json($$"""{"access_token":"{{WireSamples.Jwt("""{"aud":"other"}""")}}","token_type":"Bearer"}""")));
        TokenExchanger<BearerToken> exchanger = Targets.JwtBearer(InMemoryIssuer.Address, o =>
        {
            o.TokenEndpoint = InMemoryIssuer.TokenEndpoint;
            o.AcceptedAudiences.Add("renamed");
        });

        Assert.That((await exchanger.ExchangeAsync(Request(channel, null, null), default)).Flaw, Is.Null);
    }

    [TestCase("actor", "NHI4008", "The target names an actor; a grant by assertion has no place for one.", "Leave the actor out, or use Targets.Rfc8693.")]
    [TestCase("tenant", "NHI4016", "A tenant or the claims of a challenge were asked for; this issuer knows neither.", "Ask without tenant and claims, or use an exchanger that knows them.")]
    [TestCase("claims", "NHI4017", "A tenant or the claims of a challenge were asked for; this issuer knows neither.", "Ask without tenant and claims, or use an exchanger that knows them.")]
    public void What_a_grant_by_assertion_has_no_place_for_is_refused_and_nothing_sent(string what, string code, string detail, string hint)
    {
        var issuer = new InMemoryIssuer(_ => InMemoryIssuer.Json(WireSamples.Answer()));
        using var channel = new HttpMessageInvoker(issuer);
        ExchangeRequest plain = WireSamples.Request(channel);
        var asked = new ExchangeRequest
        {
            Target = plain.Target, Subject = plain.Subject, MaxLifetime = plain.MaxLifetime, Job = plain.Job, Backchannel = channel,
            Actor = what == "actor" ? new SubjectToken("actor", SubjectTokenType.Jwt) : null, Tenant = what == "tenant" ? "other" : null, Claims = what == "claims" ? "{}" : null,
        };

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await ByAssertion().ExchangeAsync(asked, default))!;

        Assert.That((refused.Code, refused.Stage, refused.Detail, refused.Hint), Is.EqualTo((code, ExchangeStage.Exchange, detail, hint)));
        Assert.That(issuer.Requests, Is.Empty);
    }

    [Test]
    public void The_proof_of_a_grant_by_assertion_is_for_the_issuer_unless_another_audience_is_named()
    {
        Assert.That(Targets.JwtBearer(InMemoryIssuer.Address).SubjectAudience.ToString(), Is.EqualTo("https://issuer.example"));
        Assert.That(Targets.JwtBearer(InMemoryIssuer.Address, o => o.SubjectAudience = "api://x").SubjectAudience.ToString(), Is.EqualTo("api://x"));
    }

    private static TokenExchanger<BearerToken> ByAssertion() => Targets.JwtBearer(InMemoryIssuer.Address, o =>
    {
        o.TokenEndpoint = InMemoryIssuer.TokenEndpoint;
        o.Resources.Add(new Uri(Orders));
        o.Resources.Add(new Uri(Returns));
        o.AcceptedAudiences.Add("renamed");
    });

    private static ExchangeRequest Request(HttpMessageInvoker channel, string[]? resources, string? details) => new()
    {
        Target = "warehouse", Subject = new SubjectToken(WireSamples.Proof, SubjectTokenType.IdToken), Scopes = ScopeSet.Of("sql", "files"), MaxLifetime = TimeSpan.FromHours(1),
        Job = new JobContext(), Backchannel = channel, Resources = resources, AuthorizationDetails = details,
    };
}
