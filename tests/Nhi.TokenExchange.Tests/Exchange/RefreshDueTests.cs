namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>The millisecond from which a credential's successor is fetched: half of the life before its end, at most twenty minutes; or when the issuer wants it.</summary>
internal sealed class RefreshDueTests
{
    [TestCase(3600, null, 2_390_000)]
    [TestCase(2410, null, 1_200_000, Description = "half of the life is twenty minutes")]
    [TestCase(2408, null, 1_199_000)]
    [TestCase(490, null, 240_000)]
    [TestCase(50, null, 20_000)]
    [TestCase(3600, 600, 600_000)]
    [TestCase(3600, 2389, 2_389_000)]
    [TestCase(3600, 2391, 2_390_000, Description = "later than by the rule")]
    [TestCase(3600, 360, 360_000)]
    [TestCase(3600, 300, 359_000, Description = "not within the first tenth")]
    [TestCase(3600, 0, 359_000)]
    [TestCase(3600, -600, 359_000)]
    public async Task It_is_due_at(int life, int? wantedAfter, int milliseconds)
    {
        await using TestJob job = await TestJob.StartAsync();
        DateTimeOffset start = job.Time.GetUtcNow();
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromSeconds(life))) { RefreshAt = wantedAfter is { } seconds ? start.AddSeconds(seconds) : null };
        await job.Warehouse.GetAsync();

        await AssertDueAfterAsync(job, milliseconds);
    }

    [TestCase(0.5, 2_330_000)]
    [TestCase(0.99, 2_271_200)]
    public async Task By_chance_it_is_due_up_to_a_tenth_of_the_lead_sooner(double chance, int milliseconds)
    {
        await using TestJob job = await TestJob.StartAsync(more: b => b.Jitter(() => chance));
        await job.Warehouse.GetAsync();

        await AssertDueAfterAsync(job, milliseconds);
    }

    [TestCase(24, 1_000, Description = "a second before it was due")]
    [TestCase(25, 12_500, Description = "when it was due: half of twenty-five seconds are left")]
    [TestCase(30, 10_000, Description = "later: half of twenty")]
    public async Task Where_the_tries_took_longer_it_is_due_at_half_of_what_is_left(int seconds, int milliseconds)
    {
        await using TestJob job = await TestJob.StartAsync();
        DateTimeOffset start = job.Time.GetUtcNow();
        job.Issuer.Answer = _ =>
        {
            job.Time.Advance(TimeSpan.FromSeconds(seconds));
            return new Issued<BearerToken>(new BearerToken("canary", start.AddSeconds(60)));
        };
        await job.Warehouse.GetAsync();

        await AssertDueAfterAsync(job, milliseconds);
    }

    private static async Task AssertDueAfterAsync(TestJob job, int milliseconds)
    {
        await job.QuietAsync();
        job.Issuer.Gate = new Gate();
        job.Time.Advance(TimeSpan.FromMilliseconds(milliseconds - 1));
        await job.Warehouse.GetAsync();
        bool isEarly = ((SlotProvider<BearerToken>)job.Warehouse).HasFlight;
        job.Time.Advance(TimeSpan.FromMilliseconds(1));
        await job.Warehouse.GetAsync();

        Assert.That((isEarly, ((SlotProvider<BearerToken>)job.Warehouse).HasFlight), Is.EqualTo((false, true)));
    }
}
