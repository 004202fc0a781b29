namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What an issuer may answer when it refuses, and what is said of it.</summary>
internal sealed class IssuerRefusalTests
{
    [TestCase("invalid_grant", ErrorCodes.ProofRefused, "issuer, subject and audience")]
    [TestCase("invalid_request", ErrorCodes.ProofRefused, "resource, audience and actor")]
    [TestCase("invalid_target", ErrorCodes.IssuerRefused, "resource and audience")]
    [TestCase("invalid_scope", ErrorCodes.IssuerRefused, "scopes")]
    [TestCase("unauthorized_client", ErrorCodes.IssuerRefused, "Allow this client")]
    [TestCase("unsupported_grant_type", ErrorCodes.IssuerRefused, "does not do")]
    [TestCase("invalid_client", ErrorCodes.IssuerRefused, "client id")]
    [TestCase("invalid_authorization_details", ErrorCodes.IssuerRefused, "authorization details")]
    [TestCase("use_dpop_nonce", ErrorCodes.IssuerRefused, "DPoP")]
    [TestCase("something_new", ErrorCodes.IssuerRefused, "")]
    public async Task I1_An_OAuth_error_is_final_and_says_what_to_do(string error, string code, string hint)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json($$"""{"error":"{{error}}","error_description":"because","error_uri":"https://issuer.example/why"}""", 400, "x-ms-request-id: c-7"));
        TokenExchangeException failure = await FailureAsync(issuer);
        Assert.That(failure.Code, Is.EqualTo(code));
        Assert.That(failure.IsTransient, Is.False);
        Assert.That(failure.IssuerError, Is.EqualTo(error));
        Assert.That(failure.CorrelationId, Is.EqualTo("c-7"));
        Assert.That(failure.Hint, Does.Contain(hint).And.Contain("https://issuer.example/why"));
        Assert.That(failure.Message, Does.Contain("400").And.Contain("because"));
        Assert.That(issuer.Requests, Has.Count.EqualTo(1));
    }

    [TestCase(401)]
    [TestCase(403)]
    public async Task I2_A_bare_denial_is_final(int status)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(status));
        TokenExchangeException failure = await FailureAsync(issuer);
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerRefused));
        Assert.That(failure.IsTransient, Is.False);
        Assert.That(failure.IssuerError, Is.EqualTo("unknown"));
        Assert.That(issuer.Requests, Has.Count.EqualTo(1));
    }

    [TestCase(400, "temporarily_unavailable")]
    [TestCase(400, "server_error")]
    [TestCase(500, "internal")]
    public async Task What_may_pass_is_transient(int status, string error)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json($$"""{"error":"{{error}}"}""", status));
        TokenExchangeException failure = await FailureAsync(issuer);
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerUnreachable));
        Assert.That(failure.IsTransient);
    }

    [TestCase("{}")]
    [TestCase("""{"error":null}""")]
    [TestCase("""{"error":{}}""")]
    [TestCase("""{"error":""}""")]
    [TestCase("[1]")]
    [TestCase("")]
    public async Task B82_An_error_without_a_name_is_unknown(string body)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json(body, 400));
        Assert.That((await FailureAsync(issuer)).IssuerError, Is.EqualTo("unknown"));
    }

    [TestCase("""{"error_code":403,"message":"Invalid access"}""", "403", "Invalid access")]
    [TestCase("""{"error_code":"PERMISSION_DENIED","message":"no"}""", "PERMISSION_DENIED", "no")]
    public async Task A_gateways_error_is_read_also_with_a_number_for_a_code(string body, string code, string said)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json(body, 403));
        TokenExchangeException failure = await FailureAsync(issuer);
        Assert.That(failure.IssuerError, Is.EqualTo(code));
        Assert.That(failure.Message, Does.Contain(said));
    }

    [Test]
    public async Task B82_A_description_that_echoes_the_proof_or_a_token_is_redacted_and_cut()
    {
        string body = $$"""{"error":"invalid_grant","error_description":"bad assertion {{WireSamples.Proof}} and {{WireSamples.Proof[..28]}} and {{WireSamples.Token}}-0123456789 \u001b[31m{{new string('x', 39)}} {{string.Concat(Enumerable.Repeat("long ", 2000))}}"}""";
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json(body, 400));
        TokenExchangeException failure = await FailureAsync(issuer);
        WireSamples.AssertNoCanary(failure);
        Assert.That(failure.Message, Does.Contain("bad assertion [redacted] and [redacted] and [redacted]"));
        Assert.That(failure.Message.Any(char.IsControl), Is.False);
        Assert.That(failure.Message.Length, Is.LessThan(700));
    }

    [Test]
    public async Task A_description_that_echoes_a_short_opaque_proof_is_redacted_in_every_field()
    {
        string proof = $"{WireSamples.ProofCanary}/9+a==";
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json(
            $$"""{"error":"bad {{proof}}","error_description":"got '{{proof}}' or {{Uri.EscapeDataString(proof)}}","error_uri":"https://issuer.example/?token={{Uri.EscapeDataString(proof)}}"}""", 400, $"x-request-id: {proof}"));
        TokenExchanger<BearerToken> exchanger = Targets.JwtBearer(issuer.Uri, o => o.TokenEndpoint = new Uri(issuer.Uri, "/token"));
        using HttpMessageInvoker channel = WireSamples.Backchannel();
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => exchanger.ExchangeAsync(WireSamples.RequestWith(proof, channel), default).AsTask())!;
        WireSamples.AssertNoCanary(failure);
        Assert.That(failure.IssuerError, Is.EqualTo("bad [redacted]"));
        Assert.That(failure.Message, Does.Contain("got '[redacted]' or [redacted]").And.Contain("https://issuer.example/"));
    }

    [TestCase("invalid_grant", ErrorCodes.ProofRefused)]
    [TestCase("invalid_client", ErrorCodes.IssuerRefused)]
    public async Task An_error_with_status_200_is_a_refusal_and_is_not_asked_again(string error, string code)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json($$"""{"error":"{{error}}","error_description":"because"}"""));
        TokenExchangeException failure = await FailureAsync(issuer);
        Assert.That((failure.Code, failure.IssuerError, failure.IsTransient), Is.EqualTo((code, error, false)));
        Assert.That(failure.Message, Does.Contain($"answered 200 {error}: because"));
        Assert.That(issuer.Requests, Has.Count.EqualTo(1));
    }

    // The first try may have used the proof's jti up before its answer was lost.
    [TestCase(true)]
    [TestCase(false)]
    public async Task A_proof_that_is_refused_after_a_lost_answer_may_be_good_the_next_time(bool isLost)
    {
        ScriptedAnswer refusal = ScriptedAnswer.Json("""{"error":"invalid_grant"}""", 400);
        await using ScriptedIssuer issuer = isLost ? ScriptedIssuer.InOrder(ScriptedAnswer.Nothing, refusal) : new ScriptedIssuer(refusal);
        TokenExchangeException failure = await FailureAsync(issuer);
        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo((ErrorCodes.ProofRefused, isLost)));
    }

    [Test]
    public async Task And_after_an_answer_that_could_not_be_read_too()
    {
        await using ScriptedIssuer issuer = ScriptedIssuer.InOrder(ScriptedAnswer.Json("""{"access_tok"""), ScriptedAnswer.Json("""{"error":"invalid_grant"}""", 400));
        Assert.That((await FailureAsync(issuer)).IsTransient);
    }

    [Test]
    public async Task But_throttling_uses_no_proof_up()
    {
        await using ScriptedIssuer issuer = ScriptedIssuer.InOrder(ScriptedAnswer.Status(429), ScriptedAnswer.Json("""{"error":"invalid_grant"}""", 400));
        Assert.That((await FailureAsync(issuer)).IsTransient, Is.False);
    }

    [Test]
    public async Task B82_An_error_name_of_ten_kilobytes_is_cut()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json($$"""{"error":"{{string.Concat(Enumerable.Repeat("a b\\n", 2500))}}"}""", 400));
        TokenExchangeException failure = await FailureAsync(issuer);
        Assert.That(failure.IssuerError!.Length, Is.LessThan(70));
        Assert.That(failure.IssuerError, Does.Not.Contain("\n"));
    }

    [TestCase("Thu, 01 Jan 2026 03:00:00 GMT", "10800 s ahead of")]
    [TestCase("Wed, 31 Dec 2025 23:00:00 GMT", "3600 s behind")]
    [TestCase("Thu, 01 Jan 2026 00:00:30 GMT", null)]
    public async Task B89_A_difference_of_the_clocks_is_told(string date, string? told)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("""{"error":"invalid_grant"}""", 400, $"Date: {date}"));
        TokenExchangeException failure = await FailureAsync(issuer);
        Assert.That(failure.Hint, told is null ? Does.Not.Contain("clock is") : Does.Contain(told));
    }

    [Test]
    public void Throttling_of_a_foreign_back_channel_is_throttling()
    {
        using var channel = new HttpMessageInvoker(new ThrottledWire());
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(new Uri("https://issuer.example"), o => o.TokenEndpoint = new Uri("https://issuer.example/token"));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => exchanger.ExchangeAsync(WireSamples.Request(channel), default).AsTask())!;
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerThrottled));
        Assert.That(failure.RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(9)));
    }

    private static async Task<TokenExchangeException> FailureAsync(ScriptedIssuer issuer)
    {
        var time = new SkippingTime();
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(issuer.Uri, o => o.TokenEndpoint = new Uri(issuer.Uri, "/token"));
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        try
        {
            await exchanger.ExchangeAsync(WireSamples.Request(channel, time), default);
            throw new AssertionException("No failure.");
        }
        catch (TokenExchangeException failure)
        {
            WireSamples.AssertNoCanary(failure);
            return failure;
        }
    }

    private sealed class ThrottledWire : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = new HttpResponseMessage(System.Net.HttpStatusCode.TooManyRequests);
            response.Headers.TryAddWithoutValidation("Retry-After", "9");
            return Task.FromResult(response);
        }
    }
}
