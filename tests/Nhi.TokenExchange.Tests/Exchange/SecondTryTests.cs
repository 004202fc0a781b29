namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>When a flight asks its issuer once more, and which of the two answers is told.</summary>
internal sealed class SecondTryTests
{
    private readonly ManualTimeProvider _time = new();

    [TestCase("is denied", "NHI3001", null)]
    [TestCase("is dead, too", "NHI5003", "second")]
    [TestCase("is throttled", "NHI5003", "first")]
    [TestCase("is cut off by the job's end", "NHI7001", null)]
    public async Task After_a_credential_that_came_dead_the_dead_one_is_told_of_unless_the_second_try_says_more(string second, string code, string? correlation)
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ =>
        {
            bool isFirst = job.Issuer.Requests.Count == 1;
            if (isFirst && second == "is denied")
                job.Policy.Decide = _ => AccessDecision.Deny("closed", "not today");
            if (!isFirst && second == "is throttled")
                throw new TokenExchangeException("NHI4003", ExchangeStage.Exchange, "The issuer is busy.") { CorrelationId = "second" };
            if (!isFirst && second == "is cut off by the job's end")
                throw new TokenExchangeException("NHI7001", ExchangeStage.JobEnded, "The job has ended.");
            return new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromSeconds(-5))) { CorrelationId = isFirst ? "first" : "second" };
        };

        TokenExchangeException error = Assert.CatchAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;

        Assert.That((error.Code, error.CorrelationId), Is.EqualTo((code, correlation)));
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(second == "is denied" ? 1 : 2));
    }

    // That it was refused as an invalid request: HopTests.
    [TestCase(null, 2)]
    [TestCase("NHI4003", 1)]
    public async Task Where_the_hop_ended_on_the_way_its_successor_is_tried_for_what_came_dead_or_was_refused_alone(string? refusal, int tries)
    {
        var first = new TestExchanger(_time) { Life = TimeSpan.FromSeconds(30) };
        var second = new TestExchanger(_time);
        second.Answer = _ =>
        {
            if (second.Requests.Count > 1)
                return new Issued<BearerToken>(second.NewToken());
            _time.Advance(TimeSpan.FromSeconds(25));
            return refusal is null ? new Issued<BearerToken>(second.NewToken()) : throw new TokenExchangeException(refusal, ExchangeStage.Exchange, "It says no.") { IssuerError = "invalid_request" };
        };
        await using JobSession session = await StartChainAsync(first, second);
        ValueTask<BearerToken> Get() => session.Provider<BearerToken>("archive").GetAsync();

        if (tries == 2)
            Assert.That(await Get(), Is.SameAs(second.Issued.Last()));
        else
            Assert.That(async () => await Get(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo(refusal));
        Assert.That((second.Requests.Count, first.Requests.Count), Is.EqualTo((tries, tries)));
    }

    [TestCase(false, "NHI4011", "archive", "invalid_grant")]
    [TestCase(true, "NHI4002", "account", null)]
    public async Task Where_the_next_issuer_refuses_one_hop_after_the_other_that_is_told_unless_the_first_issuer_is_away(bool isAway, string code, string target, string? issuerError)
    {
        var first = new TestExchanger(_time);
        var second = new TestExchanger(_time);
        second.Answer = _ =>
        {
            // A proof refused twice: the slot of the hop waits before it gives a third.
            if (isAway && second.Requests.Count == 1)
                first.Answer = _ => throw new TokenExchangeException("NHI4002", ExchangeStage.Exchange, "The issuer is away.") { IsTransient = true };
            throw new TokenExchangeException("NHI4011", ExchangeStage.Exchange, "no trust lists it") { IssuerError = "invalid_grant" };
        };
        await using JobSession session = await StartChainAsync(first, second);
        TokenExchangeException error = Fails();
        if (!isAway)
        {
            Assert.That((error.Code, second.Requests.Count, first.Requests.Count), Is.EqualTo(("NHI4011", 2, 2)));
            _time.Advance(TimeSpan.FromSeconds(1));
            error = Fails();
        }

        Assert.That((error.Code, error.Target, error.IssuerError), Is.EqualTo((code, target, issuerError)));
        Assert.That((second.Requests.Count, first.Requests.Count), Is.EqualTo(isAway ? (1, 2) : (3, 2)));

        TokenExchangeException Fails() => Assert.ThrowsAsync<TokenExchangeException>(async () => await session.Provider<BearerToken>("archive").GetAsync())!;
    }

    [Test]
    public async Task A_renewal_of_what_was_ended_meanwhile_is_no_credential_and_is_followed_by_an_exchange_for_another()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken held = await job.Warehouse.GetAsync();
        job.Issuer.Answer = asked => asked.Held is null
            ? new Issued<BearerToken>(job.Issuer.NewToken())
            : new Issued<BearerToken>(new BearerToken(held.Reveal(), job.Time.GetUtcNow().AddHours(1))) { IsRenewal = true };
        job.Issuer.Gate = new Gate();
        job.Time.Advance(TimeSpan.FromMinutes(45));
        await job.Warehouse.GetAsync();
        await job.Issuer.Gate.Reached;
        await job.Session.RevokeCredentialAsync(held, "it leaked");

        job.Issuer.Gate.Open();
        await job.QuietAsync();

        Assert.That(job.Audit.Kinds, Does.Not.Contain(AuditEventKind.Renewed));
        Assert.That(job.Issuer.Requests.Select(request => request.Held is not null), Is.EqualTo(new[] { false, true, false }));
        Assert.That(job.Warehouse.TryGet(out _), Is.False);
    }

    // The end was of use when the issuer was asked, and its answer was slow.
    [TestCase(-1, 2)]
    [TestCase(60, 1)]
    public async Task A_renewal_that_has_too_little_life_left_is_followed_by_an_exchange_for_another(int secondsBeyondTheMargin, int exchanges)
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken held = await job.Warehouse.GetAsync();
        job.Issuer.Answer = asked => asked.Held is null
            ? new Issued<BearerToken>(job.Issuer.NewToken())
            : new Issued<BearerToken>(new BearerToken(held.Reveal(), job.Time.GetUtcNow() + job.Issuer.UsableMargin + TimeSpan.FromSeconds(secondsBeyondTheMargin))) { IsRenewal = true };
        job.Time.Advance(TimeSpan.FromMinutes(45));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();

        Assert.That(job.Issuer.Requests.Skip(1).Count(), Is.EqualTo(exchanges));
        Assert.That(job.Audit.Kinds, Does.Not.Contain(AuditEventKind.Failed));
        Assert.That((await job.Warehouse.GetAsync()).Fingerprint == held.Fingerprint, Is.EqualTo(exchanges == 1));
    }

    [Test]
    public async Task Where_that_exchange_fails_it_is_its_own_failure_that_is_told()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken held = await job.Warehouse.GetAsync();
        job.Issuer.Answer = asked => asked.Held is null
            ? throw new TokenExchangeException(ErrorCodes.IssuerThrottled, ExchangeStage.Exchange, "Too many requests.") { IsTransient = true, RetryAfter = TimeSpan.FromSeconds(7) }
            : new Issued<BearerToken>(new BearerToken(held.Reveal(), job.Time.GetUtcNow() + TimeSpan.FromSeconds(1))) { IsRenewal = true };
        job.Time.Advance(TimeSpan.FromMinutes(45));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();

        Assert.That(job.Audit.Events.Where(e => e.Kind == AuditEventKind.Failed).Select(e => e.Code), Is.EqualTo(new[] { ErrorCodes.IssuerThrottled }));
    }

    [Test]
    public async Task What_is_denied_once_it_was_renewed_is_handed_out_no_more_while_it_is_ended()
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Reusable = () => ExposureAnswer.No("the issuer ends it"));
        BearerToken held = await job.Warehouse.GetAsync();
        job.Issuer.Answer = _ =>
        {
            job.Issuer.Reusable = () => ExposureAnswer.Yes("it does not, after all");
            job.Policy.Decide = _ => AccessDecision.Deny("exposed", "not that");
            return new Issued<BearerToken>(new BearerToken(held.Reveal(), job.Time.GetUtcNow().AddHours(1))) { IsRenewal = true };
        };
        using var gate = new Gate();
        job.Issuer.OnRevoke = async _ =>
        {
            await gate.PassAsync();
            return Revocation.Revoked;
        };
        job.Time.Advance(TimeSpan.FromMinutes(45));
        await job.Warehouse.GetAsync();

        await gate.Reached;
        bool isHandedOut = job.Warehouse.TryGet(out _);
        gate.Open();
        await job.QuietAsync();

        Assert.That(isHandedOut, Is.False);
        Assert.That(job.Audit.Kinds, Does.Contain(AuditEventKind.Denied));
    }

    private Task<JobSession> StartChainAsync(TestExchanger first, TestExchanger second) => JobSession.StartAsync(b => b
        .Identity("job", TestProofs.Source(_time), ActsFor.Workload)
        .Target("account", first, "job")
        .Target("archive", second, t => t.Through = "account")
        .Time(_time).Jitter(() => 0).EndOnSignals(false));
}
