using System.Globalization;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Clocks that differ, stand still or jump, and what is dead when it comes. P32 to P36 are beside the Azure package.</summary>
internal sealed class MetadataAndClockTests : OidcFileFixture
{
    [TestCase(-600, "NHI2003")]
    [TestCase(-90, null)]
    [TestCase(-5, null)]
    [TestCase(5, null)]
    [TestCase(90, "NHI2004")]
    [TestCase(600, "NHI2004")]
    public async Task P38_A_proof_of_a_platform_whose_clock_is_ahead_is_taken_within_a_minute_and_else_told_with_both_instants(int seconds, string? code)
    {
        var time = new ManualTimeProvider();
        await using EmulatedJob job = await EmulatedJob.StartAsync(time, new OffsetTime(time, TimeSpan.FromSeconds(seconds)));

        if (code is null)
        {
            Assert.That(await job.ReadAsync(), Is.EqualTo(200));
            return;
        }
        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(async () => await job.Warehouse.GetAsync())!;
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((code, true)));
        Assert.That(refused.Message, Does.Contain(time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture)).And.Contain("clock"));
        Assert.That(job.Exchanges, Is.Zero, "what can't be good is not sent");
    }

    [TestCase("wall only")]
    [TestCase("monotonic only")]
    [TestCase("both")]
    public async Task P39_A_life_is_over_when_either_hand_says_so(string hand)
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();

        DateTimeOffset wall = job.Time.GetUtcNow();
        if (hand == "wall only")
            job.Time.Suspend(TimeSpan.FromHours(2));
        job.Time.Advance(hand == "wall only" ? TimeSpan.FromMilliseconds(1) : TimeSpan.FromHours(2));
        if (hand == "monotonic only")
            job.Time.SetWall(wall);

        Assert.That(job.Warehouse.TryGet(out _), Is.False);
        Assert.That(await job.Warehouse.GetAsync(), Is.Not.SameAs(old));
        Assert.That(job.Issuer.Requests.Select(request => request.Subject.Fingerprint), Is.Unique, "with a proof of now");
    }

    [TestCase(1)]
    [TestCase(int.MaxValue)]
    public async Task P40_A_credential_that_comes_dead_is_asked_for_once_more_and_then_told_with_both_times(int times)
    {
        await using TestJob job = await TestJob.StartAsync();
        int calls = 0;
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken(calls++ < times ? TimeSpan.FromSeconds(-1) : null));

        if (times == 1)
        {
            Assert.That((await job.Warehouse.GetAsync()).ExpiresAt, Is.GreaterThan(job.Time.GetUtcNow()));
        }
        else
        {
            TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;
            Assert.That((refused.Code, refused.IsTransient), Is.EqualTo(("NHI5003", true)));
            Assert.That(refused.Message, Does.Contain("2025-12-31T23:59:59").And.Contain("2026-01-01T00:00:00"));
        }
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(2));
        Assert.That(job.Issuer.Requests.Select(request => request.Subject.Fingerprint), Is.Unique);
    }

    [Test]
    public async Task P40_A_life_that_the_margin_eats_is_not_asked_for_again_and_a_refusal_after_a_dead_one_does_not_hide_it()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken(job.Issuer.Margin));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!.Code, Is.EqualTo("NHI5003"));
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(1));

        int calls = 0;
        job.Issuer.Answer = _ => calls++ == 0 ? new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromSeconds(-1))) : throw new TokenExchangeException("NHI4010", ExchangeStage.Exchange, "The proof was used before.");
        job.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!.Code, Is.EqualTo("NHI5003"));
        Assert.That((job.Issuer.Requests.Count, job.Issuer.Revoked.Count), Is.EqualTo((3, 2)), "what comes dead by our clock may live by its issuer's");
    }

    [Test]
    public async Task P41_A_dead_proof_is_not_sent_and_the_error_names_file_end_and_now()
    {
        Write(Proofs.With());
        Time.Advance(TimeSpan.FromHours(1));
        var issuer = new TestExchanger(Time);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.OidcFile(FilePath), ActsFor.Workload).Target("warehouse", issuer, "job").Time(Time).EndOnSignals(false));

        Task<BearerToken> asking = job.Provider<BearerToken>("warehouse").GetAsync().AsTask();
        await Eventually.HoldsAsync(() => Time.PendingTimers >= 2, "the timers of the flight's deadline and of the source's wait for a renewed file");
        Time.Advance(TimeSpan.FromSeconds(1));
        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => asking)!;

        Assert.That(refused.Code, Is.EqualTo("NHI2003"));
        Assert.That(refused.Message, Does.Contain(FilePath).And.Contain("2026-01-01T00:05:00").And.Contain("2026-01-01T01:00:01"));
        Assert.That(issuer.Requests, Is.Empty);
    }
}
