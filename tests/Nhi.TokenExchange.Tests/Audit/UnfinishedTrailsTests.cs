using System.Diagnostics;
using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tests;

/// <summary>Chains of earlier processes that have no end: told of, and left as they are.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class UnfinishedTrailsTests : AuditFolderFixture
{
    [TestCase("its end line", 1)]
    [TestCase("half of its end line", 0)]
    public async Task A_chain_without_an_end_is_told_of_with_its_name_and_not_touched(string what, int wholeLines)
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "warehouse");
        await sink.EndAsync();
        string file = Files().Single(), text = TextOf(file);
        int endOfLast = text.LastIndexOf("{\"seq\":3", StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, text[..(wholeLines == 1 ? endOfLast : text.Length - 30)]);
        string left = TextOf(file);

        UnfinishedTrails.Tell(AuditFolder.Open(Folder), Job, Log);

        Assert.That(Log.Text, Does.Contain("1 audit file(s) of earlier processes have no end").And.Contain("NHI6004").And.Contain(Path.GetFileName(file)), what);
        Assert.That(TextOf(file), Is.EqualTo(left));
    }

    [Test]
    public async Task A_chain_that_ended_in_any_part_or_is_written_yet_or_is_another_pipeline_s_is_not_told_of()
    {
        AuditFileSink whole = Start(partBytes: 1_000), living = Start(), others = Start(job: new JobContext { Pipeline = "customers" });
        for (int i = 0; i < 9; i++)
            await WriteAsync(whole, "warehouse");
        await whole.EndAsync();
        await others.EndAsync();
        string other = Files().Single(file => Path.GetFileName(file).StartsWith("customers", StringComparison.Ordinal));
        await File.WriteAllTextAsync(other, "torn");

        UnfinishedTrails.Tell(AuditFolder.Open(Folder), Job, Log);

        Assert.That(Log.Text, Does.Not.Contain("NHI6004"));
        await living.EndAsync();
    }

    [Test]
    public async Task A_chain_whose_last_part_has_another_name_is_looked_at_there_whatever_has_its_own()
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "before");
        string first = Files().Single();
        foreach (int part in new[] { 2, 3 })
        {
            await File.WriteAllTextAsync(first.Replace(".audit.jsonl", $".{part}.audit.jsonl", StringComparison.Ordinal), "a stranger's\n");
            File.Delete(part == 2 ? first : first.Replace(".audit.jsonl", ".2.1.audit.jsonl", StringComparison.Ordinal));
            await WriteAsync(sink, "after");
        }
        await sink.EndAsync();

        UnfinishedTrails.Tell(AuditFolder.Open(Folder), Job, Log);

        Assert.That(Log.Text, Does.Not.Contain("NHI6004"));
    }

    [Test]
    public async Task What_is_no_file_holds_nothing_up()
    {
        await Start().EndAsync();
        string fifo = Files().Single().Replace(".audit.jsonl", "", StringComparison.Ordinal)[..^3] + "999.audit.jsonl";
        using (var make = Process.Start("mkfifo", [fifo]))
            await make.WaitForExitAsync();
        File.CreateSymbolicLink(fifo.Replace("999.audit", "998.audit", StringComparison.Ordinal), Files().First(file => file != fifo));

        UnfinishedTrails.Tell(AuditFolder.Open(Folder), Job, Log);

        Assert.That(Log.Text, Does.Not.Contain("NHI6004"));
    }

    [Test]
    public async Task The_next_job_tells_of_it()
    {
        await Start().EndAsync();
        await File.AppendAllTextAsync(Files().Single(), "{\"seq\"");
        await using (await TestJob.StartAsync(more: b => b.AuditFolder(Folder).Logging(Log)))
        {
        }
        Assert.That(Log.Text, Does.Contain("NHI6004"));
    }
}
