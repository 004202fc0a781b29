namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What a permit or an answer is refused for, sentence by sentence, and where each bound lies.</summary>
internal sealed class RefusedAnswerTests
{
    private const string Hex = "0123456789abcdef0123456789abcdef";

    private static readonly DateTimeOffset Start = new ManualTimeProvider().GetUtcNow();

    private static IEnumerable<TestCaseData> Answers()
    {
        const string notHandedOut = "It is not handed out.";
        yield return Of("wider scopes", "NHI5001", $"Scopes 'read write' were asked for, 'admin read write' were granted. {notHandedOut}", "Let the issuer grant what is asked for, or ask for what it grants.",
            job => new Issued<BearerToken>(job.Issuer.NewToken()) { GrantedScopes = ScopeSet.Of("read", "write", "admin"), CorrelationId = "req-7" });
        yield return Of("a scope that may be a token", "NHI5001", $"Scopes 'read write' were asked for, '[redacted] read' were granted. {notHandedOut}", "Let the issuer grant what is asked for, or ask for what it grants.",
            job => new Issued<BearerToken>(job.Issuer.NewToken()) { GrantedScopes = ScopeSet.Of("read", Hex), CorrelationId = "req-7" });
        yield return Of("another audience", "NHI5005", $"The policy permits a credential for 'https://a.example/' alone, and this one is for 'https://c.example/' too. {notHandedOut}",
            "Let the issuer issue it for what is asked for; if it is another name of that, add it to the rule's resources.",
            job => new Issued<BearerToken>(job.Issuer.NewToken()) { Audiences = ["https://a.example/", "https://c.example/"], CorrelationId = "req-7" });
        yield return Of("too long a life", "NHI5008", $"Rule 'short' permits a life of 00:05:00 at most (refuseLongerLife), and the credential ends at {Start.AddSeconds(302):O}, in 00:05:02. {notHandedOut}",
            "Let the issuer give shorter lives to this client; or take refuseLongerLife out of the rule: then the hand-out alone is limited.",
            job => new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromSeconds(302))) { CorrelationId = "req-7" });
        yield return Of("no end", "NHI5008", $"Rule 'short' permits a life of 00:05:00 at most (refuseLongerLife), and the credential does not say when it ends. {notHandedOut}",
            "Let the issuer give shorter lives to this client; or take refuseLongerLife out of the rule: then the hand-out alone is limited.",
            job => new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromSeconds(60))) { EndIsAssumed = true, CorrelationId = "req-7" });
        yield return Of("dead when it comes", "NHI5003", $"The credential ends at {Start.AddSeconds(10):O} and is unusable from {Start:O} (margin 10 s); it is {Start:O} now.",
            "Compare the clocks of this machine and of the issuer; let the issuer give a longer life.",
            job => new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromSeconds(10))) { CorrelationId = "req-7" });

        static TestCaseData Of(string what, string code, string detail, string hint, Func<TestJob, Issued<BearerToken>> answer) => new TestCaseData(code, detail, hint, answer).SetArgDisplayNames(what);
    }

    [TestCaseSource(nameof(Answers))]
    public async Task An_answer_beyond_the_permit_is_refused_with_what_to_do_and_revoked(string code, string detail, string hint, object answer)
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Names = ["https://a.example/"]);
        job.Policy.Decide = _ => AccessDecision.Permit("short", maxLifetime: TimeSpan.FromMinutes(5), refuseLongerLife: true, resources: ["https://a.example/"]);
        job.Issuer.Answer = _ => ((Func<TestJob, Issued<BearerToken>>)answer)(job);

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;

        Assert.That((refused.Code, refused.Stage, refused.Original.Detail, refused.Hint), Is.EqualTo((code, ExchangeStage.Verify, detail, hint)));
        Assert.That((refused.CorrelationId, refused.IsTransient, refused.Target), Is.EqualTo(("req-7", code == "NHI5003", "warehouse")));
        Assert.That(job.Issuer.Revoked, Is.EqualTo(job.Issuer.Issued).And.Exactly(1).Items);
    }

    [TestCase(300)]
    [TestCase(301, Description = "issuers round up to whole seconds")]
    public async Task A_life_of_the_permitted_length_is_taken_and_a_second_more(int seconds)
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Life = TimeSpan.FromSeconds(seconds));
        job.Policy.Decide = _ => AccessDecision.Permit("short", maxLifetime: TimeSpan.FromMinutes(5), refuseLongerLife: true);

        Assert.That((await job.Warehouse.GetAsync()).ExpiresAt, Is.EqualTo(Start.AddSeconds(seconds)));
    }

    [TestCase("wider", "NHI3003", ExchangeStage.Authorize, "Rule 'wide' permits scopes 'admin read', which go beyond the 'read write' that were asked for.", "A policy narrows; correct the rule.", false)]
    [TestCase("empty", "NHI3003", ExchangeStage.Authorize, "Rule 'wide' permits scopes '', which go beyond the 'read write' that were asked for.", "A policy narrows; correct the rule.", false)]
    [TestCase("failing", "NHI3002", ExchangeStage.Authorize, "The policy could not decide (IOException); nothing is granted.", null, true)]
    [TestCase("null", "NHI3002", ExchangeStage.Authorize, "The policy could not decide (InvalidOperationException); nothing is granted.", null, true)]
    [TestCase("none", "NHI4008", ExchangeStage.Exchange, "The exchanger's UsableMargin is negative: it would hand out dead credentials.", null, false)]
    public async Task A_permit_that_is_none_is_told_before_the_issuer_is_asked(string permit, string code, ExchangeStage stage, string detail, string? hint, bool isTransient)
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Margin = TimeSpan.FromSeconds(permit == "none" ? -1 : 10));
        job.Policy.Decide = _ => permit switch
        {
            "wider" => AccessDecision.Permit("wide", ScopeSet.Of("read", "admin")),
            "empty" => AccessDecision.Permit("wide", ScopeSet.Empty),
            "failing" => throw new IOException("canary"),
            "null" => null!,
            _ => AccessDecision.Permit("all"),
        };

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;

        Assert.That((refused.Code, refused.Stage, refused.Original.Detail, refused.Hint, refused.IsTransient, refused.Target), Is.EqualTo((code, stage, detail, hint, isTransient, "warehouse")));
        Assert.That(refused.ToString(), Does.Not.Contain("canary"));
        Assert.That(job.Issuer.Requests, Is.Empty);
    }

    [TestCase(typeof(IOException), false)]
    [TestCase(typeof(TimeoutException), true)]
    [TestCase(typeof(OperationCanceledException), true)]
    [TestCase(null, false)]
    public async Task A_source_that_fails_or_gives_nothing_is_named(Type? failure, bool isTransient)
    {
        await using TestJob job = await TestJob.StartAsync(source: IdentitySources.From((_, _) => failure is null ? new ValueTask<SubjectToken>((SubjectToken)null!) : throw (Exception)Activator.CreateInstance(failure)!));

        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(async () => await job.Warehouse.GetAsync())!;

        string detail = failure is null ? "The source of identity 'job' gave null." : $"The source of identity 'job' failed with {failure.Name}.";
        Assert.That((refused.Code, refused.Original.Detail, refused.IsTransient, refused.Target), Is.EqualTo(("NHI2009", detail, isTransient, "warehouse")));
    }
}
