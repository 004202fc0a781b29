using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tests;

/// <summary>What becomes of the folder, or of the room in it, while a chain is written there: nothing is recorded twice, nothing silently lost.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class LostFolderTests : AuditFolderFixture
{
    [Test]
    public async Task A_folder_that_is_deleted_is_made_again_for_its_owner_alone_and_the_loss_is_told()
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "before");
        Directory.Delete(Folder, recursive: true);
        await WriteAsync(sink, "after");
        await sink.EndAsync();

        Assert.That(Files().Single(), Does.EndWith(".2.audit.jsonl"));
        Assert.That(File.GetUnixFileMode(Folder), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        AuditTrail trail = AuditTrail.Verify(Folder);
        Assert.That(trail.Faults.Single().What, Does.Contain("part 1 is missing").And.Contain("its process noticed: part 1 was deleted"));
        Assert.That(Log.Text, Does.Contain("was deleted").And.Contain("NHI6003"));
    }

    [Test]
    public async Task A_folder_whose_place_is_gone_or_taken_records_nothing_until_it_is_there_again([Values("gone", "a file")] string what)
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "before");
        string place = Path.GetDirectoryName(Folder)!;
        Directory.Delete(place, recursive: true);
        if (what == "a file")
        {
            Directory.CreateDirectory(place);
            await File.WriteAllTextAsync(Folder, "");
        }

        Assert.That((await RefusedAsync(WriteAsync(sink, "lost")) as TokenExchangeException)?.Code, Is.EqualTo("NHI6002"));

        Directory.CreateDirectory(place);
        File.Delete(Folder);
        await WriteAsync(sink, "after");
        await sink.EndAsync();
        Assert.That(TextOf(Files().Single()), Does.Contain("\"after\"").And.Not.Contain("\"lost\"").And.Contain("part 1 was deleted"));
    }

    [Test]
    public async Task A_disk_that_is_full_when_a_further_file_is_made_records_nothing_and_leaves_no_half_of_it()
    {
        AuditFileSink sink = Start(partBytes: 2_000);
        await WriteAsync(sink, "before");
        long[] lengths = [.. Files().Select(file => new FileInfo(file).Length)];
        Disk.Room = 500;   // the next event wants a file of its own

        await RefusedAsync(WriteAsync(sink, "lost"));
        await RefusedAsync(WriteAsync(sink, "lost-again"));

        Assert.That(Files().Select(file => new FileInfo(file).Length), Is.EqualTo(lengths));
        Disk.Room = null;
        await WriteAsync(sink, "after");
        await sink.EndAsync();
        Assert.That(Targets(FollowChain(Files())), Is.EqualTo(new[] { "before", "after" }));
        Assert.That(Marks(FollowChain(Files())), Is.EqualTo(new[] { "file", "file", "end" }), "the first file was not touched");
        Assert.That(AuditTrail.Verify(Folder, [sink.LastAnchor!]).IsIntact, Is.True);
    }

    [Test]
    public async Task A_disk_that_hangs_when_the_job_starts_refuses_the_start_and_what_it_makes_late_is_ended()
    {
        Task hangs = Disk.Shut();
        Task<JobSession> starting = Task.Run(() => JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(Time), ActsFor.Workload).Target("warehouse", new TestExchanger(Time), "job").AuditFolder(Folder).AuditDisk(Disk).Time(Time).EndOnSignals(false).Logging(Log)));
        await hangs;

        await Eventually.HoldsAsync(
            () =>
            {
                Time.Advance(TimeSpan.FromSeconds(1));
                return starting.IsCompleted;
            },
            "the refusal");

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => starting)!;
        Assert.That(refused.Message, Does.StartWith("NHI6002").And.Contain("has taken no file for 10 seconds").And.Contain("hangs"));
        Disk.Gate.Set();
        await Eventually.HoldsAsync(() => AuditTrail.Verify(Folder) is { IsIntact: true, Chains: [{ IsEnded: true }] }, "its end");
    }

    [Test]
    public async Task Chains_that_begin_in_one_folder_at_one_instant_keep_apart()
    {
        AuditFileSink[] sinks = [.. await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Start(partBytes: 2_000))))];
        await Task.WhenAll(sinks.SelectMany(sink => Enumerable.Range(0, 6).Select(i => WriteAsync(sink, $"t{i}").AsTask())));
        await Task.WhenAll(sinks.Select(sink => sink.EndAsync()));

        AuditTrail trail = AuditTrail.Verify(Folder, sinks.Select(sink => sink.LastAnchor!));
        Assert.That((trail.IsIntact, trail.Chains.Count), Is.EqualTo((true, 8)), trail.ToString());
        Assert.That(trail.Chains, Is.All.Matches<AuditChain>(chain => chain is { IsEnded: true, Events: 6 }));
    }
}
