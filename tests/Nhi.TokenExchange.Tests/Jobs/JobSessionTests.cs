namespace Nhi.TokenExchange.Tests;

public class JobSessionTests
{
    [Test]
    public async Task The_end_revokes_each_lease_once_and_providers_throw()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken first = await job.Warehouse.GetAsync();
        job.Warehouse.Reject(first);
        await job.Warehouse.GetAsync();

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
        Assert.That(report.Leases.Select(l => l.End), Is.All.EqualTo(LeaseEnd.Revoked));
        Assert.That(report.AllEnded, Is.True);
        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());
        Assert.That((error!.Code, error.Stage), Is.EqualTo(("NHI7001", ExchangeStage.JobEnded)));
        Assert.That(job.Warehouse.TryGet(out _), Is.False);
        Assert.That(job.Session.Ended.IsCancellationRequested, Is.True);
    }

    [Test]
    public async Task All_who_complete_get_the_same_report()
    {
        await using TestJob job = await TestJob.StartAsync();
        await job.Warehouse.GetAsync();

        JobReport[] reports = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => job.Session.CompleteAsync()));
        job.Session.Dispose();

        Assert.That(reports.Distinct().ToArray(), Has.Length.EqualTo(1));
        Assert.That(job.Issuer.Revoked, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task C4_A_flight_that_lands_after_the_end_revokes_its_own_credential_and_its_waiters_get_JobEnded()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Gate = new Gate());
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await job.Issuer.Gate!.Reached;

        Task<JobReport> ending = job.Session.CompleteAsync();
        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(() => asking);
        job.Issuer.Gate.Open();
        JobReport report = await ending;

        Assert.That(error!.Code, Is.EqualTo("NHI7001"));
        Assert.That(job.Issuer.Issued, Has.Count.EqualTo(1));
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
        Assert.That(report.Leases, Has.Count.EqualTo(1));
        Assert.That(report.AllEnded, Is.True);
    }

    [Test]
    public async Task A_flight_that_is_not_back_at_the_deadline_is_counted_and_revokes_itself_later()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Gate = new Gate());
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await job.Issuer.Gate!.Reached;
        int timers = job.Time.PendingTimers;
        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => job.Time.PendingTimers > timers, "the timer of the job's end");

        job.Time.Advance(TimeSpan.FromSeconds(10));
        JobReport report = await ending;

        Assert.ThrowsAsync<TokenExchangeException>(() => asking);
        Assert.That((report.FlightsInTheAir, report.AllEnded), Is.EqualTo((1, false)));
        job.Issuer.Gate.Open();
        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count > 0, "a revocation");
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
    }

    [Test]
    public async Task A_flight_and_the_exchange_that_it_left_behind_are_one_flight_in_the_air()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Gate = new Gate());
        using var failing = new Gate();
        job.Audit.Hold = e => e.Kind == AuditEventKind.Failed ? failing.PassAsync() : Task.CompletedTask;
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await job.Issuer.Gate!.Reached;
        int timers = job.Time.PendingTimers;
        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => job.Time.PendingTimers > timers, "the timer of the job's end");
        job.Time.Advance(TimeSpan.FromSeconds(10));
        await ending;

        await failing.Reached;   // the flight has given its exchange up and records that it failed
        int whileBothGoOn = job.Session.Leases.FlightsInTheAir;
        failing.Open();
        job.Issuer.Gate.Open();
        await job.Session.Leases.Drained;

        Assert.That(whileBothGoOn, Is.EqualTo(1));
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
        Assert.ThrowsAsync<TokenExchangeException>(() => asking);
    }

    [Test]
    public async Task A_credential_that_cannot_be_revoked_is_reported_with_the_instant_it_dies()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.OnRevoke = _ => Task.FromResult(Revocation.NotSupported));
        BearerToken token = await job.Warehouse.GetAsync();

        JobReport report = await job.Session.CompleteAsync();

        LeaseOutcome outcome = report.Leases.Single();
        Assert.That((outcome.End, outcome.DiesAt), Is.EqualTo((LeaseEnd.CannotBeRevoked, token.ExpiresAt)));
        Assert.That(outcome.ToString(), Does.Contain("cannot be revoked, dies at 2026-01-01 01:00:00Z"));
        Assert.That(report.AllEnded, Is.True);
        AuditEvent orphaned = job.Audit.Events[^1];
        Assert.That((orphaned.Kind, orphaned.DiesAt, orphaned.Fingerprint), Is.EqualTo((AuditEventKind.Orphaned, (DateTimeOffset?)token.ExpiresAt, token.Fingerprint)));
    }

    [Test]
    public async Task A_revocation_that_fails_for_a_moment_or_has_a_time_limit_of_its_own_is_tried_again([Values("503", "cancelled", "too long")] string how)
    {
        int tries = 0;
        await using TestJob job = await TestJob.StartAsync(i => i.OnRevoke = _ => ++tries < 3
            ? throw how switch
            {
                "503" => new TokenExchangeException("NHI4012", ExchangeStage.Revoke, how) { IsTransient = true },
                "cancelled" => new TaskCanceledException(how),
                _ => new TimeoutException(how),
            }
            : Task.FromResult(Revocation.Revoked));
        await job.Warehouse.GetAsync();

        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(
            () =>
            {
                if (job.Time.PendingTimers == 3)   // the two deadlines', and the wait's before the next try
                    job.Time.Advance(TimeSpan.FromMilliseconds(100));
                return ending.IsCompleted;
            },
            "the end of the job");

        Assert.That((await ending).Leases.Single().End, Is.EqualTo(LeaseEnd.Revoked));
        Assert.That(tries, Is.EqualTo(3));
    }

    [Test]
    public async Task A_revocation_that_hangs_is_given_up_at_the_deadline_and_reported()
    {
        var never = new TaskCompletionSource<Revocation>();
        var reached = new TaskCompletionSource();
        await using TestJob job = await TestJob.StartAsync(i => i.OnRevoke = _ =>
        {
            reached.TrySetResult();
            return never.Task;
        });
        await job.Warehouse.GetAsync();
        Task<JobReport> ending = job.Session.CompleteAsync();
        await reached.Task;

        job.Time.Advance(TimeSpan.FromSeconds(10));

        JobReport report = await ending;
        Assert.That(report.Leases.Single().End, Is.EqualTo(LeaseEnd.Failed));
        Assert.That(report.AllEnded, Is.False);
        Assert.That(report.ToString(), Does.Contain("NOT revoked"));
    }

    [Test]
    public async Task Leases_are_revoked_in_parallel()
    {
        var gate = new Gate();
        int together = 0;
        var all = new TaskCompletionSource();
        await using TestJob job = await TestJob.StartAsync(i => i.OnRevoke = async _ =>
        {
            if (Interlocked.Increment(ref together) == 3)
                all.SetResult();
            await gate.PassAsync();
            return Revocation.Revoked;
        });
        using Gate opened = gate;
        for (int i = 0; i < 3; i++)
        {
            job.Warehouse.Reject(await job.Warehouse.GetAsync());
            job.Time.Advance(TimeSpan.FromMinutes(2));   // or the next would have to wait
        }

        Task<JobReport> ending = job.Session.CompleteAsync();
        await all.Task;   // all three wait at the issuer at once
        gate.Open();

        Assert.That((await ending).Leases, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task Leases_that_died_of_age_are_not_revoked()
    {
        await using TestJob job = await TestJob.StartAsync();
        await job.Warehouse.GetAsync();
        job.Time.Advance(TimeSpan.FromHours(2));

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(job.Issuer.Revoked, Is.Empty);
        Assert.That(report.Leases.Single().End, Is.EqualTo(LeaseEnd.AlreadyGone));
    }

    [Test]
    public async Task A_policy_change_revokes_what_was_granted_before_and_dooms_the_flight_in_the_air()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken before = await job.Warehouse.GetAsync();

        job.Policy.Change("2", _ => AccessDecision.Permit("all"));
        BearerToken after = await job.Warehouse.GetAsync();

        Assert.That(after, Is.Not.SameAs(before));
        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count > 0, "a revocation");
        Assert.That(job.Issuer.Revoked.Single(), Is.SameAs(before));

        job.Warehouse.Reject(after);
        job.Issuer.Gate = new Gate();
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await job.Issuer.Gate.Reached;
        job.Policy.Change("3", _ => AccessDecision.Deny("closed", "no more"));
        job.Issuer.Gate.Open();
        Assert.ThrowsAsync<AccessDeniedException>(() => asking);
        await job.Session.CompleteAsync();
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
    }

    [Test]
    public async Task Sessions_of_one_process_share_nothing()
    {
        await using TestJob one = await TestJob.StartAsync();
        await using TestJob two = await TestJob.StartAsync();
        await one.Warehouse.GetAsync();
        BearerToken of2 = await two.Warehouse.GetAsync();

        await one.Session.CompleteAsync();

        Assert.That(await two.Warehouse.GetAsync(), Is.SameAs(of2));
        Assert.That(two.Issuer.Revoked, Is.Empty);
    }

    [Test]
    public async Task A_wrong_name_or_kind_says_what_there_is()
    {
        await using TestJob job = await TestJob.StartAsync();

        TokenExchangeException? name = Assert.Throws<TokenExchangeException>(() => job.Session.Provider<BearerToken>("warehous"));
        TokenExchangeException? kind = Assert.Throws<TokenExchangeException>(() => job.Session.Provider<OtherCredential>("warehouse"));

        Assert.That(name!.Message, Does.Contain("'warehous'").And.Contain("warehouse"));
        Assert.That(kind!.Message, Does.Contain("gives BearerToken, not OtherCredential"));
    }

    [Test]
    public async Task A_callback_on_the_end_that_disposes_the_job_or_throws_holds_nothing_up()
    {
        await using TestJob job = await TestJob.StartAsync();
        await job.Warehouse.GetAsync();
        var gotOne = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        // The last registered runs first.
        job.Session.Ended.Register(job.Session.Dispose);   // waits for the end, which must not wait for it
        job.Session.Ended.Register(() => throw new InvalidOperationException("the job's own"));
        job.Session.Ended.Register(() => gotOne.SetResult(job.Warehouse.TryGet(out _)));
        int timers = job.Time.PendingTimers;

        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count > 0 && job.Time.PendingTimers > timers, "a revocation, and the timer of the job's end");
        job.Time.Advance(TimeSpan.FromSeconds(10));
        JobReport report = await ending;

        Assert.That(report.Leases.Single().End, Is.EqualTo(LeaseEnd.Revoked));
        Assert.That(await gotOne.Task, Is.False, "from Ended on providers give nothing");
    }

    [Test]
    public async Task An_ended_session_is_no_longer_registered_with_its_policy()
    {
        var policy = new Moq.Mock<IAccessPolicy>();
        var source = new CancellationTokenSource();
        var change = new Moq.Mock<Microsoft.Extensions.Primitives.IChangeToken>();
        var registration = new Moq.Mock<IDisposable>();
        change.Setup(c => c.ActiveChangeCallbacks).Returns(true);
        change.Setup(c => c.RegisterChangeCallback(Moq.It.IsAny<Action<object?>>(), Moq.It.IsAny<object?>())).Returns(registration.Object);
        policy.Setup(p => p.GetChangeToken()).Returns(change.Object);
        await using TestJob job = await TestJob.StartAsync(more: b => b.Policy(policy.Object));

        await job.Session.CompleteAsync();

        registration.Verify(r => r.Dispose(), Moq.Times.Once);
    }

    private sealed class OtherCredential(string secret, DateTimeOffset expiresAt) : Credential(secret, expiresAt);
}
