namespace Nhi.TokenExchange.Tests.Exchange.OAuth;

/// <summary>What is made of each refusal of a token endpoint, word for word.</summary>
internal sealed class RefusalWordsTests
{
    private const string Denied = "The issuer, or a gateway before it, denies this client or this network.";
    private const string NotFound = "Check the URI of the endpoint.";
    private const string Scope = "Ask for scopes that the issuer knows and grants to this identity.";

    private static readonly (string, string)[] s_wait = [("Retry-After", "7")];

    /// <summary>An answer, and the error that it becomes.</summary>
    internal sealed record Refusal(int Status, string Body, string Code, string Error, string Said, string? Hint)
    {
        public string Type { get; init; } = "application/json";

        public (string, string)[] Headers { get; init; } = [];

        public bool IsTransient { get; init; }

        public int? RetryAfter { get; init; }

        public string? CorrelationId { get; init; }
    }

    private static IEnumerable<TestCaseData> Refusals()
    {
        yield return Of("invalid_grant", ErrorCodes.ProofRefused, "The issuer refused the proof. Compare its issuer, subject and audience with what the issuer trusts, and the clocks.");
        yield return Of("invalid_request", ErrorCodes.ProofRefused, "The issuer refused the proof or a parameter. Compare the proof's issuer, subject and audience with what the issuer trusts; check which of resource, audience and actor it takes.");
        yield return Of("invalid_client", ErrorCodes.IssuerRefused, "The issuer does not know the client, or refused how it authenticated. Check the client id, and that its key or its federated identity is registered; some issuers take a signed assertion only with Client.AssertionType 'client-authentication+jwt'.");
        yield return Of("unauthorized_client", ErrorCodes.IssuerRefused, "Allow this client the token exchange (or the assertion grant) at the issuer.");
        yield return Of("unsupported_grant_type", ErrorCodes.IssuerRefused, "This issuer does not do this kind of exchange, or has it switched off.");
        yield return Of("invalid_scope", ErrorCodes.IssuerRefused, Scope);
        yield return Of("invalid_target", ErrorCodes.IssuerRefused, "Check resource and audience: the issuer does not know them, or does not let this identity reach them.");
        yield return Of("invalid_authorization_details", ErrorCodes.IssuerRefused, "Check the authorization details against what the issuer supports.");
        yield return Of("use_dpop_nonce", ErrorCodes.IssuerRefused, "The issuer demands sender-constrained tokens (DPoP), which this exchanger does not do.");
        yield return Of("invalid_dpop_proof", ErrorCodes.IssuerRefused, "The issuer demands sender-constrained tokens (DPoP), which this exchanger does not do.");
        yield return Of("something_new", ErrorCodes.IssuerRefused, null);

        yield return Case("401, and no word", new(401, "", ErrorCodes.IssuerRefused, "unknown", "401 unknown", Denied));
        yield return Case("403, and no word", new(403, "", ErrorCodes.IssuerRefused, "unknown", "403 unknown", Denied));
        yield return Case("404", new(404, """{"error":"invalid_scope","error_uri":"https://issuer.example/why"}""", ErrorCodes.IssuerRefused, "invalid_scope", "404 invalid_scope", $"{NotFound} See https://issuer.example/why."));
        yield return Case("499", new(499, "{}", ErrorCodes.IssuerRefused, "unknown", "499 unknown", null) { Headers = s_wait });
        yield return Case("an error in another kind of body", new(400, """{"error":"invalid_scope","error_description":"no"}""", ErrorCodes.IssuerRefused, "unknown", "400 unknown", null) { Type = "text/plain" });
        yield return Case("but with status 200", new(200, """{"error":"invalid_scope","error_description":"no"}""", ErrorCodes.IssuerRefused, "invalid_scope", "200 invalid_scope: no", Scope) { Type = "text/plain" });

        yield return Case("429", new(429, "{}", ErrorCodes.IssuerThrottled, "unknown", "429 unknown", null) { Headers = s_wait, IsTransient = true, RetryAfter = 7 });
        yield return Case("429 without a time", new(429, "{}", ErrorCodes.IssuerThrottled, "unknown", "429 unknown", null) { IsTransient = true });
        yield return Case("408", new(408, "{}", ErrorCodes.IssuerUnreachable, "unknown", "408 unknown", null) { Headers = s_wait, IsTransient = true, RetryAfter = 7 });
        yield return Case("500", new(500, "{}", ErrorCodes.IssuerUnreachable, "unknown", "500 unknown", null) { Headers = s_wait, IsTransient = true, RetryAfter = 7 });
        yield return Case("temporarily_unavailable", new(400, """{"error":"temporarily_unavailable"}""", ErrorCodes.IssuerUnreachable, "temporarily_unavailable", "400 temporarily_unavailable", null) { Headers = s_wait, IsTransient = true, RetryAfter = 7 });
        yield return Case("server_error", new(400, """{"error":"server_error"}""", ErrorCodes.IssuerUnreachable, "server_error", "400 server_error", null) { Headers = s_wait, IsTransient = true, RetryAfter = 7 });
        yield return Case("a time to wait beside what is final", new(400, """{"error":"invalid_scope"}""", ErrorCodes.IssuerRefused, "invalid_scope", "400 invalid_scope", Scope) { Headers = s_wait });

        const string both = """{"error":"invalid_scope","error_code":"E7","error_description":"first","message":"second","error_uri":"https://issuer.example/why","correlation_id":"c-body"}""";
        yield return Case("two names for each", new(400, both, ErrorCodes.IssuerRefused, "invalid_scope", "400 invalid_scope: first", $"{Scope} See https://issuer.example/why.") { CorrelationId = "c-body" });
        yield return Case("a header's name of the request", new(400, both, ErrorCodes.IssuerRefused, "invalid_scope", "400 invalid_scope: first", $"{Scope} See https://issuer.example/why.") { Headers = [("x-request-id", "c-head")], CorrelationId = "c-head" });
        yield return Case("a gateway's words", new(400, """{"error_code":"E7","message":"second"}""", ErrorCodes.IssuerRefused, "E7", "400 E7: second", null));
        yield return Case("an identity provider's words", new(400, """{"errorCode":"E7","errorSummary":"second"}""", ErrorCodes.IssuerRefused, "E7", "400 E7: second", null));
        yield return Case("the status once more", new(400, """{"error_code":400,"message":"no"}""", ErrorCodes.IssuerRefused, "400", "400: no", null));
        yield return Case("Google's object", new(400, """{"error":{"code":400,"message":"no","status":"FAILED_PRECONDITION"}}""", ErrorCodes.IssuerRefused, "FAILED_PRECONDITION", "400 FAILED_PRECONDITION: no", null));
        yield return Case("no name at all", new(400, "{}", ErrorCodes.IssuerRefused, "unknown", "400 unknown", null));
        yield return Case("an empty name", new(400, """{"error":"","error_description":""}""", ErrorCodes.IssuerRefused, "unknown", "400 unknown", null));

        static TestCaseData Of(string error, string code, string? hint) => Case(error, new(400, $$"""{"error":"{{error}}"}""", code, error, $"400 {error}", hint));

        static TestCaseData Case(string what, Refusal refusal) => new TestCaseData(refusal).SetArgDisplayNames(what);
    }

