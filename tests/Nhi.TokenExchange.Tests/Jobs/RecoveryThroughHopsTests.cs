namespace Nhi.TokenExchange.Tests;

/// <summary>Recovery of what was got through another target, beside a job that ends meanwhile: it has a quarter of the end's time, and what it does not come to is left to the next.</summary>
internal sealed class RecoveryThroughHopsTests : JournalFixture
{
    // "RecoveryLane": so many revocations of one target at once.
    private const int AtOnce = 16;

    // What the end of a job leaves to it, of ten seconds.
    private static readonly TimeSpan HeadStart = TimeSpan.FromSeconds(2.5);

    private readonly EndNotingTime _time = new();
    private int _asked;

    [Test]
    public async Task A_job_that_is_done_at_once_waits_a_quarter_of_its_end_for_what_only_its_hops_credentials_can_end()
    {
        await LeaveBehindAsync();
        var login = new Gate();
        await using JobSession brief = await StartAsync(AskWithLoginAsync, login: login);
        using Gate opened = login;
        await login.Reached;
        Task<JobReport> ending = await EndAsync(brief);

        Assert.That((ending.IsCompleted, brief.Ended.IsCancellationRequested), Is.EqualTo((false, false)));
        login.Open();

        Assert.That((await brief.WaitForRecoveryAsync()).AllEnded, Is.True);
        Assert.That((await ending).Leases.Select(lease => (lease.Target, lease.End)), Is.EqualTo(new[] { ("warehouse", LeaseEnd.Revoked) }), "the login is its own to end");
    }

    [Test]
    public async Task What_the_end_of_a_short_job_cut_off_is_left_to_the_next_and_not_told_as_failed()
    {
        await LeaveBehindAsync();
        var audit = new RecordingSink();
        var gate = new Gate();
        await using JobSession brief = await StartAsync(
            async request =>
            {
                await gate.PassAsync();
                return await AskWithLoginAsync(request);
            }, audit);
        using Gate opened = gate;
        await gate.Reached;
        Task<JobReport> ending = await EndAsync(brief);
        _time.Manual.Advance(HeadStart);
        await Eventually.HoldsAsync(() => brief.Ended.IsCancellationRequested, "the job's end");
        gate.Open();
        await ending;
        RecoveryReport cutOff = await brief.WaitForRecoveryAsync();
        await brief.Released;

        Assert.That(cutOff.AllEnded, Is.False);
        Assert.That(cutOff.Jobs.Single().Leases.Select(lease => lease.Reason), Is.All.Contains("cut off; the next one goes on").And.Exactly(20).Items);
        Assert.That(audit.Kinds, Does.Not.Contain(AuditEventKind.Orphaned));

        await using JobSession next = await StartAsync(AskWithLoginAsync);
        Assert.That((await next.WaitForRecoveryAsync()).AllEnded, Is.True);
    }

