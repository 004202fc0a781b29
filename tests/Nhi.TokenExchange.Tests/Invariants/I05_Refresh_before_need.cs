namespace Nhi.TokenExchange.Tests.Invariants;

/// <summary>DESIGN 5.5: refreshed in the background before need; a failing refresh never takes away a valid credential.</summary>
public class I05_Refresh_before_need
{
    [TestCase(3600, 2390, Description = "an hour less the margin of 10 s: due 20 minutes before")]
    [TestCase(490, 240, Description = "8 minutes: due after half of it")]
    [TestCase(50, 20, Description = "40 s: due after half of it")]
    public async Task The_refresh_is_due_at_the_end_less_half_the_life_at_most_twenty_minutes(int lifeSeconds, int dueSeconds)
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Life = TimeSpan.FromSeconds(lifeSeconds));
        await job.Warehouse.GetAsync();

        job.Time.Advance(TimeSpan.FromSeconds(dueSeconds - 1));
        Assert.That(job.Warehouse.TryGet(out _), Is.True, "not due yet");
        job.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(job.Warehouse.TryGet(out _), Is.False, "due");
        Assert.That((await job.Warehouse.GetAsync()).Fingerprint, Is.EqualTo(job.Issuer.Issued.First().Fingerprint), "served meanwhile");
    }

    [Test]
    public async Task A_life_that_a_wall_clock_set_ahead_makes_shorter_is_refreshed_before_that_end()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ =>
        {
            job.Time.SetWall(job.Time.GetUtcNow().AddMinutes(45));
            return new Issued<BearerToken>(new BearerToken($"t-{Guid.NewGuid():N}", job.Time.GetUtcNow().AddMinutes(15)));   // 60 minutes, counted from when it was asked
        };
        BearerToken first = await job.Warehouse.GetAsync();

        job.Time.Advance(TimeSpan.FromMinutes(7));
        Assert.That(job.Warehouse.TryGet(out _), Is.True, "not due yet");
        job.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(job.Warehouse.TryGet(out _), Is.False, "due at half of the quarter of an hour that is left");
        Assert.That((await job.Warehouse.GetAsync()).Fingerprint, Is.EqualTo(first.Fingerprint), "served meanwhile");
    }

    [Test]
    public async Task Chance_makes_the_refresh_earlier_by_up_to_a_tenth_of_the_lead_and_never_later()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Life = TimeSpan.FromSeconds(410), more: b => b.Jitter(() => 0.999));
        await job.Warehouse.GetAsync();   // 400 s of life, 200 s of lead, 20 s of it by chance

        job.Time.Advance(TimeSpan.FromSeconds(179));
        Assert.That(job.Warehouse.TryGet(out _), Is.True);
        job.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.That(job.Warehouse.TryGet(out _), Is.False);
    }

    [Test]
    public async Task The_issuers_own_refresh_point_is_kept()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken()) { RefreshAt = job.Time.GetUtcNow().AddMinutes(10) };
        await job.Warehouse.GetAsync();

        job.Time.Advance(TimeSpan.FromMinutes(10));

        Assert.That(job.Warehouse.TryGet(out _), Is.False);
    }

    [Test]
    public async Task An_issuers_refresh_point_beyond_our_own_end_does_not_switch_the_refresh_off()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Life = TimeSpan.FromHours(24));   // handed out for an hour at most
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken()) { RefreshAt = job.Time.GetUtcNow().AddHours(12) };
        BearerToken old = await job.Warehouse.GetAsync();

        job.Time.Advance(TimeSpan.FromMinutes(41));

        Assert.That(job.Warehouse.TryGet(out _), Is.False, "due");
        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(old), "served meanwhile");
    }

    [Test]
    public async Task An_issuer_that_wants_a_refresh_at_once_is_not_asked_at_every_landing()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken()) { RefreshAt = job.Time.GetUtcNow() };
        await job.Warehouse.GetAsync();

        Assert.That(job.Warehouse.TryGet(out _), Is.True);
    }

    [Test]
    public async Task A_failing_refresh_takes_nothing_away_and_backs_off()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4002", ExchangeStage.Exchange, "down") { IsTransient = true };
        job.Time.Advance(TimeSpan.FromMinutes(41));

        for (int second = 0; second < 600; second++)
        {
            Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(old));
            await job.QuietAsync();
            job.Time.Advance(TimeSpan.FromSeconds(1));
        }

        // 1, 2, 4 … 60 s, half of it without chance: 600 s are at most 6 + 600/30 tries.
        Assert.That(job.Issuer.Requests, Has.Count.InRange(10, 28));
    }

    [Test]
    public async Task The_issuers_patience_is_honoured()
    {
        await using TestJob job = await TestJob.StartAsync();
        await job.Warehouse.GetAsync();
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4003", ExchangeStage.Exchange, "429") { IsTransient = true, RetryAfter = TimeSpan.FromSeconds(120) };
        job.Time.Advance(TimeSpan.FromMinutes(41));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();

        job.Time.Advance(TimeSpan.FromSeconds(119));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(2));

        job.Time.Advance(TimeSpan.FromSeconds(1));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(3));
    }
}
