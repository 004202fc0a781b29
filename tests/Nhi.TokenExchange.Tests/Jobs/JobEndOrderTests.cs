using System.Collections.Concurrent;
using System.Diagnostics;

namespace Nhi.TokenExchange.Tests;

/// <summary>In which order a job's end asks whom, and what it does about those that fail.</summary>
internal sealed class JobEndOrderTests
{
    [Test]
    public async Task The_longest_lived_go_first_and_some_at_a_time()
    {
        int inTheAir = 0, most = 0;
        var asked = new ConcurrentQueue<string>();
        var gate = new Gate();
        await using TestJob job = await TestJob.StartAsync(target: options => options.Scopes = ScopeSet.Of([.. Enumerable.Range(0, 40).Select(i => $"table-{i}")]));
        using Gate opened = gate;
        int number = 0;
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromMinutes(10 + Interlocked.Increment(ref number))));
        job.Issuer.OnRevoke = async request =>
        {
            asked.Enqueue(request.Credential!.Fingerprint);
            most = Math.Max(most, Interlocked.Increment(ref inTheAir));
            await gate.PassAsync();
            Interlocked.Decrement(ref inTheAir);
            return Revocation.Revoked;
        };
        for (int i = 0; i < 40; i++)
            await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of($"table-{i}") });
        string[] longestFirst = [.. job.Issuer.Issued.Reverse().Select(token => token.Fingerprint)];

        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => asked.Count == 16, "sixteen at a time");
        string[] first = [.. asked];
        gate.Open();
        JobReport report = await ending;

        Assert.That(first, Is.EquivalentTo(longestFirst[..16]));
        Assert.That(most, Is.EqualTo(16));
        Assert.That(report.Leases.Count(lease => lease.End == LeaseEnd.Revoked), Is.EqualTo(40));
    }

    [Test]
    public async Task A_target_that_others_go_through_is_ended_after_them()
    {
        var order = new ConcurrentQueue<string>();
        var gate = new Gate();
        await using JobSession job = await StartHopsAsync(
            new ManualTimeProvider(), child: async () =>
            {
                await gate.PassAsync();
                order.Enqueue("orders");
                return Revocation.Revoked;
            },
            parent: () =>
            {
                order.Enqueue("warehouse");
                return Task.FromResult(Revocation.Revoked);
            });
        using Gate opened = gate;

        Task<JobReport> ending = job.CompleteAsync();
        await gate.Reached;
        gate.Open();
        await ending;

        Assert.That(order, Is.EqualTo(new[] { "orders", "warehouse" }));
    }

    [Test]
    public async Task A_child_whose_issuer_hangs_keeps_its_parent_for_a_quarter_of_the_time()
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        var parent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using JobSession job = await StartHopsAsync(
            time, child: async () =>
            {
                await gate.PassAsync();
                return Revocation.Revoked;
            },
            parent: () =>
            {
                parent.TrySetResult();
                return Task.FromResult(Revocation.Revoked);
            });
        using Gate opened = gate;

        int timers = time.PendingTimers;
        Task<JobReport> ending = job.CompleteAsync();
        await gate.Reached;
        await Eventually.HoldsAsync(() => time.PendingTimers == timers + 3, "both deadlines of the job's end, and the quarter");
        time.Advance(TimeSpan.FromSeconds(2));
        bool isEarly = parent.Task.IsCompleted;
        time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.HoldsAsync(() => parent.Task.IsCompleted, "the parent's turn");
        time.Advance(TimeSpan.FromSeconds(8));
        JobReport report = await ending;

        Assert.That(isEarly, Is.False);
        Assert.That(report.Leases.Select(lease => (lease.Target, lease.End)), Is.EqualTo(new[] { ("orders", LeaseEnd.Failed), ("warehouse", LeaseEnd.Revoked) }));
        Assert.That(report.Leases[0].Reason, Does.Contain("not done until the deadline"));
        gate.Open();
    }

    [Test]
    public async Task What_could_not_be_revoked_while_the_job_ran_is_tried_again_at_its_end()
    {
        bool isDown = true;
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.OnRevoke = _ => isDown ? throw new TokenExchangeException("NHI4012", ExchangeStage.Revoke, "This client may not revoke.") : Task.FromResult(Revocation.Revoked);
        BearerToken token = await job.Warehouse.GetAsync();
        Assert.That(await job.Session.RevokeCredentialAsync(token, "drill"), Is.EqualTo(LeaseEnd.Failed));
        Assert.That(job.Warehouse.TryGet(out _), Is.False, "it is handed out no more");
        isDown = false;

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (token.Fingerprint, LeaseEnd.Revoked) }));
        Assert.That(report.AllEnded);
        Assert.That(job.Audit.Kinds.Where(kind => kind is AuditEventKind.Orphaned or AuditEventKind.Revoked), Is.EqualTo(new[] { AuditEventKind.Orphaned, AuditEventKind.Revoked }));
    }

    [Test]
    public async Task What_fails_at_an_assumed_end_is_tried_again_minutes_later_and_told_once()
    {
        bool isDown = true;
        int asked = 0;
        await using TestJob job = await StartAssumedAsync(() =>
        {
            Interlocked.Increment(ref asked);
            return isDown ? throw new TokenExchangeException("NHI4012", ExchangeStage.Revoke, "This client may not revoke.") : Task.FromResult(Revocation.Revoked);
        });
        await job.Warehouse.GetAsync();
        job.Time.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(2));
        await Eventually.HoldsAsync(() => asked == 1 && job.Time.PendingTimers == 1 && job.Session.Leases.FlightsInTheAir == 0, "the first try");
        job.Time.Advance(TimeSpan.FromMinutes(1));
        await Eventually.HoldsAsync(() => asked == 2 && job.Time.PendingTimers == 1 && job.Session.Leases.FlightsInTheAir == 0, "the second try");
        isDown = false;
        job.Time.Advance(TimeSpan.FromMinutes(2));
        await Eventually.HoldsAsync(() => asked == 3 && job.Audit.Kinds.Contains(AuditEventKind.Revoked), "the third try");

        Assert.That(job.Audit.Kinds.Count(kind => kind == AuditEventKind.Orphaned), Is.EqualTo(1));
        Assert.That((await job.Session.CompleteAsync()).Leases, Is.Empty, "it is over, as if it had died of age");
    }

    [Test]
    public async Task What_cannot_be_ended_in_a_day_is_given_up_and_never_left_out_of_AllEnded()
    {
        int asked = 0;
        await using TestJob job = await StartAssumedAsync(() =>
        {
            Interlocked.Increment(ref asked);
            throw new TokenExchangeException("NHI4012", ExchangeStage.Revoke, "This client may not revoke.");
        });
        BearerToken token = await job.Warehouse.GetAsync();
        DateTimeOffset end = token.ExpiresAt;

        // A timer fires on the clock's way: what it starts may read the clock before that has arrived. So it goes on until that has seen the day pass.
        await Eventually.HoldsAsync(
            () =>
            {
                job.Time.Advance(TimeSpan.FromMinutes(30));
                return !LeaseOwnership.IsOpen(token);
            },
            "the last try");
        int tries = asked;
        JobReport report = await job.Session.CompleteAsync();

        Assert.That(job.Time.GetUtcNow() - end, Is.GreaterThanOrEqualTo(TimeSpan.FromDays(1)));
        Assert.That(tries, Is.GreaterThan(1));
        Assert.That(asked, Is.EqualTo(tries), "it is not asked for again");
        Assert.That(report.Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (token.Fingerprint, LeaseEnd.Failed) }));
        Assert.That(report.AllEnded, Is.False);
    }

    [Test]
    public async Task A_burst_of_leases_at_an_assumed_end_is_asked_for_some_at_a_time()
    {
        int inTheAir = 0, most = 0, asked = 0;
        var gate = new Gate();
        await using TestJob job = await StartAssumedAsync(async () =>
        {
            Interlocked.Increment(ref asked);
            most = Math.Max(most, Interlocked.Increment(ref inTheAir));
            await gate.PassAsync();
            Interlocked.Decrement(ref inTheAir);
            return Revocation.Revoked;
        }, options => options.Scopes = ScopeSet.Of([.. Enumerable.Range(0, 60).Select(i => $"table-{i}")]));
        using Gate opened = gate;
        for (int i = 0; i < 60; i++)
            await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of($"table-{i}") });
        job.Time.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(2));   // no further: their deadlines are ten seconds after the end that is assumed
        await Eventually.HoldsAsync(() => asked == 16 && job.Session.Leases.FlightsInTheAir == 60, "sixteen that are asked for, and all others waiting");

        gate.Open();
        await Eventually.HoldsAsync(() => job.Audit.Kinds.Count(kind => kind == AuditEventKind.Revoked) == 60, "all of them");

        Assert.That(most, Is.EqualTo(16));
    }

    [Test]
    public async Task The_jobs_end_finds_those_that_wait_for_their_turn_and_asks_for_them_in_its_own()
    {
        int asked = 0;
        var gate = new Gate();
        await using TestJob job = await StartAssumedAsync(async () =>
        {
            Interlocked.Increment(ref asked);
        using Gate opened = gate;
            await gate.PassAsync();
            return Revocation.Revoked;
        }, options => options.Scopes = ScopeSet.Of([.. Enumerable.Range(0, 60).Select(i => $"table-{i}")]));
        for (int i = 0; i < 60; i++)
            await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of($"table-{i}") });
        job.Time.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(2));   // no further: their deadlines are ten seconds after the end that is assumed
        await Eventually.HoldsAsync(() => asked == 16 && job.Session.Leases.FlightsInTheAir == 60, "sixteen that are asked for, and all others waiting");

        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => job.Session.Leases.FlightsInTheAir == 16 && asked == 32, "those that waited going home, and sixteen at a time of the job's end");
        gate.Open();
        JobReport report = await ending;

        Assert.That(report.AllEnded, Is.True);
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued), "each once");
    }

    [Test]
    public async Task What_fails_while_the_job_ends_is_asked_for_once_more_while_there_is_time()
    {
        int asked = 0, late = 0;
        var gate = new Gate();
        await using TestJob job = await TestJob.StartAsync(more: b => b.EndWithin(TimeSpan.FromMinutes(1)));
        using Gate opened = gate;
        BearerToken token = await job.Warehouse.GetAsync(), other = await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of("read") });
        job.Issuer.OnRevoke = async request =>
        {
            if (request.Credential == other)
                Interlocked.Increment(ref late);
            else if (Interlocked.Increment(ref asked) == 1)
            {
                await gate.PassAsync();
                throw new TokenExchangeException("NHI4002", ExchangeStage.Revoke, "The issuer is away.");
            }
            return Revocation.Revoked;
        };

        Task<LeaseEnd> revoking = job.Session.RevokeCredentialAsync(token, "drill");
        await gate.Reached;
        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => late == 1, "the job's end at work");
        gate.Open();
        LeaseEnd end = await revoking;
        JobReport report = await ending;

        Assert.That(end, Is.EqualTo(LeaseEnd.Revoked));
        Assert.That(report.Leases.Where(lease => lease.Fingerprint == token.Fingerprint).Select(lease => lease.End), Is.EqualTo(new[] { LeaseEnd.Revoked }));
        Assert.That(asked, Is.EqualTo(2));
    }

    [Test]
    public async Task So_it_is_where_another_issuer_hangs()
    {
        var time = new ManualTimeProvider();
        Gate first = new(), never = new();
        int asked = 0;
        await using JobSession job = await StartTwoAsync(
            time, async () =>
            {
                if (Interlocked.Increment(ref asked) > 1)
                    return Revocation.Revoked;
                await first.PassAsync();
                throw new TokenExchangeException("NHI4002", ExchangeStage.Revoke, "The issuer is away.");
            },
            other: async () =>
            {
                await never.PassAsync();
                return Revocation.Revoked;
            });
        using Gate opened = first, alsoOpened = never;
        BearerToken token = await job.Provider<BearerToken>("warehouse").GetAsync();
        await job.Provider<BearerToken>("other").GetAsync();

        Task<LeaseEnd> revoking = job.RevokeCredentialAsync(token, "drill");
        await first.Reached;
        Task<JobReport> ending = job.CompleteAsync();
        await never.Reached;
        first.Open();
        await Eventually.HoldsAsync(() => asked == 2 && revoking.IsCompleted, "the second try, while the other hangs and time stands still");
        time.Advance(TimeSpan.FromSeconds(10));
        JobReport report = await ending;

        Assert.That(await revoking, Is.EqualTo(LeaseEnd.Revoked));
        Assert.That(report.Leases.Select(lease => (lease.Target, lease.End)), Is.EqualTo(new[] { ("other", LeaseEnd.Failed), ("warehouse", LeaseEnd.Revoked) }));
        Assert.That(asked, Is.EqualTo(2));
    }

    [Test]
    public async Task An_issuer_that_hangs_holds_up_no_other_when_the_policy_changes()
    {
        var policy = new TestPolicy();
        var never = new Gate();
        int asked = 0, hanging = 0;
        await using JobSession job = await StartTwoAsync(
            new ManualTimeProvider(), () =>
            {
                Interlocked.Increment(ref asked);
                return Task.FromResult(Revocation.Revoked);
            },
            other: async () =>
            {
                Interlocked.Increment(ref hanging);
                await never.PassAsync();
                return Revocation.Revoked;
            },
            policy);
        using Gate opened = never;
        for (int i = 0; i < 40; i++)
            await job.Provider<BearerToken>("other").GetAsync(new CredentialRequest { Scopes = ScopeSet.Of($"table-{i}") });
        policy.Change("2", policy.Decide);
        await Eventually.HoldsAsync(() => hanging == 16, "all turns of the one that hangs, taken");
        await job.Provider<BearerToken>("warehouse").GetAsync();

        policy.Change("3", policy.Decide);
        await Eventually.HoldsAsync(() => asked == 1, "the end of what the other target gave, while time stands still");
    }

    [Test]
    public async Task Who_fails_when_the_job_s_time_is_over_gives_the_credential_up()
    {
        var gate = new Gate();
        await using TestJob job = await TestJob.StartAsync(more: b => b.EndWithin(TimeSpan.FromSeconds(5)));
        using Gate opened = gate;
        BearerToken token = await job.Warehouse.GetAsync();
        job.Issuer.OnRevoke = async _ =>
        {
            await gate.PassAsync();
            throw new TokenExchangeException("NHI4002", ExchangeStage.Revoke, "The issuer is away.");
        };

        Task<LeaseEnd> revoking = job.Session.RevokeCredentialAsync(token, "drill");
        await gate.Reached;
        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => job.Session.Ended.IsCancellationRequested, "the job's end");
        job.Time.Advance(TimeSpan.FromSeconds(7));
        JobReport report = await ending;
        gate.Open();
        await revoking;
        await job.Session.Released;

        Assert.That((report.AllEnded, report.FlightsInTheAir), Is.EqualTo((false, 1)));
        LeaseOutcome listed = report.Leases.Single();
        Assert.That((listed.Fingerprint, listed.End, listed.Reason), Is.EqualTo((token.Fingerprint, LeaseEnd.Failed, "its revocation had begun before the job's end, and was not answered by then")));
        Assert.That(token.Lease.State, Is.EqualTo(LeaseState.Taken), "nobody comes any more");
    }

    [Test]
    public async Task An_issuer_that_asks_for_years_of_patience_keeps_nobody_else_s_credential_alive()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken token = await job.Warehouse.GetAsync();
        BearerToken[] others = [.. await Task.WhenAll(new[] { "read", "write" }.Select(scope => job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of(scope) }).AsTask()))];
        job.Issuer.OnRevoke = request => request.Credential == token
            ? throw new TokenExchangeException("NHI4003", ExchangeStage.Revoke, "Too many.") { IsTransient = true, RetryAfter = TimeSpan.FromSeconds(int.MaxValue) }
            : Task.FromResult(Revocation.Revoked);

        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count == 2 || ending.IsFaulted, "the others");
        job.Time.Advance(TimeSpan.FromSeconds(10));
        JobReport report = await ending;

        Assert.That(report.Leases.Where(lease => lease.End == LeaseEnd.Failed).Select(lease => (lease.Fingerprint, lease.Reason)), Is.EqualTo(new[] { (token.Fingerprint, "NHI4003: Too many, in 1 try until the deadline") }));
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(others));
    }

    [Test]
    public async Task A_callback_that_blocks_the_told_end_keeps_no_flight_in_the_air()
    {
        using var blocked = new ManualResetEventSlim();
        var attesting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using TestJob job = await TestJob.StartAsync(source: IdentitySources.From(async (_, cancellationToken) =>
        {
            attesting.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            throw new UnreachableException();
        }));
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await attesting.Task;
        using CancellationTokenRegistration callback = job.Session.Ended.Register(blocked.Wait);   // the last to register is the first to be told

        Task<JobReport> ending = job.Session.CompleteAsync();
        try
        {
            await Eventually.HoldsAsync(() => job.Session.Leases.FlightsInTheAir == 0, "the flight's end");
        }
        finally
        {
            blocked.Set();
        }
        await ending;

        Assert.That(() => asking, Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI7001"));
    }

    [Test]
    public async Task A_report_of_months_counts_what_it_does_not_list()
    {
        await using TestJob job = await TestJob.StartAsync();
        for (int i = 0; i < 1_100; i++)
        {
            await job.Warehouse.GetAsync();
            job.Policy.Change($"{i}", _ => AccessDecision.Permit("all"));
            await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count == i + 1, "the revocation");
        }
        await Eventually.HoldsAsync(() => job.Session.Leases.FlightsInTheAir == 0, "its record");

        JobReport report = await job.Session.CompleteAsync();

        Assert.That((report.Leases.Count, report.LeasesLeftOut, report.AllEnded), Is.EqualTo((1_000, 100L, true)));
        Assert.That(report.ToString(), Does.Contain("100 credential(s) that ended before are not listed"));
    }

    [Test]
    public void Failed_ones_that_are_not_listed_count()
    {
        var outcomes = new LeaseOutcomes();
        for (int i = 0; i < 10_001; i++)
            outcomes.AddBefore(new LeaseOutcome("warehouse", $"f{i}", LeaseEnd.Failed, default, default, "no", null));
        for (int i = 0; i < 2_000; i++)
            outcomes.AddBefore(new LeaseOutcome("warehouse", $"r{i}", LeaseEnd.Revoked, default, default, null, null));

        JobReport report = outcomes.Report(JobContext.Unnamed, 0);

        Assert.That(report.Leases.Count(lease => lease.End == LeaseEnd.Failed), Is.EqualTo(10_000));
        Assert.That(report.LeasesLeftOut, Is.EqualTo(1_001));
        Assert.That(report.ToString(), Does.Contain("1 of them NOT revoked"));
        Assert.That(new JobReport(JobContext.Unnamed, [], 0, 0, 1).AllEnded, Is.False);
    }

    private static async Task<TestJob> StartAssumedAsync(Func<Task<Revocation>> onRevoke, Action<TargetOptions>? target = null)
    {
        TestJob job = await TestJob.StartAsync(target: target);
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromMinutes(5))) { EndIsAssumed = true };
        job.Issuer.OnRevoke = _ => onRevoke();
        return job;
    }

    private static Task<JobSession> StartTwoAsync(ManualTimeProvider time, Func<Task<Revocation>> warehouse, Func<Task<Revocation>> other, IAccessPolicy? policy = null) => JobSession.StartAsync(b => b
        .Identity("job", TestProofs.Source(time), ActsFor.Workload)
        .Target("warehouse", new TestExchanger(time) { OnRevoke = _ => warehouse() }, "job")
        .Target("other", new TestExchanger(time) { OnRevoke = _ => other() }, "job", [.. Enumerable.Range(0, 40).Select(i => $"table-{i}")])
        .Policy(policy ?? new TestPolicy()).Time(time).Jitter(() => 0).EndOnSignals(false));

    private static async Task<JobSession> StartHopsAsync(ManualTimeProvider time, Func<Task<Revocation>> child, Func<Task<Revocation>> parent)
    {
        JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload)
            .Target("warehouse", new TestExchanger(time) { OnRevoke = _ => parent() }, "job")
            .Target("orders", new TestExchanger(time) { OnRevoke = _ => child() }, options => options.Through = "warehouse")
            .Time(time).Jitter(() => 0).EndOnSignals(false));
        await job.Provider<BearerToken>("orders").GetAsync();
        return job;
    }
}