    [TestCaseSource(nameof(Refusals))]
    public async Task A_refusal_says_what_the_issuer_said_and_what_to_do(Refusal refusal)
    {
        TokenExchangeException failure = await FailureAsync(_ => InMemoryIssuer.Text(refusal.Body, refusal.Type, refusal.Status, refusal.Headers));

        using (Assert.EnterMultipleScope())
        {
            Assert.That((failure.Code, failure.Stage, failure.IssuerError), Is.EqualTo((refusal.Code, ExchangeStage.Exchange, refusal.Error)));
            Assert.That(failure.Detail, Is.EqualTo($"Host issuer.example answered {refusal.Said}"));
            Assert.That(failure.Hint, Is.EqualTo(refusal.Hint));
            Assert.That((failure.IsTransient, failure.RetryAfter?.TotalSeconds, failure.CorrelationId), Is.EqualTo((refusal.IsTransient, (double?)refusal.RetryAfter, refusal.CorrelationId)));
        }
    }

    [TestCase(59, null)]
    [TestCase(60, "The issuer's clock is 60 s ahead of this machine's.")]
    [TestCase(-59, null)]
    [TestCase(-60, "The issuer's clock is 60 s behind this machine's.")]
    public async Task A_difference_of_the_clocks_is_told_from_a_minute_on(int seconds, string? hint)
    {
        DateTimeOffset theirs = new ManualTimeProvider().GetUtcNow().AddSeconds(seconds);

        TokenExchangeException failure = await FailureAsync(_ => InMemoryIssuer.Json("{}", 400, ("Date", theirs.ToString("R", System.Globalization.CultureInfo.InvariantCulture))));

        Assert.That(failure.Hint, Is.EqualTo(hint));
    }

