namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>When what one decision leaves of a request covers what another had it asked for with.</summary>
public class GrantTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    private static readonly Grant Asked = new()
    {
        Origin = null!, Asked = new AskedFor(ScopeSet.Of("read"), ["a", "b"], null), Resources = ["a"], AuthorizationDetails = """[{"type":"sql"}]""", Exposure = CredentialExposure.Unknown, Rule = "first", PolicyRevision = "1",
        MaxLifetime = TimeSpan.FromMinutes(5), PermitEndsAt = Now.AddHours(1), NotBeyond = Now.AddHours(1), Time = new FlightTime(new ManualTimeProvider(Now)), AskedAtTick = 0, Margin = TimeSpan.Zero, HopDeadTick = long.MaxValue, Jitter = 0,
    };

    private static IEnumerable<TestCaseData> Seconds()
    {
        yield return Of("the same", Asked, true);
        yield return Of("other scopes", Asked with { Asked = new AskedFor(ScopeSet.Of("write"), ["a", "b"], null) }, false);
        yield return Of("any resource", Asked with { Resources = null }, true);
        yield return Of("one resource more", Asked with { Resources = ["b", "a"] }, true);
        yield return Of("another resource", Asked with { Resources = ["b"] }, false);
        yield return Of("other details", Asked with { AuthorizationDetails = """[{"type":"files"}]""" }, false);
        yield return Of("a longer hand-out", Asked with { MaxLifetime = TimeSpan.FromMinutes(6) }, true);
        yield return Of("a shorter hand-out", Asked with { MaxLifetime = TimeSpan.FromMinutes(4) }, false);
        yield return Of("no longer life", Asked with { RefusesLongerLife = "second" }, false);
        yield return Of("a permit that ends later", Asked with { PermitEndsAt = Now.AddHours(2) }, true);
        yield return Of("a permit without an end", Asked with { PermitEndsAt = null }, true);
        yield return Of("a permit that ends sooner", Asked with { PermitEndsAt = Now.AddMinutes(1) }, false);

        static TestCaseData Of(string what, Grant second, bool isAsMuch) => new TestCaseData(second, isAsMuch).SetArgDisplayNames(what);
    }

    [TestCaseSource(nameof(Seconds))]
    public void A_decision_leaves_as_much_if_it_lacks_nothing_that_was_asked_for(object second, bool isAsMuch) => Assert.That(((Grant)second).LeavesAsMuchAs(Asked), Is.EqualTo(isAsMuch));

    [Test]
    public void What_was_open_and_is_limited_now_is_less()
    {
        Grant open = Asked with { Resources = null, PermitEndsAt = null };
        Assert.That((open.LeavesAsMuchAs(open), (open with { Resources = ["a"] }).LeavesAsMuchAs(open), (open with { PermitEndsAt = Now.AddYears(1) }).LeavesAsMuchAs(open)), Is.EqualTo((true, false, false)));
        Grant strict = Asked with { RefusesLongerLife = "first" };
        Assert.That((strict with { RefusesLongerLife = "second" }).LeavesAsMuchAs(strict), Is.True);
    }

    [TestCase(true, 600, Description = "as long as the proof")]
    [TestCase(false, 3590)]
    public async Task A_credential_that_ends_with_its_proof_is_handed_out_no_longer(bool isTied, int seconds)
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Tied = isTied);

        Assert.That((await job.Warehouse.GetAsync()).UnusableFrom - job.Time.GetUtcNow(), Is.EqualTo(TimeSpan.FromSeconds(seconds)));
    }

    // The exchanger counts an hour by the wall as it is then; ten seconds of it are the margin.
    [TestCase(600_000, 3_590_000, true)]
    [TestCase(1_001, 3_590_000, true)]
    [TestCase(1_000, 3_590_000, false, Description = "no more than slewing makes")]
    [TestCase(0, 3_590_000, false)]
    [TestCase(-600_000, 2_990_000, false, Description = "the end that was told is the sooner one")]
    public async Task A_wall_that_is_set_during_the_exchange_lengthens_nothing(int setBy, int ticks, bool isUncertain)
    {
        await using TestJob job = await TestJob.StartAsync(target: target => target.MaxLifetime = TimeSpan.FromHours(2));
        job.Time.Advance(TimeSpan.FromHours(2));
        job.Issuer.Answer = _ =>
        {
            job.Time.SetWall(job.Time.GetUtcNow().AddMilliseconds(setBy));
            return new Issued<BearerToken>(job.Issuer.NewToken());
        };

        BearerToken token = await job.Warehouse.GetAsync();

        Assert.That((token.Lease.DeadTick - job.Session.Clock.Tick, token.Lease.EndIsUncertain), Is.EqualTo(((long)ticks, isUncertain)));
    }

    [TestCase(-1, 2, true)]
    [TestCase(0, 2, true, Description = "dead by our clock, though it was issued this moment")]
    [TestCase(1, 1, false, Description = "within the margin")]
    [TestCase(10, 1, false)]
    public async Task What_is_dead_when_it_comes_is_asked_for_once_more_and_what_is_in_its_margin_is_not(int life, int requests, bool isUncertain)
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Life = TimeSpan.FromSeconds(life));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;

        Assert.That((refused.Code, job.Issuer.Requests.Count, job.Issuer.Issued.First().Lease.EndIsUncertain), Is.EqualTo((ErrorCodes.DeadOnArrival, requests, isUncertain)));
    }

    [TestCase(0)]
    [TestCase(5)]
    public async Task An_end_at_the_beginning_of_time_is_one(int seconds)
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(new BearerToken("canary", DateTimeOffset.MinValue.AddSeconds(seconds)));

        Assert.That(async () => await job.Warehouse.GetAsync(), Throws.TypeOf<TokenExchangeException>().With.Property(nameof(TokenExchangeException.Code)).EqualTo(ErrorCodes.DeadOnArrival));
    }
}
