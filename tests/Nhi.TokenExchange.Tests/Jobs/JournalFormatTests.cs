using System.Runtime.Versioning;
using System.Text;

namespace Nhi.TokenExchange.Tests;

/// <summary>The form of journals is a promise: what a process of this version leaves behind, every later one recovers.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class JournalFormatTests : JournalFixture
{
    private static readonly DateTimeOffset Started = new(2026, 11, 28, 2, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Dies = new(2126, 11, 28, 3, 0, 0, TimeSpan.Zero);

    [Test]
    public async Task A_journal_of_each_version_is_recovered_whole([Values(1, 2)] int version)
    {
        string journal = Path.Combine(Journals, "one.journal");
        Directory.CreateDirectory(Journals, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Copy(FileOf(version), journal);
        File.SetUnixFileMode(journal, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        foreach (string issued in (string[])["f2.held", "f4.chosen", "f5.held", "f6.held"])
            await File.WriteAllTextAsync(Path.Combine(Ledger, issued), "");
        var audit = new RecordingSink();

        RecoveryReport report = await JobSession.RecoverAsync(b => Compose(b, audit), fromOtherHosts: true);

        Assert.That((report.AllEnded, report.Refused.Count), Is.EqualTo((true, 0)), report.ToString());
        JobReport job = report.Jobs.Single();
        Assert.That((job.Job.ToString(), job.FlightsInTheAir), Is.EqualTo(("pipeline orders-nightly, dataset orders", 1)));
        Assert.That(job.Leases.Select(lease => (lease.Target, lease.Fingerprint, lease.End, lease.DiesAt)), Is.EquivalentTo(new[]
        {
            ("held", "f2", LeaseEnd.Revoked, Dies), ("bare", "f3", LeaseEnd.CannotBeRevoked, Dies), ("chosen", "", LeaseEnd.Revoked, Dies), ("held", "f6", LeaseEnd.Revoked, Dies), ("bare", "f7", LeaseEnd.CannotBeRevoked, Dies),
        }.Concat(version == 1 ? [] : [("held", "f8", LeaseEnd.Revoked, Dies), ("bare", "f9", LeaseEnd.AlreadyGone, Dies)])));
        Assert.That(Fingerprints("revoked"), Is.EquivalentTo(new[] { "f2", "f4", "f6" }), "and not what had ended, told or untold");
        Assert.That(audit.Events.Where(one => one.Fingerprint is "f8" or "f9").Select(one => one.Kind), Is.EquivalentTo(version == 1 ? Array.Empty<AuditEventKind>() : [AuditEventKind.Revoked, AuditEventKind.Expired]));
        AuditEvent attested = audit.Events.Single(one => one.Fingerprint == "f6");
        Assert.That((attested.Job.Run, attested.Job.Task, attested.AttestedFacts), Is.EqualTo(("9000000001", "70000000001", JobFacts.Run | JobFacts.Task)));
        Assert.That(attested.Job.Origins["Run"], Is.EqualTo("variable GITHUB_RUN_ID of GitHub Actions"));
        Assert.That(audit.Events.Single(one => one.IsPlatformIssued).Fingerprint, Is.EqualTo("f7"));
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public void What_is_written_today_is_version_2_to_the_letter()
    {
        JournalEntry held = Entry(2, "held") with { Fingerprint = "f2", Handle = "lease/f2", UnusableFrom = Dies.AddSeconds(-10), DiesAt = Dies };
        JobContext attested = Job(("Pipeline", "orders-nightly", "code"), ("Run", "9000000001", "variable GITHUB_RUN_ID of GitHub Actions"), ("Task", "70000000001", "claim check_run_id of GitHub Actions"));
        byte[][] lines =
        [
            JournalText.Of(new JournalHeader(Started, new ProcessIdentity("build-7.example", "5d5e2d2a-6d5b-4a3e-9c59-0f2f6f1b7c01", 4711, "183042"), Job(("Pipeline", "orders-nightly", "code"), ("Dataset", "orders", "configuration")))),
            JournalText.Of(Entry(1, "held")),
            JournalText.Of(held),
            JournalText.Of(Entry(3, "bare") with { Fingerprint = "f3", UnusableFrom = held.UnusableFrom, DiesAt = Dies }),
            JournalText.Of(Entry(4, "chosen") with { Handle = "lease/f4", UnusableFrom = Dies, DiesAt = Dies, EndIsUncertain = true }),
            JournalText.Of(Entry(5, "held") with { Fingerprint = "f5", Handle = "lease/f5", UnusableFrom = held.UnusableFrom, DiesAt = Dies }),
            JournalText.Of(Entry(6, "held") with { Job = attested, AttestedFacts = JobFacts.Run | JobFacts.Task, Fingerprint = "f6", Handle = "lease/f6", UnusableFrom = held.UnusableFrom, DiesAt = Dies }),
            JournalText.Of(Entry(7, "bare") with { IsPlatformIssued = true, Fingerprint = "f7", UnusableFrom = held.UnusableFrom, DiesAt = Dies }),
            .. Lines(Entry(8, "held") with { Fingerprint = "f8", Handle = "lease/f8", UnusableFrom = held.UnusableFrom, DiesAt = Dies, Untold = new JournalUntold(LeaseEnd.Revoked, Started.AddMinutes(30), "the job ended") }),
            .. Lines(Entry(9, "bare") with { Fingerprint = "f9", UnusableFrom = held.UnusableFrom, DiesAt = Dies, Untold = new JournalUntold(LeaseEnd.AlreadyGone, Started.AddMinutes(30), null) }),
            JournalText.OfEnd(5, "Revoked"),
            JournalText.OfClosing(),
        ];

        Assert.That(string.Concat(lines.Select(Encoding.UTF8.GetString)), Is.EqualTo(File.ReadAllText(FileOf(2))));
    }

    // Every kind of line and every field of a version. They are never changed: another form gets another version, and a file of its own beside these.
    private static string FileOf(int version) => Path.Combine(Repository.Root, "tests", "Nhi.TokenExchange.Tests", "Jobs", $"journal-{version}.jsonl");

    private static byte[][] Lines(JournalEntry entry) => [JournalRecord.Of(entry, null).Text];

    private static JournalEntry Entry(int number, string target) => new()
    {
        Number = number, At = Started.AddSeconds(number), FlightId = new Guid(0, 0, 0, [0, 0, 0, 0, 0, 0, 0, (byte)number]), Target = target, Issuer = target == "bare" ? "https://bare.test/" : "https://handles.test/",
    };

    private static JobContext Job(params (string Name, string Value, string Origin)[] facts) => JobContext.Of(facts.ToDictionary(fact => fact.Name, fact => (fact.Value, fact.Origin)))!;
}
