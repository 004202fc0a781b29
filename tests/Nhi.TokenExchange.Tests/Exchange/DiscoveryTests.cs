namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>RFC 8414 and OpenID Connect Discovery.</summary>
internal sealed class DiscoveryTests
{
    [TestCase("", "/.well-known/oauth-authorization-server")]
    [TestCase("/", "/.well-known/oauth-authorization-server")]
    [TestCase("/tenant/a", "/.well-known/oauth-authorization-server/tenant/a")]
    public async Task The_well_known_part_is_inserted(string path, string asked)
    {
        await using ScriptedIssuer server = Server(path);
        await ExchangeAsync(server, path);
        Assert.That(server.Requests.Select(request => request.Path), Is.EqualTo(new[] { asked, "/token" }));
    }

    [Test]
    public async Task Where_that_is_not_found_the_other_place_is_asked()
    {
        await using ScriptedIssuer server = Server("/tenant", place: "/tenant/.well-known/openid-configuration");
        await ExchangeAsync(server, "/tenant");
        Assert.That(server.Requests.Select(request => request.Path), Is.EqualTo(new[] { "/.well-known/oauth-authorization-server/tenant", "/tenant/.well-known/openid-configuration", "/token" }));
    }

    [Test]
    public async Task A_redirect_at_the_first_place_is_not_followed_and_the_other_place_is_asked()
    {
        await using ScriptedIssuer server = Server("/tenant", place: "/tenant/.well-known/openid-configuration", elsewhere: ScriptedAnswer.Status(302, "Location: https://elsewhere.example/"));
        await ExchangeAsync(server, "/tenant");
        Assert.That(server.Requests.Select(request => request.Path), Is.EqualTo(new[] { "/.well-known/oauth-authorization-server/tenant", "/tenant/.well-known/openid-configuration", "/token" }));
    }

    [Test]
    public async Task Redirects_at_both_places_are_told()
    {
        await using var server = new ScriptedIssuer(ScriptedAnswer.Status(302, "Location: https://elsewhere.example/"));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(server, ""))!;
        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo((ErrorCodes.DiscoveryFailed, false)));
        Assert.That(failure.Message, Does.Contain("oauth-authorization-server: a redirect").And.Contain("openid-configuration: a redirect"));
        Assert.That(server.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_document_is_kept_for_an_hour_and_shared_by_all_who_ask_at_once()
    {
        var time = new ManualTimeProvider();
        await using ScriptedIssuer server = Server("");
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(new Uri(server.Uri.AbsoluteUri.TrimEnd('/')));
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => exchanger.ExchangeAsync(WireSamples.Request(channel, time), default).AsTask()));
        Assert.That(Documents(), Is.EqualTo(1));
        time.Advance(TimeSpan.FromMinutes(59));
        await exchanger.ExchangeAsync(WireSamples.Request(channel, time), default);
        Assert.That(Documents(), Is.EqualTo(1));
        time.Advance(TimeSpan.FromMinutes(1));
        await exchanger.ExchangeAsync(WireSamples.Request(channel, time), default);
        Assert.That(Documents(), Is.EqualTo(2));

        int Documents() => server.Requests.Count(request => request.Method == "GET");
    }

    [Test]
    public async Task The_revocation_endpoint_is_found_there_too()
    {
        var time = new SkippingTime();
        await using ScriptedIssuer server = Server("");
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        TokenExchanger<BearerToken> exchanger = Targets.JwtBearer(new Uri(server.Uri.AbsoluteUri.TrimEnd('/')));
        Assert.That(await exchanger.RevokeAsync(WireSamples.Revocation(channel, time), default), Is.EqualTo(Revocation.Revoked));
        Assert.That(server.Requests[^1].Path, Is.EqualTo("/revoke"));
    }

    [TestCase("ISSUER/", "TOKEN", "'issuer' is")]
    [TestCase("https://other.example", "TOKEN", "other.example")]
    [TestCase("", "TOKEN", "'issuer' is ''")]
    [TestCase("ISSUER", "", "without 'token_endpoint'")]
    [TestCase("ISSUER", "/token", "'token_endpoint'")]
    [TestCase("ISSUER", "file:///etc/passwd", "'token_endpoint'")]
    [TestCase("ISSUER", "http://issuer.example/token", "not https")]
    [TestCase("ISSUER", "https://169.254.169.254/token", "another host")]
    [TestCase("ISSUER", "https://other.example/token", "another host, other.example")]
    [TestCase("ISSUER", "http://localhost:1/token", "another host")]
    [TestCase("ISSUER", "https://\u200d.example/token", "a host that is no name")]
    public async Task B88_A_document_that_can_not_be_believed_is_refused_by_field(string issuer, string token, string told)
    {
        await using var server = new ScriptedIssuer(_ => ScriptedAnswer.Nothing);
        string self = server.Uri.AbsoluteUri.TrimEnd('/');
        server.Respond = _ => ScriptedAnswer.Json($$"""{"issuer":"{{issuer.Replace("ISSUER", self, StringComparison.Ordinal)}}","token_endpoint":"{{token.Replace("TOKEN", self + "/token", StringComparison.Ordinal)}}"}""");
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(server, ""))!;
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.DiscoveryFailed));
        Assert.That(failure.Message, Does.Contain(told));
        Assert.That(failure.IsTransient, Is.False);
        Assert.That(server.Requests.Select(request => request.Method), Is.All.EqualTo("GET"));
    }

    [Test]
    public async Task Without_any_document_both_places_are_named_and_the_failure_is_not_remembered()
    {
        await using var server = new ScriptedIssuer(ScriptedAnswer.Status(404));
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(server.Uri);
        using HttpMessageInvoker channel = WireSamples.Backchannel();
        for (int i = 1; i <= 2; i++)
        {
            TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => exchanger.ExchangeAsync(WireSamples.Request(channel), default).AsTask())!;
            Assert.That(failure.Message, Does.Contain("oauth-authorization-server: 404").And.Contain("openid-configuration: 404").And.Contain("TokenEndpoint"));
            Assert.That(server.Requests, Has.Count.EqualTo(2 * i));
        }
    }

    private static ScriptedIssuer Server(string path, string? place = null, ScriptedAnswer? elsewhere = null)
    {
        ScriptedIssuer? server = null;
        server = new ScriptedIssuer(request => request switch
        {
            { Method: "GET" } when place is null || place == request.Path => ScriptedAnswer.Json(
                $$"""{"issuer":"{{Base()}}{{path}}","token_endpoint":"{{Base()}}/token","revocation_endpoint":"{{Base()}}/revoke","grant_types_supported":["client_credentials"]}"""),
            { Method: "GET" } => elsewhere ?? ScriptedAnswer.Status(404),
            { Path: "/revoke" } => ScriptedAnswer.Status(200),
            _ => ScriptedAnswer.Json(WireSamples.Answer()),
        });
        return server;

        string Base() => server!.Uri.AbsoluteUri.TrimEnd('/');
    }

    private static async Task ExchangeAsync(ScriptedIssuer server, string path)
    {
        var time = new SkippingTime();
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        Issued<BearerToken> issued = await Targets.Rfc8693(new Uri(server.Uri.AbsoluteUri.TrimEnd('/') + path)).ExchangeAsync(WireSamples.Request(channel, time), default);
        Assert.That(issued.Flaw, Is.Null);
    }
}
