namespace Nhi.TokenExchange.Tests.Exchange.OAuth;

/// <summary>What is made of an issuer's metadata, word for word (RFC 8414, OpenID Connect Discovery).</summary>
internal sealed class MetadataTests
{
    private const string Issuer = "https://issuer.example/tenant";
    private const string First = "/.well-known/oauth-authorization-server/tenant";
    private const string Second = "/tenant/.well-known/openid-configuration";
    private const string CheckTheUri = "Check the issuer's URI, or set TokenEndpoint and, if it revokes, RevocationEndpoint.";

    [Test]
    public async Task It_is_asked_for_as_JSON_and_says_where_to_send_what()
    {
        var issuer = new InMemoryIssuer(request => request.Method == "GET" ? InMemoryIssuer.Json(Document("https://issuer.example/token")) : InMemoryIssuer.Json(WireSamples.Answer()));
        using var channel = new HttpMessageInvoker(issuer);
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(new Uri(Issuer));

        bool learnsBefore = exchanger.LearnsMore;
        await exchanger.ExchangeAsync(WireSamples.Request(channel, new ManualTimeProvider()), default);

        Assert.That(issuer.Requests.Select(request => (request.Method, request.Path, request.Headers.GetValueOrDefault("Accept"))), Is.EqualTo(new[] { ("GET", First, "application/json"), ("POST", "/token", "application/json") }));
        Assert.That((learnsBefore, exchanger.LearnsMore), Is.EqualTo((true, false)));
    }

    // At the first place, then at the second.
    [TestCase(404, 404, "404", "404", false)]
    [TestCase(500, 404, "500", "404", true)]
    [TestCase(404, 500, "404", "500", true)]
    [TestCase(500, 500, "500", "500", true)]
    [TestCase(499, 404, "499", "404", false)]
    [TestCase(200, 404, "200, not JSON", "404", false)]
    [TestCase(200, 200, "200, not JSON", "200, not JSON", false)]
    public void Without_it_both_places_are_told(int atFirst, int atSecond, string saidFirst, string saidSecond, bool isTransient)
    {
        TokenExchangeException failure = Failure(Issuer, request =>
        {
            int status = request.Path == First ? atFirst : atSecond;
            return status == 200 ? InMemoryIssuer.Text("<html/>", "text/html") : InMemoryIssuer.Json("{}", status);
        });

        Assert.That((failure.Code, failure.Detail, failure.Hint, failure.IsTransient), Is.EqualTo((
            ErrorCodes.DiscoveryFailed, $"The issuer on host issuer.example has no metadata document ({First}: {saidFirst}; {Second}: {saidSecond}).", CheckTheUri, isTransient)));
    }

    private static IEnumerable<TestCaseData> Unbelievable()
    {
        yield return Of("no JSON", "{", $"a metadata document at {First} that is not well-formed JSON, or is nested too deep", CheckTheUri, isTransient: true);
        yield return Of("another member than a text", """{"issuer":7}""", $"a metadata document at {First} that has 'issuer' that is no string", CheckTheUri, isTransient: true);
        yield return Of("another's", """{"issuer":"https://other.example"}""", "a metadata document whose 'issuer' is 'https://other.example'", $"Configure the issuer exactly as it names itself; '{Issuer}' was configured.");
        yield return Of("no endpoint", $$"""{"issuer":"{{Issuer}}"}""", "a metadata document without 'token_endpoint'", "Set TokenEndpoint and, if it revokes, RevocationEndpoint.");
        yield return Of("an endpoint that may not be asked", Document("http://issuer.example/token"), "a metadata document whose 'token_endpoint' is not https", "Set TokenEndpoint to the https URI.");
        yield return Of("another that may not be", Document("https://issuer.example/token", "http://issuer.example/revoke"), "a metadata document whose 'revocation_endpoint' is not https", "Set TokenEndpoint and RevocationEndpoint to the https URI.");
        yield return Of("an endpoint elsewhere", Document("https://other.example/token"), "a metadata document whose 'token_endpoint' is on another host, other.example", "If that is right, set TokenEndpoint and, if it revokes, RevocationEndpoint.");
        yield return Of("another elsewhere", Document("https://issuer.example/token", "https://other.example/revoke"), "a metadata document whose 'revocation_endpoint' is on another host, other.example", "If that is right, set TokenEndpoint and RevocationEndpoint.");

        static TestCaseData Of(string what, string document, string said, string hint, bool isTransient = false) => new TestCaseData(document, said, hint, isTransient).SetArgDisplayNames(what);
    }

    [TestCaseSource(nameof(Unbelievable))]
    public void What_can_not_be_believed_is_told_by_field(string document, string said, string hint, bool isTransient)
    {
        TokenExchangeException failure = Failure(Issuer, _ => InMemoryIssuer.Json(document));

        Assert.That((failure.Code, failure.Stage, failure.Detail, failure.Hint, failure.IsTransient), Is.EqualTo((
            ErrorCodes.DiscoveryFailed, ExchangeStage.Exchange, $"The issuer on host issuer.example has {said}.", hint, isTransient)));
    }

    [Test]
    public void An_issuer_with_TLS_sends_nobody_to_an_endpoint_without()
    {
        TokenExchangeException failure = Failure("https://localhost", _ => InMemoryIssuer.Json("""{"issuer":"https://localhost","token_endpoint":"http://localhost/token"}"""));

        Assert.That(failure.Detail, Is.EqualTo("The issuer on host localhost has a metadata document whose 'token_endpoint' is on another host, localhost."));
    }

    private static string Document(string token, string? revocation = null) =>
        $$"""{"issuer":"{{Issuer}}","token_endpoint":"{{token}}"{{(revocation is null ? "" : $",\"revocation_endpoint\":\"{revocation}\"")}}}""";

    private static TokenExchangeException Failure(string issuer, Func<ReceivedRequest, HttpResponseMessage> answer)
    {
        using var channel = new HttpMessageInvoker(new InMemoryIssuer(answer));
        return Assert.ThrowsAsync<TokenExchangeException>(async () => await Targets.Rfc8693(new Uri(issuer)).ExchangeAsync(WireSamples.Request(channel, new ManualTimeProvider()), default))!;
    }
}