    [Test]
    public async Task What_was_sent_is_taken_out_of_what_comes_back()
    {
        string assertion = WireSamples.Jwt("""{"iss":"https://ci.example","sub":"repo","aud":"https://issuer.example","exp":1767229200}""");
        IWorkloadIdentitySource source = IdentitySources.From((_, _) => new(new SubjectToken(assertion, SubjectTokenType.Jwt)));
        string echoed = $$"""{"error":"invalid_grant","error_description":"bad subject-secret/1 or actor-secret/2 or {{assertion[^12..]}}"}""";

        TokenExchangeException failure = await FailureAsync(_ => InMemoryIssuer.Json(echoed, 400), o => (o.Client.Id, o.Client.Source) = ("job-client", source));

        Assert.That(failure.Detail, Is.EqualTo("Host issuer.example answered 400 invalid_grant: bad [redacted] or [redacted] or [redacted]"));
    }

    [Test]
    public void And_so_is_an_assertion_that_is_the_grant_and_a_token_that_is_revoked()
    {
        using var channel = new HttpMessageInvoker(new InMemoryIssuer(_ => InMemoryIssuer.Json("""{"error":"invalid_grant","error_description":"bad subject-secret/1 or token-secret/3"}""", 400)));
        var time = new ManualTimeProvider();
        TokenExchanger<BearerToken> exchanger = Targets.JwtBearer(InMemoryIssuer.Address, o => (o.TokenEndpoint, o.RevocationEndpoint) = (InMemoryIssuer.TokenEndpoint, InMemoryIssuer.RevocationEndpoint));
        var revocation = new RevocationRequest<BearerToken> { Target = "warehouse", Credential = new BearerToken("token-secret/3", time.GetUtcNow().AddHours(1)), Backchannel = channel, Time = time };

        TokenExchangeException exchanged = Assert.ThrowsAsync<TokenExchangeException>(async () => await exchanger.ExchangeAsync(WireSamples.RequestWith("subject-secret/1", channel, time), default))!;
        TokenExchangeException revoked = Assert.ThrowsAsync<TokenExchangeException>(async () => await exchanger.RevokeAsync(revocation, default))!;

        Assert.That(exchanged.Detail, Does.EndWith(": bad [redacted] or token-secret/3"), "nobody sent the token here");
        Assert.That(revoked.Detail, Does.EndWith(": bad subject-secret/1 or [redacted]"));
    }

    private static async Task<TokenExchangeException> FailureAsync(Func<ReceivedRequest, HttpResponseMessage> answer, Action<Rfc8693Options>? configure = null)
    {
        using var channel = new HttpMessageInvoker(new InMemoryIssuer(answer));
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(InMemoryIssuer.Address, o =>
        {
            o.TokenEndpoint = InMemoryIssuer.TokenEndpoint;
            configure?.Invoke(o);
        });
        ExchangeRequest request = WireSamples.RequestWith("subject-secret/1", channel, new ManualTimeProvider(), new SubjectToken("actor-secret/2", SubjectTokenType.AccessToken));
        try
        {
            await exchanger.ExchangeAsync(request, default);
        }
        catch (TokenExchangeException failure)
        {
            return failure;
        }
        throw new AssertionException("It was not refused.");
    }
}
