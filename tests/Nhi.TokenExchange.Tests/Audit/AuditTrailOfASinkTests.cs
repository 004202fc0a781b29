using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange.Tests;

/// <summary>What the sink writes is what the verifier takes: running, in parts, after a disk that was full, after others' hands.</summary>
[Platform("Linux")]
internal sealed class AuditTrailOfASinkTests : AuditFolderFixture
{
    [Test]
    public async Task A_chain_in_parts_is_intact_while_it_is_written_and_when_it_has_ended()
    {
        AuditFileSink sink = Start(partBytes: 2_000);
        for (int i = 0; i < 20; i++)
            await WriteAsync(sink, $"t{i}");

        AuditTrail running = AuditTrail.Verify(Folder);
        Assert.That((running.IsIntact, running.Chains.Single().IsEnded, running.Chains.Single().Events), Is.EqualTo((true, false, 20L)), running.ToString());
        Assert.That(running.ToString(), Does.StartWith("INTACT, 1 NOT ENDED: "));

        await sink.EndAsync();
        var read = new List<string>();
        AuditTrail ended = AuditTrail.Verify(Folder, onRecord: record => read.Add(record.Event.Target));
        Assert.That((ended.IsIntact, ended.Chains.Single().IsEnded), Is.EqualTo((true, true)), ended.ToString());
        Assert.That(read, Is.EqualTo(Enumerable.Range(0, 20).Select(i => $"t{i}")));
    }

    [Test]
    public async Task So_is_one_that_went_on_after_a_full_disk()
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "before");
        Disk.Room = 100;
        await RefusedAsync(WriteAsync(sink, "lost"));
        Disk.Room = null;
        await WriteAsync(sink, "after");
        await sink.EndAsync();

        AuditTrail trail = AuditTrail.Verify(Folder);

        Assert.That((trail.IsIntact, trail.Chains.Single().IsEnded, trail.Chains.Single().Events, trail.Chains.Single().Files.Count), Is.EqualTo((true, true, 2L, 2)), trail.ToString());
    }

    [Test]
    public async Task A_file_that_somebody_added_a_line_to_is_at_fault_there_and_the_chain_says_so_too()
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "before");
        using (SafeFileHandle others = UnixOpen.ToWrite(Files().Single()))
            RandomAccess.Write(others, "{}\n"u8, RandomAccess.GetLength(others));
        await WriteAsync(sink, "after");
        await sink.EndAsync();

        AuditTrail trail = AuditTrail.Verify(Folder);

        Assert.That((trail.Chains.Single().Fault?.File, trail.Chains.Single().Fault?.Line), Is.EqualTo((Files()[0], 3L)), trail.ToString());
    }

    [Test]
    public async Task A_copy_under_another_name_does_not_take_the_place_of_the_file_itself()
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "first");
        await WriteAsync(sink, "second");
        await sink.EndAsync();
        string copy = Path.Combine(Folder, "aaa.audit.jsonl");
        File.Copy(Files().Single(), copy);

        var read = new List<string>();
        AuditTrail trail = AuditTrail.Verify(Folder, onRecord: record => read.Add(record.Event.Target));

        Assert.That(trail.Faults.Single().File, Is.EqualTo(copy), trail.ToString());
        Assert.That(read, Is.EqualTo(new[] { "first", "second" }));
    }

    [Test]
    public async Task Each_anchor_that_it_says_is_met()
    {
        AuditFileSink sink = Start(partBytes: 3_000, anchorEvery: 4);
        for (int i = 0; i < 20; i++)
            await WriteAsync(sink, $"t{i}");
        await sink.EndAsync();
        string[] said = [.. Log.Text.Split('\n').Where(line => line.StartsWith("Audit anchor", StringComparison.Ordinal)).Select(line => line.Trim().Split(' ')[^1])];

        AuditTrail trail = AuditTrail.Verify(Folder, said);

        Assert.That(said, Has.Length.GreaterThan(5));
        Assert.That((trail.IsIntact, trail.Chains.Single().AnchoredTo > 20), Is.EqualTo((true, true)), trail.ToString());
    }
}
