using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests;

/// <summary>An audit that is slow, hangs or blocks when credentials are ended: none of them lives a moment longer for it.</summary>
internal sealed class SlowAuditAtTheEndTests : JournalFixture
{
    private const int Count = 200;

    [Test]
    public async Task P57_An_audit_that_hangs_holds_up_no_revocation_and_the_job_s_end_by_two_seconds()
    {
        await using TestJob job = await StartAsync();
        using var never = new Gate();
        job.Audit.Hold = one => one.Kind == AuditEventKind.Revoked ? never.PassAsync() : Task.CompletedTask;

        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count == Count, "all revocations, while time stands still");
        job.Time.Advance(TimeSpan.FromSeconds(10));
        bool isEarly = ending.IsCompleted;
        job.Time.Advance(TimeSpan.FromSeconds(2));
        JobReport report = await ending;

        Assert.That(isEarly, Is.False, "the audit has two seconds more than the issuers");
        Assert.That(report.Leases.Select(lease => lease.End), Is.All.EqualTo(LeaseEnd.Revoked));
        Assert.That(report.AllEnded, Is.True);
    }

    [Test]
    public async Task An_audit_that_blocks_its_caller_holds_up_no_revocation_either()
    {
        using var blocked = new ManualResetEventSlim();
        await using TestJob job = await StartAsync();
        job.Audit.Refuse = one =>
        {
            if (one.Kind == AuditEventKind.Revoked)
                blocked.Wait();
            return null;
        };

        try
        {
            Task<JobReport> ending = job.Session.CompleteAsync();
            await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count == Count, "all revocations");
            job.Time.Advance(TimeSpan.FromSeconds(12));
            Assert.That((await ending).AllEnded, Is.True);
        }
        finally
        {
            blocked.Set();
        }
    }

    [Test]
    public async Task What_the_audit_takes_late_is_recorded_before_the_job_has_ended_each_once_and_in_order()
    {
        await using TestJob job = await StartAsync();
        using var gate = new Gate();
        job.Audit.Hold = one => one.Kind == AuditEventKind.Revoked ? gate.PassAsync() : Task.CompletedTask;

        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count == Count, "all revocations");
        job.Time.Advance(TimeSpan.FromSeconds(1));
        gate.Open();
        await ending;

        Assert.That(job.Audit.Events.Where(one => one.Kind == AuditEventKind.Revoked).Select(one => one.Fingerprint), Is.EquivalentTo(job.Issuer.Revoked.Select(token => token.Fingerprint)));
    }

    [Test]
    public async Task A_chain_says_that_it_is_whole_when_the_last_end_is_in_it_however_long_the_disk_took()
    {
        string folder = Directory.CreateTempSubdirectory("nhi-audit-").FullName;
        var disk = new TestDisk();
        TestJob job = await StartAsync(b => b.AuditFolder(Path.Combine(folder, "audit")).AuditDisk(disk));
        await EndAsync(job, disk, disk.Shut());

        var told = new List<AuditEventKind>();
        AuditTrail trail = AuditTrail.Verify(Path.Combine(folder, "audit"), onRecord: record => told.Add(record.Event.Kind));
        Assert.That((trail.IsIntact, trail.Chains.Single().IsEnded), Is.EqualTo((true, true)), trail.ToString());
        Assert.That(told.Count(kind => kind == AuditEventKind.Revoked), Is.EqualTo(Count));
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public async Task So_it_does_where_the_disk_refused_them_first_and_hangs_when_they_are_told_once_more()
    {
        string folder = Directory.CreateTempSubdirectory("nhi-audit-").FullName;
        var disk = new TestDisk();
        int refused = 0;
        using var log = new HeardLog(id =>
        {
            if (id != 402 || ++refused != Count)   // what is said later hangs it no second time
                return;
            disk.Gate.Reset();
            disk.Room = null;
        });
        TestJob job = await StartAsync(b => b.AuditFolder(Path.Combine(folder, "audit")).AuditDisk(disk).Logging(log));
        disk.Room = 0;
        await EndAsync(job, disk, Eventually.HoldsAsync(() => disk.Waiting > 0, "the second telling stands before the disk"));

        var told = new List<string?>();
        AuditTrail trail = AuditTrail.Verify(Path.Combine(folder, "audit"), onRecord: record => told.Add(record.Event.Kind == AuditEventKind.Revoked ? record.Event.Fingerprint : null));
        Assert.That((trail.IsIntact, trail.Chains.Single().IsEnded), Is.EqualTo((true, true)), trail.ToString());
        Assert.That(told.OfType<string>(), Is.EquivalentTo(job.Issuer.Revoked.Select(token => token.Fingerprint)));
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public async Task What_the_chain_took_late_is_not_left_to_the_next_start()
    {
        var disk = new TestDisk();
        string folder = Path.Combine(Ledger, "audit");
        await using (TestJob job = await StartAsync(b => b.Journal(Journals).AuditFolder(folder).AuditDisk(disk)))
        {
            await EndAsync(job, disk, disk.Shut());
        }
        await using TestJob next = await TestJob.StartAsync(i => i.OnRevoke = _ => throw new InvalidOperationException("it was asked"), more: b => b.Journal(Journals));
        await next.Session.WaitForRecoveryAsync();

        // Whose two seconds were over is told twice.
        Assert.That(next.Audit.Kinds, Has.Count.LessThan(Count / 2));
    }

    [Test]
    public async Task A_policy_change_is_not_held_up_by_it()
    {
        await using TestJob job = await StartAsync();
        using var never = new Gate();
        job.Audit.Hold = one => one.Kind == AuditEventKind.Revoked ? never.PassAsync() : Task.CompletedTask;

        job.Policy.Change("2", _ => AccessDecision.Permit("all"));

        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count == Count, "all revocations, while time stands still");
    }

    [Test]
    public async Task What_it_never_took_is_left_to_the_next_start_to_tell()
    {
        await using (TestJob job = await StartAsync(b => b.Journal(Journals)))
        {
            using var never = new Gate();
            job.Audit.Hold = one => one.Kind == AuditEventKind.Revoked ? never.PassAsync() : Task.CompletedTask;
            Task<JobReport> ending = job.Session.CompleteAsync();
            await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count == Count, "all revocations");
            job.Time.Advance(TimeSpan.FromSeconds(12));
            Assert.That((await ending).Untold, Is.EqualTo(Count));
            await job.Session.Released;
        }
        await using TestJob next = await TestJob.StartAsync(i => i.OnRevoke = _ => throw new InvalidOperationException("it was asked"), more: b => b.Journal(Journals));

        RecoveryReport report = await next.Session.WaitForRecoveryAsync();

        Assert.That(report.AllEnded, Is.True);
        Assert.That(report.Jobs.Single().Leases, Has.Count.EqualTo(Count));
        Assert.That(next.Audit.Kinds, Is.All.EqualTo(AuditEventKind.Revoked).And.Exactly(Count).Items);
    }

    // With a disk that hangs from then on until the job's time is over.
    private static async Task EndAsync(TestJob job, TestDisk disk, Task hangs)
    {
        Task<JobReport> ending = job.Session.CompleteAsync();
        await hangs;
        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count == Count, "all revocations");
        job.Time.Advance(TimeSpan.FromSeconds(12));
        await ending;
        disk.Gate.Set();
        await job.Session.Released;
    }

    private static async Task<TestJob> StartAsync(Action<TokenExchangeBuilder>? more = null)
    {
        string[] tables = [.. Enumerable.Range(0, Count).Select(i => string.Create(CultureInfo.InvariantCulture, $"table-{i}"))];
        TestJob job = await TestJob.StartAsync(target: options => options.Scopes = ScopeSet.Of(tables), more: more);
        job.Issuer.Answer = _ =>
        {
            BearerToken token = job.Issuer.NewToken();
            return new Issued<BearerToken>(token) { RevocationHandle = "lease/" + token.Fingerprint };
        };
        foreach (string table in tables)
            await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of(table) });
        return job;
    }

    // The event ids, each before its writer goes on.
    private sealed class HeardLog(Action<int> hear) : ILoggerFactory, ILogger
    {
        private readonly Lock _lock = new();

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lock)
                hear(eventId.Id);
        }

        public void Dispose()
        {
        }
    }
}
