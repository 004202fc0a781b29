using System.Globalization;
using System.Runtime.Versioning;
using System.Text.Json;

namespace Nhi.TokenExchange.Tests;

/// <summary>What is written, in which order, and when it counts as recorded.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class AuditFileSinkTests : AuditFolderFixture
{
    [Test]
    public async Task A_chain_has_a_header_its_events_and_an_end_that_counts_them()
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "warehouse");
        await WriteAsync(sink, "archive");
        await sink.EndAsync();

        string file = Files().Single();
        IReadOnlyList<JsonElement> events = FollowChain([file]);
        Assert.That(Path.GetFileName(file), Is.EqualTo(string.Create(CultureInfo.InvariantCulture, $"orders-nightly-4711-{Environment.ProcessId}-20260101T000000000.audit.jsonl")));
        Assert.That(events[0].GetProperty("job").GetRawText(), Is.EqualTo("{\"pipeline\":\"orders-nightly\",\"run\":\"4711\"}"));
        Assert.That(events[0].GetProperty("pid").GetInt32(), Is.EqualTo(Environment.ProcessId));
        Assert.That(events[0].GetProperty("started").GetString(), Is.EqualTo("2026-01-01T00:00:00.0000000Z"));
        Assert.That(Targets(events), Is.EqualTo(new[] { "warehouse", "archive" }));
        Assert.That(events[^1].GetRawText(), Is.EqualTo("{\"kind\":\"end\",\"events\":2,\"at\":\"2026-01-01T00:00:00.0000000Z\"}"));
    }

    [Test]
    public async Task Folder_and_file_are_their_users_alone()
    {
        AuditFileSink sink = Start();
        Assert.That(File.GetUnixFileMode(Folder), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        Assert.That(File.GetUnixFileMode(Files().Single()), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        await sink.EndAsync();
    }

    [Test]
    public async Task An_event_is_recorded_when_it_is_flushed_and_not_before()
    {
        Disk.ForgetsWhatIsNotFlushed = true;
        AuditFileSink sink = Start();
        Task flushing = Disk.Shut();
        Task writing = WriteAsync(sink, "warehouse").AsTask();
        await flushing;
        Assert.That(writing.IsCompleted, Is.False, "told before the flush");
        Disk.Gate.Set();
        await writing;

        // The power goes now.
        Assert.That(Targets(FollowChain(Files())), Is.EqualTo(new[] { "warehouse" }));
        await sink.EndAsync();
    }

    [Test]
    public async Task All_that_wait_share_one_write_and_one_flush()
    {
        AuditFileSink sink = Start();
        Task flushing = Disk.Shut();
        Task first = WriteAsync(sink, "first").AsTask();
        await flushing;
        (int flushes, int writes) = (Disk.Flushes, Disk.Writes);
        Task[] others = [.. Enumerable.Range(0, 64).Select(i => WriteAsync(sink, $"t{i}").AsTask())];
        Assert.That(others.Any(other => other.IsCompleted), Is.False);
        Disk.Gate.Set();
        await Task.WhenAll([first, .. others]);

        Assert.That((Disk.Flushes - flushes, Disk.Writes - writes), Is.EqualTo((2, 1)), "the first one's flush, and one of all others");
        Assert.That(Targets(FollowChain(Files())), Is.EqualTo(new[] { "first" }.Concat(Enumerable.Range(0, 64).Select(i => $"t{i}"))));
        await sink.EndAsync();
    }

    [Test]
    public async Task Each_writer_s_events_stand_in_its_order_and_the_chain_holds_whoever_writes_at_once()
    {
        const int Writers = 32, Each = 50;
        AuditFileSink sink = Start(partBytes: 40_000);
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            for (int i = 0; i < Each; i++)
                await WriteAsync(sink, $"{writer}/{i}");
        })));
        await sink.EndAsync();

        IReadOnlyList<JsonElement> events = FollowChain(Files());
        Assert.That(Files(), Has.Length.GreaterThan(5));
        foreach (IGrouping<string, string> one in Targets(events).GroupBy(target => target.Split('/')[0]))
            Assert.That(one, Is.EqualTo(Enumerable.Range(0, Each).Select(i => $"{one.Key}/{i}")));
        Assert.That(events[^1].GetProperty("events").GetInt32(), Is.EqualTo(Writers * Each));
        Assert.That(Disk.Flushes, Is.LessThanOrEqualTo((Writers * Each) + Files().Length + 1), "never more than one each");
    }

    [Test]
    public async Task A_caller_that_gives_up_leaves_its_event_in_its_place()
    {
        AuditFileSink sink = Start();
        Task flushing = Disk.Shut();
        Task first = WriteAsync(sink, "first").AsTask();
        await flushing;
        using var cancelled = new CancellationTokenSource();
        Task second = sink.WriteAsync(Event("given-up"), cancelled.Token).AsTask().WaitAsync(cancelled.Token);
        Task third = WriteAsync(sink, "third").AsTask();
        await cancelled.CancelAsync();
        Assert.ThrowsAsync<TaskCanceledException>(() => second);
        Disk.Gate.Set();
        await Task.WhenAll(first, third);

        Assert.That(Targets(FollowChain(Files())), Is.EqualTo(new[] { "first", "given-up", "third" }));
        await sink.EndAsync();
    }

    [Test]
    public async Task A_file_that_is_full_is_followed_by_another_that_carries_the_chain()
    {
        AuditFileSink sink = Start(partBytes: 2_000);
        for (int i = 0; i < 20; i++)
            await WriteAsync(sink, $"t{i}");
        await sink.EndAsync();

        string[] files = Files();
        IReadOnlyList<JsonElement> events = FollowChain(files);
        Assert.That(files, Has.Length.GreaterThan(3));
        Assert.That(files[1], Is.EqualTo(files[0].Replace(".audit.jsonl", ".2.audit.jsonl", StringComparison.Ordinal)));
        Assert.That(files.Select(file => new FileInfo(file).Length), Is.All.LessThan(2_600));
        Assert.That(Targets(events), Is.EqualTo(Enumerable.Range(0, 20).Select(i => $"t{i}")));
        Assert.That(Marks(events).Count(mark => mark == "end"), Is.EqualTo(1));
        Assert.That(Marks(events), Does.Not.Contain("recovered"));
    }

    [Test]
    public async Task The_head_of_the_chain_is_said_to_the_log_after_so_many_events_at_each_new_file_and_at_the_end()
    {
        AuditFileSink sink = Start(partBytes: 3_000, anchorEvery: 4);
        for (int i = 0; i < 20; i++)
            await WriteAsync(sink, $"t{i}");
        await sink.EndAsync();

        var lines = new HashSet<string>();
        Guid chain = FollowChain(Files())[0].GetProperty("chain").GetGuid();
        foreach (string line in Files().SelectMany(file => TextOf(file).Split('\n', StringSplitOptions.RemoveEmptyEntries)))
        {
            using JsonDocument json = JsonDocument.Parse(line);
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"{chain:D}:{json.RootElement.GetProperty("seq").GetInt64()}:{json.RootElement.GetProperty("hash").GetString()}"));
        }
        string[] said = [.. Log.Text.Split('\n').Where(line => line.StartsWith("Audit anchor (", StringComparison.Ordinal))];
        Assert.That(said.Select(line => line.Split("): ")[1]).Distinct(), Is.SubsetOf(lines));
        Assert.That(said.Count(line => line.Contains(", events)", StringComparison.Ordinal)), Is.EqualTo(5));
        Assert.That(said.Count(line => line.Contains(", new part)", StringComparison.Ordinal)), Is.EqualTo(Files().Length - 1));
        Assert.That(said[^1], Does.Contain(", end)").And.EndsWith(lines.Last()));
    }

    [Test]
    public async Task Sessions_that_begin_at_the_same_instant_have_files_of_their_own()
    {
        AuditFileSink[] sinks = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Start())));
        await Task.WhenAll(sinks.Select(sink => WriteAsync(sink, "warehouse").AsTask()));
        await Task.WhenAll(sinks.Select(sink => sink.EndAsync()));

        Assert.That(Files(), Has.Length.EqualTo(16));
        foreach (string file in Files())
        {
            JsonElement header = FollowChain([file])[0];
            Assert.That(file, Does.EndWith($"-{DateTimeOffset.Parse(header.GetProperty("started").GetString()!, CultureInfo.InvariantCulture).UtcDateTime:yyyyMMdd'T'HHmmssfff}.audit.jsonl"));
        }
    }

    [TestCase("../../etc/passwd", "-.-..-etc-passwd", TestName = "A path")]
    [TestCase(".hidden\n", "-hidden-", TestName = "A hidden name with a line break")]
    [TestCase("bücher", "b-cher", TestName = "A letter that is not ASCII")]
    public async Task A_name_is_cleaned_before_it_names_a_file(string pipeline, string expected)
    {
        AuditFileSink sink = Start(job: new JobContext { Pipeline = pipeline });
        await sink.EndAsync();
        Assert.That(Path.GetFileName(Files().Single()), Does.StartWith($"{expected}-none-"));
        Assert.That(Path.GetDirectoryName(Files().Single()), Is.EqualTo(Folder));
    }

    [Test]
    public async Task After_its_end_nothing_is_recorded()
    {
        AuditFileSink sink = Start();
        await sink.EndAsync();
        Assert.That(async () => await WriteAsync(sink, "late"), Throws.InstanceOf<IOException>());
        Assert.That(Targets(FollowChain(Files())), Is.Empty);
    }

    [Test]
    public async Task While_it_is_written_nobody_else_can_lock_it()
    {
        AuditFileSink sink = Start();
        Assert.That(() => new FileStream(Files().Single(), FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose(), Throws.InstanceOf<IOException>());
        await sink.EndAsync();
        await new FileStream(Files().Single(), FileMode.Open, FileAccess.ReadWrite, FileShare.None).DisposeAsync();
    }
}
