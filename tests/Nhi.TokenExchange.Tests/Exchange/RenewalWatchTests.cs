namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What is held is renewed without a call where its exchanger renews, and nowhere else.</summary>
public class RenewalWatchTests
{
    // Exactly then: the flight that the clock begins has its deadlines after the clock's step.
    private static readonly TimeSpan RefreshDue = new(0, 39, 50);

    [TestCase(false)]
    [TestCase(true)]
    public async Task It_is_renewed_whenever_that_is_due_in_the_default_slot_and_for_a_varying_request(bool varies)
    {
        await using TestJob job = await StartAsync();
        await (varies ? job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of("read") }) : job.Warehouse.GetAsync());
        await Eventually.HoldsAsync(() => job.Session.Leases.FlightsInTheAir == 0, "the begin of the watch");

        for (int renewal = 1; renewal <= 4; renewal++)
        {
            job.Time.Advance(RefreshDue);
            await Eventually.HoldsAsync(() => job.Issuer.Requests.Count == 1 + renewal && job.Session.Leases.FlightsInTheAir == 0, $"renewal {renewal}");
        }

        Assert.That(job.Issuer.Requests.Skip(1).Select(request => (request.RenewsOnly, request.Held is not null)), Is.All.EqualTo((true, true)));
        Assert.That(job.Audit.Kinds.Count(kind => kind == AuditEventKind.Renewed), Is.EqualTo(4));
        Assert.That(job.Session.Leases.CountLive(), Is.EqualTo(new Dictionary<string, long> { ["warehouse"] = 1 }));
    }

    [TestCase(15, 0, 1_000, Description = "due after half a second, and asked for after a whole one")]
    [TestCase(15, 2, 2_000)]
    [TestCase(3600, 600, 600_000)]
    [TestCase(3600, 3000, 2_390_000)]
    public async Task It_is_renewed_when_that_is_due_and_not_a_millisecond_or_within_a_second_before(int life, int wantedAfter, int milliseconds)
    {
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = request => new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromSeconds(life))) { RefreshAt = request.Time.GetUtcNow().AddSeconds(wantedAfter) };
        await job.Warehouse.GetAsync();
        await job.QuietAsync();
        job.Issuer.Gate = new Gate();

        job.Time.Advance(TimeSpan.FromMilliseconds(milliseconds - 1));
        bool isEarly = ((SlotProvider<BearerToken>)job.Warehouse).HasFlight;
        job.Time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.That((isEarly, ((SlotProvider<BearerToken>)job.Warehouse).HasFlight), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task What_is_due_at_once_since_nobody_wants_what_a_flight_brought_is_renewed_a_second_later()
    {
        await using TestJob job = await StartAsync();
        BearerToken held = await job.Warehouse.GetAsync();
        await job.QuietAsync();
        (job.Issuer.Gate, job.Issuer.Answer) = (new Gate(), _ => new Issued<BearerToken>(job.Issuer.NewToken()));
        job.Time.Advance(RefreshDue);
        await job.Issuer.Gate.Reached;
        job.Session.Runtime("warehouse").DropWhatEndsWith(new BearerToken("another", job.Time.GetUtcNow().AddHours(1)));   // what is held was not got with that
        job.Issuer.Gate.Open();
        await job.QuietAsync();
        job.Issuer.Gate = null;
        int before = job.Issuer.Requests.Count;

        job.Time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.HoldsAsync(() => job.Issuer.Requests.Count > before, "the renewal that was due");

        Assert.That((before, job.Issuer.Requests.Last().RenewsOnly, job.Issuer.Requests.Last().Held), Is.EqualTo((2, true, held)));
    }

    [Test]
    public async Task What_is_not_renewed_has_no_timer()
    {
        await using TestJob job = await StartAsync(renews: false);
        await job.Warehouse.GetAsync();

        job.Time.Advance(RefreshDue);

        Assert.That(((SlotProvider<BearerToken>)job.Warehouse).HasFlight, Is.False, "a flight would stand in its slot at once");
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(1));
    }

    [TestCase("the job's end")]
    [TestCase("a revocation")]
    [TestCase("a rejection")]
    [TestCase("a change of the policy")]
    public async Task It_ends_with(string what)
    {
        await using TestJob job = await StartAsync();
        BearerToken token = await job.Warehouse.GetAsync();
        switch (what)
        {
            case "the job's end":
                await job.Session.CompleteAsync();
                break;
            case "a revocation":
                await job.Session.RevokeCredentialAsync(token, "leaked");
                break;
            case "a rejection":
                job.Warehouse.Reject(token);
                break;
            default:
                job.Policy.Change("2", _ => AccessDecision.Permit("all"));
                break;
        }

        job.Time.Advance(RefreshDue);

        Assert.That(((SlotProvider<BearerToken>)job.Warehouse).HasFlight, Is.False, "a flight would stand in its slot at once");
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task At_its_maximum_nobody_asks_again()
    {
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = request => request.Held is null ? new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromHours(1))) : throw Renewals.NoMore("warehouse");
        await job.Warehouse.GetAsync();
        await Eventually.HoldsAsync(() => job.Session.Leases.FlightsInTheAir == 0, "the begin of the watch");
        job.Time.Advance(RefreshDue);
        await Eventually.HoldsAsync(() => job.Issuer.Requests.Count == 2 && job.Session.Leases.FlightsInTheAir == 0, "the answer that there is no more");

        job.Time.Advance(TimeSpan.FromMinutes(10));

        Assert.That((((SlotProvider<BearerToken>)job.Warehouse).HasFlight, job.Issuer.Requests.Count), Is.EqualTo((false, 2)));
    }

    // Nobody waits: it is no failure, and nothing new is asked for before somebody calls.
    [Test]
    public async Task A_renewal_that_is_answered_too_late_to_be_of_use_brings_nothing_and_the_next_call_gets_another()
    {
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = request => request.Held is BearerToken held
            ? new Issued<BearerToken>(new BearerToken(held.Reveal(), job.Time.GetUtcNow().AddSeconds(1))) { IsRenewal = true }
            : new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromHours(1)));

        await RenewAsync(job, () => { });

        AssertNothingCame(job, "is unusable from");
        await job.Warehouse.GetAsync();
        Assert.That(job.Issuer.Requests.Select(request => (request.RenewsOnly, request.Held is not null)), Is.EqualTo(new[] { (false, false), (true, true), (false, false) }));
    }

    [Test]
    public async Task A_renewal_of_what_somebody_ended_meanwhile_brings_nothing_and_the_next_call_gets_another()
    {
        await using TestJob job = await StartAsync();
        BearerToken held = await job.Warehouse.GetAsync();
        job.Issuer.Gate = new Gate();

        await RenewAsync(job, () => job.Session.RevokeCredentialAsync(held, "leaked").GetAwaiter().GetResult());

        AssertNothingCame(job, "The credential was ended while it was renewed.");
        Assert.That(await job.Warehouse.GetAsync(), Is.Not.SameAs(held));
        Assert.That(job.Issuer.Requests.Select(request => request.RenewsOnly), Is.EqualTo(new[] { false, true, false }));
    }

    private static async Task RenewAsync(TestJob job, Action meanwhile)
    {
        await job.Warehouse.GetAsync();
        await job.QuietAsync();
        job.Time.Advance(RefreshDue);
        if (job.Issuer.Gate is { } gate)
        {
            await gate.Reached;
            meanwhile();
            gate.Open();
            job.Issuer.Gate = null;
        }
        await Eventually.HoldsAsync(() => job.Issuer.Requests.Count == 2 && job.Session.Leases.FlightsInTheAir == 0, "the renewal");
    }

    private static void AssertNothingCame(TestJob job, string why)
    {
        AuditEvent end = job.Audit.Events.Last(one => one.Kind == AuditEventKind.Failed);
        Assert.That((end.Code, job.Audit.Kinds.Count(kind => kind == AuditEventKind.Exchanging)), Is.EqualTo((ErrorCodes.NothingToRenew, 2)));
        Assert.That(end.Reason, Does.Contain(why).And.EndsWith("Nothing came of its renewal; the next call gets another."));
    }

    [Test]
    public async Task A_timer_that_fires_a_little_early_is_waited_for_once_more()
    {
        var time = new ManualTimeProvider();
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Renews = true, source: TestProofs.Source(time), more: b => b.Time(new HastyTime(time)));
        job.Issuer.Answer = request => request.Held is BearerToken held
            ? new Issued<BearerToken>(new BearerToken(held.Reveal(), time.GetUtcNow().AddHours(1))) { IsRenewal = true }
            : new Issued<BearerToken>(new BearerToken("canary", time.GetUtcNow().AddHours(1)));
        await job.Warehouse.GetAsync();
        await Eventually.HoldsAsync(() => job.Session.Leases.FlightsInTheAir == 0, "the begin of the watch");

        time.Advance(RefreshDue - TimeSpan.FromMilliseconds(1));
        bool isEarly = ((SlotProvider<BearerToken>)job.Warehouse).HasFlight;
        time.Advance(TimeSpan.FromSeconds(1));

        await Eventually.HoldsAsync(() => job.Issuer.Requests.Count == 2 && job.Session.Leases.FlightsInTheAir == 0, "the renewal");
        Assert.That(isEarly, Is.False);
    }

    private static async Task<TestJob> StartAsync(bool renews = true)
    {
        TestJob job = await TestJob.StartAsync(issuer => issuer.Renews = renews);
        job.Issuer.Answer = request => request.Held is BearerToken held
            ? new Issued<BearerToken>(new BearerToken(held.Reveal(), job.Time.GetUtcNow().AddHours(1))) { IsRenewal = true }
            : new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromHours(1)));
        return job;
    }

    /// <summary>A clock whose timers fire a millisecond early.</summary>
    private sealed class HastyTime(TimeProvider inner) : TimeProvider
    {
        private static readonly TimeSpan Early = TimeSpan.FromMilliseconds(1);

        public override long TimestampFrequency => inner.TimestampFrequency;

        public override long GetTimestamp() => inner.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Timer(inner.CreateTimer(callback, state, Sooner(dueTime), period));

        private static TimeSpan Sooner(TimeSpan dueTime) => dueTime > Early ? dueTime - Early : dueTime;

        private sealed class Timer(ITimer inner) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => inner.Change(Sooner(dueTime), period);

            public void Dispose() => inner.Dispose();

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }
}
