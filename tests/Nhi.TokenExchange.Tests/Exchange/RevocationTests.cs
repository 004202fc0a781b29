namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>RFC 7009.</summary>
internal sealed class RevocationTests
{
    [Test]
    public async Task The_token_goes_to_the_revocation_endpoint_with_the_clients_name()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(200));
        Assert.That(await RevokeAsync(issuer), Is.EqualTo(Revocation.Revoked));
        ReceivedRequest request = issuer.Requests.Single();
        Assert.That(request.Path, Is.EqualTo("/revoke"));
        Assert.That(request.Form, Is.EqualTo(new[] { ("token", WireSamples.Token), ("token_type_hint", "access_token"), ("client_id", "job-client") }));
    }

    [Test]
    public async Task An_issuer_that_can_not_revoke_this_kind_says_so()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("""{"error":"unsupported_token_type"}""", 400));
        Assert.That(await RevokeAsync(issuer), Is.EqualTo(Revocation.NotSupported));
    }

    // RFC 7009 §2.2 has nothing in a 200 that had to be read.
    [TestCase("""{"ok":true}""", "application/json", Revocation.Revoked)]
    [TestCase("revoked", "text/plain", Revocation.Revoked)]
    [TestCase("""{"error":"unsupported_token_type"}""", "application/json", Revocation.NotSupported)]
    public async Task A_success_is_one_unless_it_names_an_error(string body, string type, Revocation comes)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Text(body, type));

        Assert.That(await RevokeAsync(issuer), Is.EqualTo(comes));
    }

    [TestCase("<html>Sign in to the guest network</html>", "text/html", true, "That is a page and no answer; a proxy or a sign-in page may have answered. Whether the credential was ended is not known.")]
    [TestCase("<html>Sign in to the guest network</html>", "Text/HTML", true, "That is a page and no answer; a proxy or a sign-in page may have answered. Whether the credential was ended is not known.")]
    [TestCase("""{"error":"unknown"}""", "application/json", false, "The credential lives on until its end. Check that this client may revoke at the issuer.")]
    [TestCase("""{"error":"invalid_client"}""", "application/json", false, "The credential lives on until its end. Check that this client may revoke at the issuer.")]
    public async Task A_page_or_an_error_that_comes_as_a_success_is_no_end(string body, string type, bool isTransient, string hint)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Text(body, type));

        TokenExchangeException failed = Assert.ThrowsAsync<TokenExchangeException>(() => RevokeAsync(issuer))!;

        Assert.That((failed.Code, failed.IsTransient, failed.Hint), Is.EqualTo(("NHI4012", isTransient, hint)));
        Assert.That(failed.Message, Does.Not.Contain("Sign in"));
    }

    [Test]
    public async Task That_an_issuer_refuses_a_kind_is_known_until_it_revokes_one()
    {
        var time = new SkippingTime();
        bool refuses = true;
        await using var issuer = new ScriptedIssuer(_ => refuses ? ScriptedAnswer.Json("""{"error":"unsupported_token_type"}""", 400) : ScriptedAnswer.Status(200));
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        TokenExchanger<BearerToken> exchanger = ExchangerOf(issuer);

        await exchanger.RevokeAsync(WireSamples.Revocation(channel, time), default);
        Assert.That(exchanger.ReusableAfterJob.IsYes, Is.True);
        refuses = false;
        await exchanger.RevokeAsync(WireSamples.Revocation(channel, time), default);

        Assert.That(exchanger.ReusableAfterJob.IsYes, Is.False);
    }

    [Test]
    public async Task That_an_issuer_refuses_a_token_that_has_died_says_nothing_of_the_others()
    {
        var time = new ManualTimeProvider();
        await using var issuer = new ScriptedIssuer(request => request.Path == "/revoke" ? ScriptedAnswer.Json("""{"error":"unsupported_token_type"}""", 400)
            : ScriptedAnswer.Json("""{"access_token":"opaque-one","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer"}"""));
        TokenExchanger<BearerToken> exchanger = ExchangerOf(issuer);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload).Target("warehouse", exchanger, "job").Time(time).Jitter(() => 0).EndOnSignals(false));
        BearerToken token = await job.Provider<BearerToken>("warehouse").GetAsync();

        time.Advance(token.ExpiresAt - time.GetUtcNow() + TimeSpan.FromMinutes(1));
        await Eventually.HoldsAsync(() => issuer.Requests.Count(request => request.Path == "/revoke") == 1 && job.Leases.FlightsInTheAir == 0, "its revocation at the end that was assumed for it");

        Assert.That(exchanger.ReusableAfterJob.IsYes, Is.False);
    }

    [Test]
    public async Task A_token_past_its_end_is_gone_and_nobody_is_asked()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(200));
        Assert.That(await RevokeAsync(issuer, TimeSpan.Zero), Is.EqualTo(Revocation.AlreadyGone));
        Assert.That(issuer.Connections, Is.Zero);
    }

    [TestCase(503, ErrorCodes.IssuerUnreachable)]
    [TestCase(429, ErrorCodes.IssuerThrottled)]
    [TestCase(500, ErrorCodes.RevocationFailed)]
    public async Task An_issuer_that_is_busy_may_be_asked_again(int status, string code)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(status, "Retry-After: 60"));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => RevokeAsync(issuer))!;
        Assert.That(failure.IsTransient);
        Assert.That(failure.Code, Is.EqualTo(code));
        Assert.That(failure.RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(60)));
    }

    [Test]
    public async Task A_client_that_may_not_revoke_is_told_so_for_good()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("""{"error":"invalid_client"}""", 401));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => RevokeAsync(issuer))!;
        Assert.That(failure.IsTransient, Is.False);
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.RevocationFailed));
        Assert.That(failure.Stage, Is.EqualTo(ExchangeStage.Revoke));
        WireSamples.AssertNoCanary(failure);
    }

    [Test]
    public async Task Without_an_endpoint_or_without_the_token_nothing_can_be_revoked()
    {
        var time = new SkippingTime();
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        TokenExchanger<BearerToken> without = Targets.Rfc8693(new Uri("https://issuer.example"), o => o.TokenEndpoint = new Uri("https://issuer.example/token"));
        Assert.That(await without.RevokeAsync(WireSamples.Revocation(channel, time), default), Is.EqualTo(Revocation.NotSupported));
        var crashed = new RevocationRequest<BearerToken> { Target = "warehouse", Backchannel = channel, Time = time };
        Assert.That(await without.RevokeAsync(crashed, default), Is.EqualTo(Revocation.NotSupported));
    }

    [Test]
    public async Task The_report_says_where_nobody_told_how_to_revoke([Values] bool isDiscovered, [Values] bool isAssertionGrant)
    {
        string issuer = "";
        await using var server = new ScriptedIssuer(request =>
            ScriptedAnswer.Json(request.Path == "/token" ? WireSamples.Answer() : $$"""{"issuer":"{{issuer}}","token_endpoint":"{{issuer}}/token"}"""));
        issuer = server.Uri.OriginalString.TrimEnd('/');
        Uri? tokenEndpoint = isDiscovered ? null : new Uri($"{issuer}/token");
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((asked, _) => new(new SubjectToken(WireSamples.ProofFor(asked.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("warehouse", isAssertionGrant ? Targets.JwtBearer(new Uri(issuer), o => o.TokenEndpoint = tokenEndpoint) : Targets.Rfc8693(new Uri(issuer), o => o.TokenEndpoint = tokenEndpoint), "job")
            .EndOnSignals(false));
        await job.Provider<BearerToken>("warehouse").GetAsync();

        LeaseOutcome lease = (await job.CompleteAsync()).Leases.Single();

        Assert.That((lease.End, lease.Reason), Is.EqualTo((LeaseEnd.CannotBeRevoked, isDiscovered ? "this issuer ends nothing before its time" : "no RevocationEndpoint is set beside TokenEndpoint")));
    }

    private static async Task<Revocation> RevokeAsync(ScriptedIssuer issuer, TimeSpan? life = null)
    {
        var time = new SkippingTime();
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        return await ExchangerOf(issuer).RevokeAsync(WireSamples.Revocation(channel, time, life), default);
    }

    private static TokenExchanger<BearerToken> ExchangerOf(ScriptedIssuer issuer) => Targets.Rfc8693(issuer.Uri, o =>
    {
        (o.TokenEndpoint, o.RevocationEndpoint) = (new Uri(issuer.Uri, "/token"), new Uri(issuer.Uri, "/revoke"));
        o.Client.Id = "job-client";
    });
}
