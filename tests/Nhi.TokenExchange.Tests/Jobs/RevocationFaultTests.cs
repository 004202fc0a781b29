using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests;

/// <summary>Revocation endpoints that are down, slow, missing, throttling or broken when a job ends: the end comes by its deadline, and report, log, audit and health say of each credential what the issuers' ledger says.</summary>
/// <remarks>The jobs' clock skips waits: a deadline of ten seconds takes none, and an end without one would never come.</remarks>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class RevocationFaultTests
{
    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(10);

    private readonly SkippingTime _time = new();
    private readonly LoggedText _log = new();

    // How far the clock may have gone on when the report is there: where two credentials wait, one skips its wait while the other's is ended.
    private TimeSpan _late = TimeSpan.FromSeconds(1);

    /// <summary>The fault, when the job's end is over, and how many requests that costs at most.</summary>
    private static IEnumerable<TestCaseData> Faults() =>
        from one in new (string Name, Fault Fault, TimeSpan Until, int Requests)[]
        {
            ("connection reset", Fault.Reset(), EndWithin, 60),
            ("404", Fault.Error("not_found", 404), TimeSpan.Zero, 1),
            ("429", Fault.Status(429), EndWithin, 60),
            ("429, again in 3 s", Fault.Status(429, ("Retry-After", "3")), EndWithin, 4),
            ("429, again in 20 s", Fault.Status(429, ("Retry-After", "20")), EndWithin, 1),
            ("500", Fault.Status(500), EndWithin, 60),
            ("503, again in 3 s", Fault.Status(503, ("Retry-After", "3")), EndWithin, 4),
        }
        select new TestCaseData(one.Fault, one.Until, one.Requests).SetArgDisplayNames(one.Name);

    [TestCaseSource(nameof(Faults))]
    public async Task An_authorization_server_that_revokes_nothing(Fault fault, TimeSpan until, int requests)
    {
        await using EmulatedJob job = await StartAsync();
        await job.Warehouse.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.Revocation, fault);

        await AssertGivenUpAsync(job.Session, job.Emulator.Ledger, job.Audit, until, "warehouse");

        Assert.That(job.Emulator.Ledger.Requests.Of(EmulatorEndpoint.Revocation), Is.InRange(1, requests), "Retry-After is kept");
    }

    [Test]
    public async Task What_was_said_last_and_how_often_it_was_asked_is_told_whatever_time_the_end_has([Values(1, 3, 4, 10)] int seconds)
    {
        await using EmulatedJob job = await EmulatedJob.StartAsync(_time, more: b => b.EndWithin(TimeSpan.FromSeconds(seconds)));
        await job.Warehouse.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.Revocation, Fault.Status(503, ("Retry-After", "2")));

        LeaseOutcome left = (await job.Session.CompleteAsync()).Leases.Single();

        int asked = job.Emulator.Ledger.Requests.Of(EmulatorEndpoint.Revocation);
        Assert.That(left.Reason, Does.Match($"^NHI40(02|12): Host .+ answered 503 at .+, in {asked} (try|tries) until the deadline$"));
    }

    [TestCaseSource(nameof(Faults))]
    public async Task A_Vault_that_revokes_no_login(Fault fault, TimeSpan until, int requests)
    {
        await using VaultJob job = await StartVaultAsync();
        await job.Login.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultToken, fault);

        await AssertGivenUpAsync(job.Session, job.Emulator.Ledger, job.Audit, until, "vault");

        Assert.That(job.Requests(EmulatorEndpoint.VaultToken), Is.InRange(1, requests), "Retry-After is kept");
    }

    [TestCaseSource(nameof(Faults))]
    public async Task A_Vault_that_revokes_neither_lease_nor_login(Fault fault, TimeSpan until, int _)
    {
        await using VaultJob job = await StartVaultAsync();
        await job.Database.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultLease, fault);
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultToken, fault);
        _late = TimeSpan.FromMinutes(1);

        await AssertGivenUpAsync(job.Session, job.Emulator.Ledger, job.Audit, until, "vault", "database");
    }

    [Test]
    public async Task A_server_that_takes_no_connection()
    {
        FaultProxy? proxy = null;
        await using EmulatedJob job = await StartAsync(target: (options, emulator) =>
        {
            proxy = FaultProxy.Start(emulator.Authorization.RevocationEndpoint, TimeProvider.System);
            (options.TokenEndpoint, options.RevocationEndpoint) = (emulator.Authorization.TokenEndpoint, proxy.Address);
        });
        await job.Warehouse.GetAsync();
        await proxy!.DisposeAsync();

        await AssertGivenUpAsync(job.Session, job.Emulator.Ledger, job.Audit, EndWithin, "warehouse");
    }

    private static IEnumerable<TestCaseData> Silences() =>
    [
        new TestCaseData(Fault.Delay(TimeSpan.FromDays(1))).SetArgDisplayNames("no answer"),
        new TestCaseData(Fault.Status(429, ("Retry-After", "60"))).SetArgDisplayNames("429, again in a minute"),
    ];

    [TestCaseSource(nameof(Silences))]
    public async Task An_authorization_server_that_says_nothing_until_the_deadline(Fault fault)
    {
        await using EmulatedJob job = await StartAsync();
        await job.Warehouse.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.Revocation, fault);

        await AssertGivenUpAsync(job.Session, job.Emulator.Ledger, job.Audit, EndWithin, async ending =>
        {
            await Eventually.HoldsAsync(() => job.Emulator.Ledger.Requests.Of(EmulatorEndpoint.Revocation) == 1, "the revocation at its server");
            AdvanceToTheDeadline(ending, EndWithin);
        }, "warehouse");
    }

    [TestCaseSource(nameof(Silences))]
    public async Task A_Vault_that_says_nothing_until_the_deadline(Fault fault)
    {
        await using VaultJob job = await StartVaultAsync();
        await job.Database.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultLease, fault);
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultToken, fault);

        await AssertGivenUpAsync(job.Session, job.Emulator.Ledger, job.Audit, EndWithin, async ending =>
        {
            await Eventually.HoldsAsync(() => job.Requests(EmulatorEndpoint.VaultLease) == 1 && _time.Deadlines.Contains(EndWithin / 4), "the lease's revocation at the server, and the login that waits for it");
            _time.Advance(EndWithin / 4);
            await Eventually.HoldsAsync(() => job.Requests(EmulatorEndpoint.VaultToken) == 1, "the login's");
            AdvanceToTheDeadline(ending, EndWithin - (EndWithin / 4));
        }, "vault", "database");
    }

    [Test]
    public async Task A_Vault_whose_answer_is_lost_is_asked_again_and_says_that_it_is_gone()
    {
        await using VaultJob job = await StartVaultAsync();
        BearerToken login = await job.Login.GetAsync();
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultToken, Fault.ResetAfterWork());

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (login.Fingerprint, LeaseEnd.AlreadyGone) }));
        Assert.That((job.Emulator.Ledger.IsAlive(login.Fingerprint), report.AllEnded), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task A_server_that_goes_through_all_of_it_and_comes_back_in_time_has_revoked_once()
    {
        await using EmulatedJob job = await StartAsync();
        BearerToken token = await job.Warehouse.GetAsync();
        foreach (Fault fault in (Fault[])[Fault.Reset(), Fault.Status(500), Fault.Status(429), Fault.Status(429, ("Retry-After", "3")), Fault.Status(503)])
            job.Emulator.Faults.Next(EmulatorEndpoint.Revocation, fault);
        DateTimeOffset began = _time.GetUtcNow();

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (token.Fingerprint, LeaseEnd.Revoked) }));
        Assert.That(job.Emulator.Ledger.IsAlive(token.Fingerprint), Is.False);
        Assert.That(job.Emulator.Ledger.Requests.Of(EmulatorEndpoint.Revocation), Is.EqualTo(6));
        Assert.That(_time.GetUtcNow() - began, Is.InRange(TimeSpan.FromSeconds(3), EndWithin));
        Assert.That(_log.Text, Does.Contain($"Job ended (completed): {job.Session.Context}; {report.ToLine()}").And.Not.Contain("live on"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_server_that_is_slow_and_down_and_throttles_in_turn_ends_it_or_says_404(bool hasEndpoint)
    {
        await using EmulatedJob job = await StartAsync();
        BearerToken token = await job.Warehouse.GetAsync();
        HeldRequest slow = job.Emulator.Faults.HoldNext(EmulatorEndpoint.Revocation);
        job.Emulator.Faults.Next(EmulatorEndpoint.Revocation, Fault.Reset());
        job.Emulator.Faults.Next(EmulatorEndpoint.Revocation, Fault.Status(429, ("Retry-After", "2")));
        if (!hasEndpoint)
            job.Emulator.Faults.Next(EmulatorEndpoint.Revocation, Fault.Error("not_found", 404));
        DateTimeOffset began = _time.GetUtcNow();

        Task<JobReport> ending = job.Session.CompleteAsync();
        await slow.Reached;
        _time.Advance(TimeSpan.FromSeconds(5));
        slow.Release();
        JobReport report = await ending;

        LeaseOutcome lease = report.Leases.Single();
        Assert.That(_time.GetUtcNow() - began, Is.InRange(TimeSpan.FromSeconds(7), EndWithin), "slow for 5 s, and 2 s of patience");
        Assert.That((lease.Fingerprint, lease.End, report.AllEnded), Is.EqualTo((token.Fingerprint, hasEndpoint ? LeaseEnd.Revoked : LeaseEnd.Failed, hasEndpoint)));
        Assert.That(job.Emulator.Ledger.IsAlive(token.Fingerprint), Is.EqualTo(!hasEndpoint), "as the report says");
        Assert.That(lease.Reason, hasEndpoint ? Is.Null : Does.StartWith("NHI4012").And.Contain("404"));
        Assert.That(job.Emulator.Ledger.Requests.Of(EmulatorEndpoint.Revocation), Is.EqualTo(3));
    }

    [Test]
    public async Task A_server_that_is_slow_and_answers_in_time_has_revoked()
    {
        await using EmulatedJob job = await StartAsync();
        BearerToken token = await job.Warehouse.GetAsync();
        HeldRequest slow = job.Emulator.Faults.HoldNext(EmulatorEndpoint.Revocation, HoldPoint.BeforeAnswer);

        Task<JobReport> ending = job.Session.CompleteAsync();
        await slow.Reached;
        _time.Advance(EndWithin - TimeSpan.FromSeconds(1));
        slow.Release();
        JobReport report = await ending;

        Assert.That(report.Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (token.Fingerprint, LeaseEnd.Revoked) }));
        Assert.That(job.Emulator.Ledger.IsAlive(token.Fingerprint), Is.False);
    }

    private Task<EmulatedJob> StartAsync(Action<Rfc8693Options, IdentityEmulator>? target = null) =>
        EmulatedJob.StartAsync(_time, target: target, more: b => b.EndWithin(EndWithin).Logging(_log));

    private Task<VaultJob> StartVaultAsync() => VaultJob.StartAsync(_time, more: b => b.EndWithin(EndWithin).Logging(_log));

    private void AdvanceToTheDeadline(Task ending, TimeSpan left)
    {
        _time.Advance(left - TimeSpan.FromMilliseconds(1));
        Assert.That(ending.IsCompleted, Is.False, "the deadline has not come");
        _time.Advance(TimeSpan.FromMilliseconds(1));
    }

    private Task AssertGivenUpAsync(JobSession session, Ledger ledger, RecordingSink audit, TimeSpan until, params string[] targets) =>
        AssertGivenUpAsync(session, ledger, audit, until, _ => Task.CompletedTask, targets);

    private async Task AssertGivenUpAsync(JobSession session, Ledger ledger, RecordingSink audit, TimeSpan until, Func<Task, Task> whileEnding, params string[] targets)
    {
        DateTimeOffset began = _time.GetUtcNow();
        Task<JobReport> ending = session.CompleteAsync();
        await whileEnding(ending);
        JobReport report = await ending;

        Assert.That(_time.GetUtcNow() - began, Is.InRange(until, until + _late), "the deadline is kept, and nobody waits for what does not pass");
        Assert.That(report.AllEnded, Is.False);
        Assert.That(report.Leases.Select(lease => (lease.Target, lease.End)), Is.EquivalentTo(targets.Select(target => (target, LeaseEnd.Failed))));
        Assert.That(_log.Text, Does.Contain($"Job ended (completed) with credentials that live on: {session.Context}; {string.Join("; ", report.Leases)}"));   // the log is told before the audit
        foreach (LeaseOutcome lease in report.Leases)
        {
            LedgerIssue issue = ledger.Issued.Single(issue => issue.Fingerprint == lease.Fingerprint);
            Assert.That(issue.RevokedAt, Is.Null, "it was not revoked, as the report says");
            Assert.That(lease.Reason, until == EndWithin ? Does.Match("^(NHI40(02|03|12): .+, in [0-9]+ (try|tries) until the deadline|not done until the deadline, at .+, which did not answer in 1 try)$") : Does.StartWith("NHI4012: "));
            Assert.That(lease.DiesAt, Is.EqualTo(issue.EndsAt).Within(TimeSpan.FromSeconds(1)));
            Assert.That(report.ToString(), Does.Contain($"{lease.Target} {lease.Fingerprint}: NOT revoked ({lease.Reason}){(lease.Handle is { } handle ? $", handle {handle}" : "")}, dies at {lease.DiesAt:u}"));
            await Eventually.HoldsAsync(() => audit.Events.Last(one => one.Fingerprint == lease.Fingerprint).Kind != AuditEventKind.Issued, "its record: the wait for that is skipped, too");
            AuditEvent told = audit.Events.Last(one => one.Fingerprint == lease.Fingerprint);
            Assert.That((told.Kind, told.Code, told.DiesAt), Is.EqualTo((AuditEventKind.Orphaned, "NHI4012", (DateTimeOffset?)lease.DiesAt)));
            Assert.That((await HealthAsync(session, lease.Target)).Data["unrevoked"], Is.EqualTo(1));
        }
    }

    private static Task<HealthCheckResult> HealthAsync(JobSession session, string target)
    {
        var check = new TargetHealthCheck(session.Runtime(target));
        return check.CheckHealthAsync(new HealthCheckContext { Registration = new HealthCheckRegistration(target, check, HealthStatus.Unhealthy, null) });
    }
}
