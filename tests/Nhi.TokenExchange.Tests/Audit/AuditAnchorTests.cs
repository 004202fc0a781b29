using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tests;

/// <summary>When the head of a chain is said where nobody who may write its files can change it, and where.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class AuditAnchorTests : AuditFolderFixture
{
    [Test]
    public async Task It_is_said_when_the_chain_begins_so_that_a_chain_that_is_taken_away_is_missed()
    {
        AuditFileSink sink = Start();
        await Eventually.HoldsAsync(() => Said().Length == 1, "the first anchor");
        await sink.EndAsync();
        File.Delete(Files().Single());

        Assert.That(AuditTrail.Verify(Folder, [Said()[0]]).Faults.Single().What, Does.StartWith("has no file of the chain of anchor"));
    }

    [Test]
    public async Task It_is_said_five_minutes_after_an_event_at_most_and_not_where_nothing_came()
    {
        AuditFileSink sink = Start();
        Time.Advance(TimeSpan.FromHours(1));
        await WriteAsync(sink, "warehouse");
        await Eventually.HoldsAsync(() => Said().Length == 1, "that of the beginning alone");
        Time.Advance(TimeSpan.FromMinutes(5));
        await Eventually.HoldsAsync(() => Said().Length == 2, "the anchor of the event");
        Time.Advance(TimeSpan.FromHours(1));
        await WriteAsync(sink, "archive");
        Assert.That(Said(), Has.Length.EqualTo(2), "nothing came meanwhile");
        Time.Advance(TimeSpan.FromMinutes(5));
        await Eventually.HoldsAsync(() => Said().Length == 3, "the anchor of the second event");
        await sink.EndAsync();

        Assert.That(AuditTrail.Verify(Folder, Said()).IsIntact, Is.True);
        Assert.That(Said()[1], Does.Contain(":2:"));
        Assert.That(Said()[2], Does.Contain(":3:"));
    }

    [Test]
    public async Task The_report_has_that_of_the_last_line_and_a_trace_has_it_too()
    {
        using var heard = new Telemetry();
        await using TestJob job = await TestJob.StartAsync(more: b => b.AuditFolder(Folder).Logging(Log));
        await job.Warehouse.GetAsync();
        JobReport report = await job.Session.CompleteAsync();

        AuditTrail trail = AuditTrail.Verify(Folder, [report.AuditAnchor!]);
        Assert.That((trail.IsIntact, trail.Chains.Single().Anchor, trail.Chains.Single().AnchoredTo), Is.EqualTo((true, report.AuditAnchor, 7L)), trail.ToString());
        Assert.That(heard.Activities.Where(one => one.OperationName == "nhi.audit.anchor").Select(one => one.GetTagItem("nhi.audit.anchor")), Does.Contain(report.AuditAnchor));
    }

    [Test]
    public async Task A_job_without_files_has_none()
    {
        await using TestJob job = await TestJob.StartAsync();
        Assert.That((await job.Session.CompleteAsync()).AuditAnchor, Is.Null);
    }

    private string[] Said() => [.. Log.Text.Split('\n').Where(line => line.StartsWith("Audit anchor (", StringComparison.Ordinal)).Select(line => line.Split("): ")[1])];
}
