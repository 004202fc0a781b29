using System.Text;
using Microsoft.Win32.SafeHandles;
using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests;

/// <summary>A renewal that the server made, and whose answer never came: no journal lets the next start take for gone what may live.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class LostRenewalsInTheJournalTests : JournalFixture
{
    // A journal that is slow to be written must not be overtaken by the clock.
    private readonly SkippingTime _time = new() { Skips = false };

    [TestCase("database", EmulatorEndpoint.VaultLease)]
    [TestCase("vault", EmulatorEndpoint.VaultToken)]
    [Platform(Exclude = "Win", Reason = "Nobody else may read a journal there while its job lives.")]
    public async Task It_is_uncertain_in_the_journal_before_the_server_is_asked(string target, EmulatorEndpoint endpoint)
    {
        await using VaultJob job = await StartAsync();
        await job.HeldAsync();
        Assert.That(Entry(target).EndIsUncertain, Is.False);
        DateTimeOffset known = Entry(target).DiesAt;
        HeldRequest renewing = job.Emulator.Faults.HoldNext(endpoint);
        _time.Advance(VaultJob.RefreshDue);
        await renewing.Reached;

        Assert.That((Entry(target).EndIsUncertain, Entry(target).DiesAt), Is.EqualTo((true, known)));
        renewing.Release();
        await job.QuietAsync();
        Assert.That((Entry(target).EndIsUncertain, Entry(target).DiesAt), Is.EqualTo((false, known + VaultJob.RefreshDue)), "it has answered");
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "Nobody else may read a journal there while its job lives.")]
    public async Task What_gives_no_more_is_certain_again()
    {
        await using VaultJob job = await StartAsync();
        job.SecretRole.MaxTtl = TimeSpan.FromHours(1);
        VaultSecret secret = await job.HeldAsync();
        HeldRequest renewing = job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultLease);
        _time.Advance(VaultJob.RefreshDue);
        await renewing.Reached;
        Assert.That(Entry("database").EndIsUncertain, Is.True);
        renewing.Release();

        await Eventually.HoldsAsync(() => !Entry("database").EndIsUncertain, "the end that is known");
        Assert.That((Entry("database").DiesAt, Entry("database").Fingerprint), Is.EqualTo((secret.ExpiresAt, secret.Fingerprint)));
    }

    [Test]
    public async Task A_recovery_after_the_end_that_was_known_keeps_what_the_server_lengthened_until_it_can_be_revoked()
    {
        await using VaultJob job = await StartAsync();
        VaultSecret secret = await job.HeldAsync();
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultLease, Fault.ResetAfterWork(), times: 5);   // as often as one renewal is tried
        HeldRequest renewing = job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultLease);
        _time.Advance(VaultJob.RefreshDue);
        await renewing.Reached;
        _time.Skips = true;
        renewing.Release();
        await job.QuietAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultLease, Fault.Status(503));
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultToken, Fault.Status(503));
        Assert.That((await job.Session.CompleteAsync()).Leases.Single(lease => lease.Target == "database").Reason, Does.Contain("when it dies is uncertain"));
        _time.Advance(secret.ExpiresAt - _time.GetUtcNow() + TimeSpan.FromMinutes(1));
        Assert.That(job.Emulator.Ledger.IsAlive(secret.Fingerprint), Is.True, "it lives longer than its job knew");
        var audit = new RecordingSink();

        RecoveryReport away = await job.RecoverAsync(Journals, audit, time: _time);

        LeaseOutcome left = away.Jobs.SelectMany(one => one.Leases).Single(lease => lease.Target == "database");
        Assert.That((left.End, away.AllEnded), Is.EqualTo((LeaseEnd.Failed, false)));
        Assert.That(left.Reason, Does.Contain("when it dies is uncertain"));
        Assert.That(audit.Events.Where(e => e.Fingerprint == secret.Fingerprint).Select(e => e.Kind), Is.EqualTo(new[] { AuditEventKind.Orphaned }));
        job.Emulator.Faults.Clear();
        _time.Skips = false;
        RecoveryReport back = await job.RecoverAsync(Journals, audit, time: _time);
        Assert.That((back.Jobs.SelectMany(one => one.Leases).Single(lease => lease.Target == "database").End, back.AllEnded), Is.EqualTo((LeaseEnd.Revoked, true)));
        Assert.That(job.Emulator.Ledger.IsAlive(secret.Fingerprint), Is.False);
    }

    [Test]
    public async Task A_renewal_that_comes_while_its_job_ends_leaves_the_end_that_the_server_gave()
    {
        await using VaultJob job = await StartAsync();
        VaultSecret secret = await job.HeldAsync();
        HeldRequest renewing = job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultLease, HoldPoint.BeforeAnswer);
        _time.Advance(VaultJob.RefreshDue);
        await renewing.Reached;
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultLease, Fault.Vault(403, "permission denied"));
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultToken, Fault.Vault(400, "failed to parse JSON input"));
        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => job.Requests(EmulatorEndpoint.VaultLease) > 1, "the revocation, though the renewal is on the way");
        renewing.Release();
        await Eventually.HoldsAsync(() => Entry("database").DiesAt > secret.ExpiresAt, "the end that the server gave, written down");
        await Eventually.HoldsAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));   // what could not be ended is tried again until the job can wait no longer
                return ending.IsCompleted;
            },
            "the job's end");
        await job.Session.Released;

        Assert.That((Entry("database").DiesAt, Entry("database").EndIsUncertain), Is.EqualTo((secret.ExpiresAt + VaultJob.RefreshDue, false)));
        Assert.That(job.Emulator.Ledger.Issued.Single(issue => issue.Fingerprint == secret.Fingerprint).EndsAt, Is.EqualTo(Entry("database").DiesAt).Within(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public async Task A_journal_that_can_not_be_written_keeps_the_server_from_being_asked_and_takes_nothing_away([Values] bool takesTheText)
    {
        var disk = new DiskOfCertainEnds { TakesTheText = takesTheText };
        await using VaultJob job = await VaultJob.StartAsync(_time, more: b => b.Journal(Journals).JournalDisk(disk));
        VaultSecret held = await job.HeldAsync();
        _time.Advance(VaultJob.RefreshDue);
        await job.QuietAsync();

        Assert.That((job.Requests(EmulatorEndpoint.VaultLease), job.Requests(EmulatorEndpoint.VaultToken)), Is.EqualTo((0, 0)), "neither is asked to lengthen anything");
        Assert.That(job.Audit.Events.Where(e => e.Kind == AuditEventKind.Failed).Select(e => e.Code), Is.Not.Empty.And.All.EqualTo(ErrorCodes.NotRecorded));
        Assert.That(held.Lease.EndIsUncertain, Is.False, "nothing was sent: its end is what it was");
        Assert.That(await job.Database.GetAsync(), Is.SameAs(held));
        disk.IsWhole = true;
        await job.QuietAsync();
        _time.Advance(TimeSpan.FromMinutes(2));
        VaultSecret renewed = await job.RefreshedAsync();

        Assert.That((renewed.Fingerprint, job.Requests(EmulatorEndpoint.VaultLease)), Is.EqualTo((held.Fingerprint, 1)));
    }

    private Task<VaultJob> StartAsync() => VaultJob.StartAsync(_time, more: b => b.Journal(Journals));

    // What a process that is killed at this instant leaves behind.
    private JournalEntry Entry(string target)
    {
        using SafeFileHandle handle = UnixOpen.ToRead(Files().Single());
        byte[] bytes = new byte[RandomAccess.GetLength(handle)];
        int length = RandomAccess.Read(handle, bytes, 0);
        var open = new Dictionary<long, JournalEntry>();
        foreach (string line in Encoding.UTF8.GetString(bytes, 0, length).Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1))
        {
            JournalLine read = JournalLine.Read(Encoding.UTF8.GetBytes(line));
            if (read.Kind == "entry" && read.ToEntry() is var entry)
                open[entry.Number] = entry;
            else if (read.Kind == "ended")
                open.Remove(read.ToEnd());
        }
        return open.Values.Single(entry => entry.Target == target && !entry.IsUnknown);
    }

    /// <summary>A disk that fails at each line that says that an end is uncertain: before it has taken it, or when it is to be flushed.</summary>
    private sealed class DiskOfCertainEnds : Disk
    {
        private bool _hasSuchALine;

        public bool TakesTheText { get; init; }

        public bool IsWhole { get; set; }

        public override void Write(SafeFileHandle file, ReadOnlySpan<byte> text, long at)
        {
            _hasSuchALine = text.IndexOf("\"uncertain\":true"u8) >= 0;
            if (_hasSuchALine && !TakesTheText && !IsWhole)
                throw new IOException("No space left on device");
            base.Write(file, text, at);
        }

        public override void Flush(SafeFileHandle file)
        {
            if (_hasSuchALine && !IsWhole)
                throw new IOException("Input/output error");
            base.Flush(file);
        }
    }
}
