using System.Diagnostics;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Clocks that jump, drift and stand still. T7 is with the clock.</summary>
internal sealed class TimeFaultTests
{
    private static readonly DateTimeOffset Start = new ManualTimeProvider().GetUtcNow();

    private static IEnumerable<TestCaseData> Jumps() =>
    [
        new TestCaseData(Start.AddHours(1)).SetArgDisplayNames("an hour on"),
        new TestCaseData(Start.AddHours(-1)).SetArgDisplayNames("an hour back"),
    ];

    private static IEnumerable<TestCaseData> Absurdities() =>
    [
        new TestCaseData(DateTimeOffset.UnixEpoch).SetArgDisplayNames("1970"),
        new TestCaseData(new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero)).SetArgDisplayNames("2100"),
    ];

    [TestCaseSource(nameof(Jumps))]
    public async Task T1_A_wall_clock_that_jumps_hands_out_nothing_dead_and_asks_no_more_than_it_must(DateTimeOffset to)
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();

        job.Time.SetWall(to);
        job.Time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.That(job.Warehouse.TryGet(out _), Is.EqualTo(to < Start), "ahead it is over at once; behind the other hand goes on");
        BearerToken next = await job.Warehouse.GetAsync();
        Assert.That(ReferenceEquals(next, old), Is.EqualTo(to < Start));
        // From then on a life is counted as before, by both hands.
        job.Time.Advance(TimeSpan.FromHours(1));
        Assert.That(job.Warehouse.TryGet(out _), Is.False);
        BearerToken after = await job.Warehouse.GetAsync();
        Assert.That(after, Is.Not.SameAs(old).And.Not.SameAs(to < Start ? old : next));
        Assert.That(job.Warehouse.TryGet(out BearerToken? held), Is.True, "a clock that is wrong once does not stop the job");
        Assert.That(held, Is.SameAs(after));
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(to < Start ? 2 : 3));
    }

    // Nothing that is issued under such a clock can be counted by both hands; TLS and proofs would fail too.
    [TestCaseSource(nameof(Absurdities))]
    public async Task T1_Under_a_clock_of_another_age_nothing_dead_is_handed_out_the_error_says_the_date_and_a_right_clock_mends_all(DateTimeOffset to)
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();

        job.Time.SetWall(to);
        job.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(job.Warehouse.TryGet(out _), Is.EqualTo(to < Start), "what is held ends by the other hand");
        job.Time.Advance(TimeSpan.FromHours(1));
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo(("NHI5003", true)));
        Assert.That(refused.Message, Does.Contain($"it is {to.Year}-01-01T01:00:00").And.Contain("clocks"));
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(2), "the issuer's end is in order: another one would be no better");

        job.Time.SetWall(Start.AddHours(1));
        job.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(await job.Warehouse.GetAsync(), Is.Not.SameAs(old));
        Assert.That(job.Issuer.Revoked, Has.Count.EqualTo(1), "what was issued meanwhile is ended");
    }

    // Ten minutes are less than what is left of the life, three hours are more.
    [TestCase(10, 1)]
    [TestCase(180, 2)]
    public async Task T2_After_a_suspend_all_who_ask_cause_at_most_one_exchange(int minutes, int requests)
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();
        job.Time.Suspend(TimeSpan.FromMinutes(minutes));
        job.Time.Advance(TimeSpan.FromMilliseconds(1));

        BearerToken[] got = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(_ => Task.Run(() => job.Warehouse.GetAsync().AsTask())));

        Assert.That(got.Distinct().Count(), Is.EqualTo(1));
        Assert.That(ReferenceEquals(got[0], old), Is.EqualTo(requests == 1));
        Assert.That((job.Issuer.Requests.Count, job.Issuer.MostInTheAir), Is.EqualTo((requests, 1)));
    }

    [TestCase(-200)]
    [TestCase(0)]
    [TestCase(200)]
    public async Task T3_A_clock_that_is_slewed_by_200_ppm_changes_nothing(int ppm)
    {
        await using TestJob job = await TestJob.StartAsync();

        for (int second = 0; second < 6 * 3600; second += 10)
        {
            await job.Warehouse.GetAsync();
            await HeldFlight.LandedAsync(job.Session, job.Warehouse);
            job.Time.Advance(TimeSpan.FromSeconds(10));
            job.Time.SetWall(job.Time.GetUtcNow() + TimeSpan.FromMicroseconds(10 * ppm));
        }

        // 2,390 s from one refresh to the next, on a grid of 10 s.
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(10));
        Assert.That(job.Audit.Kinds, Has.None.EqualTo(AuditEventKind.Failed));
    }

    [Test]
    public async Task T4_The_night_of_a_change_to_summer_time_is_the_same_in_every_zone()
    {
        var said = new List<string>();
        foreach (string zone in new[] { "UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Adak" })
        {
            (string text, int exitCode) = await ChildProcess.RunAsync("time zone", ("TZ", zone));
            Assert.That(exitCode, Is.Zero, text);
            said.Add(text.Trim());
        }

        Assert.That(said.Select(text => text.Split('|')[1]).Distinct().Count(), Is.EqualTo(1), string.Join('\n', said));
        Assert.That(said[0], Does.Contain("2026-03-29T01:29:50.0000000+00:00").And.Contain(" True False "), said[0]);
        if (Directory.Exists("/usr/share/zoneinfo"))
            Assert.That(said.Select(text => text.Split('|')[0]), Is.Unique, "the zones were in force");
    }

    // The issuer takes 30 s for a leeway; its clock is in the Date header of its answers.
    [TestCase(-600, false)]
    [TestCase(-90, false)]
    [TestCase(-5, true)]
    [TestCase(5, true)]
    [TestCase(90, true)]
    [TestCase(600, false)]
    public async Task T5_An_issuer_with_another_clock_is_asked_twice_at_most_and_the_difference_is_told(int seconds, bool isTaken)
    {
        var time = new ManualTimeProvider();
        await using EmulatedJob job = await EmulatedJob.StartAsync(
            time, new OffsetTime(time, TimeSpan.FromSeconds(seconds)), proof: claims => claims.Lives(time.GetUtcNow(), TimeSpan.FromMinutes(5)));

        if (isTaken)
        {
            Assert.That(await job.ReadAsync(), Is.EqualTo(200));
            return;
        }
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.ProofRefused, false)));
        Assert.That(refused.Hint, Does.Contain($"The issuer's clock is {Math.Abs(seconds)} s {(seconds > 0 ? "ahead of" : "behind")} this machine's."));
        Assert.That(job.Exchanges, Is.EqualTo(2), "once more with a new proof, and no more");
    }

    [Test]
    public async Task T6_A_life_ends_though_no_timer_ever_fires()
    {
        var time = new NoTimers(new ManualTimeProvider());
        var issuer = new TestExchanger(time);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload).Target("warehouse", issuer, "job").Time(time).Jitter(() => 0).EndOnSignals(false));
        CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");
        BearerToken old = await warehouse.GetAsync();

        time.Hands.Advance(TimeSpan.FromHours(1));

        Assert.That(warehouse.TryGet(out _), Is.False);
        Assert.That(await warehouse.GetAsync(), Is.Not.SameAs(old));
    }

    [Test]
    [Platform(Include = "Linux,MacOsX", Reason = "Sends POSIX signals with kill(1).")]
    public async Task T8_A_process_that_was_stopped_goes_on_and_ends_its_leases()
    {
        using Process child = ChildProcess.StartForSignals("wait");
        Assert.That(await ChildProcess.ReadLineAsync(child), Is.EqualTo("ready"));

        foreach (string signal in new[] { "STOP", "CONT", "TERM" })
        {
            using Process kill = Process.Start("kill", [$"-{signal}", $"{child.Id}"]);
            await kill.WaitForExitAsync();
        }
        (string rest, _, int ended) = await ChildProcess.EndAsync(child);

        Assert.That((rest.Trim().Split(Environment.NewLine), ended), Is.EqualTo((new[] { "revoked", "audit: the job ended (SIGTERM)" }, 143)));
    }

    // A snapshot that is resumed twice has two equal states. What must differ all the same is drawn from the system for each use.
    [Test]
    public async Task T8_What_was_held_through_a_long_sleep_is_over_and_each_proof_is_new()
    {
        await using TestJob job = await TestJob.StartAsync();
        for (int sleep = 0; sleep < 5; sleep++)
        {
            await job.Warehouse.GetAsync();
            job.Time.Suspend(TimeSpan.FromDays(2));
            job.Time.Advance(TimeSpan.FromSeconds(1));
            Assert.That(job.Warehouse.TryGet(out _), Is.False);
        }

        Assert.That(job.Issuer.Requests.Select(request => request.Subject.Fingerprint), Is.Unique);
        Assert.That(Repository.Sources("src/Nhi.TokenExchange").Where(file => file.Text.Contains("new Random", StringComparison.Ordinal) || file.Text.Contains("Random.Shared", StringComparison.Ordinal)).Select(file => file.Path), Is.Empty);
    }

    private sealed class NoTimers(ManualTimeProvider hands) : TimeProvider
    {
        public ManualTimeProvider Hands => hands;

        public override long TimestampFrequency => hands.TimestampFrequency;

        public override long GetTimestamp() => hands.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => hands.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Never();

        private sealed class Never : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => default;
        }
    }
}
