namespace Nhi.TokenExchange.Tests;

/// <summary>A credential that is ended before the flight that got it has written it down is one thing: ended once, and no journal is left.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class EndBesideTheRecordTests : JournalFixture
{
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);

    private readonly HookedTime _time = new();
    private readonly RecordingSink _audit = new();

    [TestCase(false)]
    [TestCase(true)]
    public async Task By_the_jobs_end(bool isRenewal)
    {
        TestExchanger issuer = NewIssuer();
        await using JobSession job = await StartAsync(issuer);
        CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");
        if (isRenewal)
            await FirstAsync(warehouse);
        var begun = new TaskCompletionSource<Task<JobReport>>();
        _time.BetweenRegisteringAndWriting = () =>
        {
            begun.SetResult(job.CompleteAsync());
            Blocking.Wait(Eventually.HoldsAsync(() => _audit.Kinds.Contains(AuditEventKind.Revoked), "its end"));
        };

        if (isRenewal)
            await warehouse.GetAsync();
        else
            Assert.That(async () => await warehouse.GetAsync(), Throws.InstanceOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI7001"));
        JobReport report = await await begun.Task;
        await job.Released;

        Assert.That(report.Leases.Select(lease => lease.End), Is.EqualTo(new[] { LeaseEnd.Revoked }));
        Assert.That((issuer.Revoked.Count, Files().Length), Is.EqualTo((1, 0)));
    }

    [Test]
    public async Task By_a_revocation()
    {
        TestExchanger issuer = NewIssuer();
        await using JobSession job = await StartAsync(issuer);
        CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");
        BearerToken first = await FirstAsync(warehouse);
        var end = new TaskCompletionSource<LeaseEnd>();
        _time.BetweenRegisteringAndWriting = () => end.SetResult(Blocking.Wait(job.RevokeCredentialAsync(first, "drill")));

        await warehouse.GetAsync();

        Assert.That(await end.Task, Is.EqualTo(LeaseEnd.Revoked));
        await HeldFlight.LandedAsync(job, warehouse);
        JobReport report = await job.CompleteAsync();
        await job.Released;
        Assert.That(report.Leases.Where(lease => lease.Fingerprint == first.Fingerprint).Select(lease => lease.End), Is.EqualTo(new[] { LeaseEnd.Revoked }));
        Assert.That((issuer.Revoked.Count(token => token.Fingerprint == first.Fingerprint), Files().Length), Is.EqualTo((1, 0)));
    }

    private async Task<BearerToken> FirstAsync(CredentialProvider<BearerToken> warehouse)
    {
        BearerToken first = await warehouse.GetAsync();
        _time.Manual.Advance(Life * 0.75);
        return first;
    }

    // An end that is assumed is watched for: a timer is set between the registering and the writing down.
    private TestExchanger NewIssuer()
    {
        var issuer = new TestExchanger(_time);
        issuer.Answer = request => new Issued<BearerToken>(request.Held is BearerToken held ? new BearerToken(held.Reveal(), _time.GetUtcNow() + Life) : issuer.NewToken(Life))
        {
            RevocationHandle = "lease/1", IsRenewal = request.Held is not null, EndIsAssumed = true,
        };
        return issuer;
    }

    private Task<JobSession> StartAsync(TestExchanger issuer) => JobSession.StartAsync(b => b
        .Identity("job", TestProofs.Source(_time), ActsFor.Workload).Target("warehouse", issuer, "job").Audit(_audit).Time(_time).Jitter(() => 0).EndOnSignals(false).Journal(Journals));

    private sealed class HookedTime : TimeProvider
    {
        public ManualTimeProvider Manual { get; } = new();

        /// <summary>Done once, when the timer for an assumed end is set.</summary>
        public Action? BetweenRegisteringAndWriting { get; set; }

        public override long TimestampFrequency => Manual.TimestampFrequency;

        public override long GetTimestamp() => Manual.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => Manual.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = Manual.CreateTimer(callback, state, dueTime, period);
            if (dueTime == Life && BetweenRegisteringAndWriting is { } act)
            {
                BetweenRegisteringAndWriting = null;
                act();
            }
            return timer;
        }
    }
}