    [Test]
    public async Task That_quarter_is_of_the_one_deadline()
    {
        await LeaveBehindAsync();
        var gate = new Gate();
        await using JobSession brief = await StartAsync(async request =>
        {
            await gate.PassAsync();
            return Revocation.AlreadyGone;
        });
        using Gate opened = gate;
        await gate.Reached;
        _time.Manual.Advance(TimeSpan.FromSeconds(1));   // the deadline of the revocation itself comes a second before the end's
        Task<JobReport> ending = await EndAsync(brief);
        _time.Manual.Advance(HeadStart);
        await Eventually.HoldsAsync(() => brief.Ended.IsCancellationRequested && _time.Manual.PendingTimers > 0, "the job's end");

        _time.Manual.Advance(TimeSpan.FromSeconds(7.5));

        await ending.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System);
        Assert.That((await brief.WaitForRecoveryAsync()).AllEnded, Is.False);
    }

    [Test]
    public async Task Who_revokes_the_job_meanwhile_ends_it_at_once()
    {
        await LeaveBehindAsync();
        var audit = new RecordingSink();
        var login = new Gate();
        await using JobSession brief = await StartAsync(AskWithLoginAsync, audit, login);
        using Gate opened = login;
        await login.Reached;
        Task<JobReport> ending = await EndAsync(brief);

        Task<JobReport> revoked = brief.RevokeAsync("a drill");

        await Eventually.HoldsAsync(() => brief.Ended.IsCancellationRequested, "the job's end");
        login.Open();
        Assert.That(await revoked, Is.SameAs(await ending));
        AuditEvent cutShort = audit.Events.Single(one => one.Kind == AuditEventKind.JobCutShort);
        Assert.That((cutShort.Code, cutShort.Reason), Is.EqualTo(("NHI7002", "the job was revoked by code: a drill")));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => brief.Provider<BearerToken>("warehouse").GetAsync().AsTask())!.Message, Does.Contain("a drill"));
    }

    [Test]
    public async Task An_issuer_that_was_not_asked_for_want_of_a_login_is_not_taken_for_silent()
    {
        await LeaveBehindAsync();
        var login = new Gate();
        await using JobSession job = await StartAsync(AskWithLoginAsync, login: login);
        using Gate opened = login;
        await login.Reached;
        await Eventually.HoldsAsync(() => Volatile.Read(ref _asked) == AtOnce, "what is asked for at once");

        _time.Manual.Advance(TimeSpan.FromSeconds(10));
        await Eventually.HoldsAsync(() => Volatile.Read(ref _asked) == 20, "the others' turn");
        login.Open();

        RecoveryReport report = await job.WaitForRecoveryAsync();
        Assert.That(report.Jobs.Single().Leases.Count(lease => lease.End == LeaseEnd.AlreadyGone), Is.EqualTo(20 - AtOnce), report.ToString());
    }

    [Test]
    public async Task What_needs_no_credential_of_the_job_is_not_waited_for()
    {
        Write($"{Header}\n{Of("archive", 1)}\n");
        var gate = new Gate();
        await using JobSession brief = await StartAsync(AskWithLoginAsync, archive: gate);
        using Gate opened = gate;
        await gate.Reached;
        Task<JobReport> ending = brief.CompleteAsync();

        await Eventually.HoldsAsync(() => brief.Ended.IsCancellationRequested, "the job's end, though the clock stands still");
        gate.Open();
        Assert.That((await ending).AllEnded, Is.True);
    }

    [Test]
    public async Task The_wait_ends_with_the_last_of_those_that_do_though_others_of_the_same_journal_hang()
    {
        Write($"{Header}\n{Of("archive", 1)}\n{Of("orders", 2)}\n");
        Gate gate = new(), login = new();
        await using JobSession brief = await StartAsync(AskWithLoginAsync, login: login, archive: gate);
        using Gate opened = gate, let = login;
        await Task.WhenAll(gate.Reached, login.Reached);
        Task<JobReport> ending = await EndAsync(brief, asked: 1);
        Assert.That(brief.Ended.IsCancellationRequested, Is.False);

        login.Open();

        await Eventually.HoldsAsync(() => brief.Ended.IsCancellationRequested, "the job's end, though the clock stands still");
        gate.Open();
        Assert.That((await ending).AllEnded, Is.True);
    }

    private static string Of(string target, int number) => Lease(number, target: target, issuer: "https://issuer.test/");

    private async Task<Task<JobReport>> EndAsync(JobSession job, int asked = AtOnce)
    {
        await Eventually.HoldsAsync(() => Volatile.Read(ref _asked) == asked, "what is asked for at once");
        Task begun = _time.NextHeadStart();   // the killed job's end may have had one, too
        Task<JobReport> ending = job.CompleteAsync();
        await begun.WaitAsync(TimeSpan.FromMinutes(1));
        return ending;
    }

    private static async Task<Revocation> AskWithLoginAsync(RevocationRequest<BearerToken> request)
    {
        await request.Subject!(CancellationToken.None);
        return Revocation.AlreadyGone;
    }

    private async Task LeaveBehindAsync()
    {
        await using JobSession killed = await StartAsync(_ => throw new TokenExchangeException("NHI4012", ExchangeStage.Revoke, "This client may not revoke."));
        for (int i = 0; i < 20; i++)
            await killed.Provider<BearerToken>("orders").GetAsync(new CredentialRequest { Scopes = ScopeSet.Of($"table-{i}") });
    }

    private Task<JobSession> StartAsync(Func<RevocationRequest<BearerToken>, Task<Revocation>> onRevoke, RecordingSink? audit = null, Gate? login = null, Gate? archive = null)
    {
        _asked = 0;
        var orders = new TestExchanger(_time)
        {
            OnRevoke = request =>
            {
                Interlocked.Increment(ref _asked);
                return onRevoke(request);
            },
        };
        async Task<Revocation> EndOfArchiveAsync()
        {
            await (archive?.PassAsync() ?? Task.CompletedTask);
            return Revocation.AlreadyGone;
        }
        orders.Answer = _ =>
        {
            BearerToken token = orders.NewToken();
            return new Issued<BearerToken>(token) { RevocationHandle = "lease/" + token.Fingerprint };
        };
        return JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(_time), ActsFor.Workload)
            .Target("warehouse", new TestExchanger(_time) { Gate = login }, "job")
            .Target("archive", new TestExchanger(_time) { OnRevoke = _ => EndOfArchiveAsync() }, "job")
            .Target("orders", orders, options => (options.Through, options.Scopes) = ("warehouse", ScopeSet.Of([.. Enumerable.Range(0, 20).Select(i => $"table-{i}")])))
            .Audit(audit ?? new RecordingSink()).Journal(Journals).Time(_time).Jitter(() => 0).EndOnSignals(false));
    }

    /// <summary>A clock that tells when an end's wait for the recovery has begun: by the timer of its length, which is nobody else's.</summary>
    private sealed class EndNotingTime : TimeProvider
    {
        private volatile TaskCompletionSource _began = new();

        public ManualTimeProvider Manual { get; } = new();

        public Task NextHeadStart() => (_began = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        public override long TimestampFrequency => Manual.TimestampFrequency;

        public override long GetTimestamp() => Manual.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => Manual.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            ITimer timer = Manual.CreateTimer(callback, state, dueTime, period);
            if (dueTime == HeadStart)
                _began.TrySetResult();
            return timer;
        }
    }
}
