using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.Json;

namespace Nhi.TokenExchange.Tests;

/// <summary>Disks that are full or fail, and files that somebody deletes, moves, replaces, cuts or adds to while they are written.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class AuditFileFaultTests : AuditFolderFixture
{
    [Test]
    public async Task P57_A_full_disk_records_nothing_leaves_no_half_line_and_no_further_file_and_the_chain_goes_on_when_there_is_room()
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "before");
        long length = new FileInfo(Files().Single()).Length;
        Disk.Room = 100;

        Exception refused = await RefusedAsync(WriteAsync(sink, "lost"));
        Exception again = await RefusedAsync(WriteAsync(sink, "lost-again"));

        Assert.That(refused.Message, Is.EqualTo("No space left on device"));
        Assert.That(again.Message, Is.EqualTo("No space left on device"));
        Assert.That(Files().Select(file => new FileInfo(file).Length), Is.EqualTo(new[] { length }));
        Assert.That(Targets(FollowChain(Files())), Is.EqualTo(new[] { "before" }));

        Disk.Room = null;
        await WriteAsync(sink, "after");
        await sink.EndAsync();
        IReadOnlyList<JsonElement> events = FollowChain(Files());
        Assert.That(Targets(events), Is.EqualTo(new[] { "before", "after" }));
        Assert.That(Marks(events), Is.EqualTo(new[] { "file", "file", "recovered", "end" }));
        JsonElement recovered = events.Single(one => one.TryGetProperty("cut", out _));
        Assert.That(recovered.GetProperty("cut").GetInt64(), Is.EqualTo(100));
        Assert.That(recovered.GetProperty("found").GetString(), Is.EqualTo("part 1 could not be written, and was cut back to its last whole line"));
        Assert.That(events[^1].GetProperty("events").GetInt32(), Is.EqualTo(2));
        Assert.That(Log.Text.Split("can't be written (IOException: No space left on device)"), Has.Length.EqualTo(2), "said once");
        Assert.That(Log.Text, Does.Contain("cut back to its last whole line;").And.Not.Contain("left as it is"));
    }

    [Test]
    public async Task What_could_not_be_flushed_is_not_recorded_and_not_written_again()
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "before");
        Disk.FailsToFlush = true;
        Assert.That((await RefusedAsync(WriteAsync(sink, "lost"))).Message, Is.EqualTo("Input/output error"));
        Disk.FailsToFlush = false;
        await WriteAsync(sink, "after");
        await sink.EndAsync();

        Assert.That(Targets(FollowChain(Files())), Is.EqualTo(new[] { "before", "after" }));
        Assert.That(Files(), Has.Length.EqualTo(2), "what the failed flush left of the first file is not known");
    }

    [Test]
    public async Task Until_a_failed_write_is_cut_back_nothing_is_written()
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "before");
        (Disk.Room, Disk.FailsToCut) = (100, true);
        await RefusedAsync(WriteAsync(sink, "lost"));
        Disk.Room = null;
        int writes = Disk.Writes;
        await RefusedAsync(WriteAsync(sink, "lost-again"));
        Assert.That(Disk.Writes, Is.EqualTo(writes));
        Disk.FailsToCut = false;
        await WriteAsync(sink, "after");
        await sink.EndAsync();
        Assert.That(Targets(FollowChain(Files())), Is.EqualTo(new[] { "before", "after" }));
    }

    [Test]
    public async Task B26_A_disk_that_is_full_at_the_start_refuses_the_start_and_leaves_nothing()
    {
        Disk.Room = 10;
        TokenExchangeException refused = Assert.Throws<TokenExchangeException>(() => Start())!;
        Assert.That(refused.Code, Is.EqualTo("NHI6002"));
        Assert.That(refused.Message, Does.Contain($"'{Folder}' takes no file (No space left on device)").And.Contain("with room on its disk"));
        Assert.That(Files(), Is.Empty);
        Disk.Room = null;
        await Start().EndAsync();
    }

    [Test]
    public async Task A_disk_that_is_full_at_the_end_leaves_a_chain_without_an_end_whose_last_line_is_anchored()
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "before");
        Disk.Room = 10;
        await sink.EndAsync();
        Assert.That(Marks(FollowChain(Files())), Is.EqualTo(new[] { "file" }));
        Assert.That(Log.Text, Does.Contain("can't be written").And.Contain("last line; the end could not be written").And.Not.Contain(", end)"));
        AuditTrail trail = AuditTrail.Verify(Folder, [sink.LastAnchor!]);
        Assert.That((trail.IsIntact, trail.Chains.Single().IsEnded, trail.Chains.Single().AnchoredTo), Is.EqualTo((true, false, 2)), trail.ToString());
    }

    public static IEnumerable<TestCaseData> Changes()
    {
        yield return Change("deleted", File.Delete, "was deleted", stays: false);
        yield return Change("moved away", file => File.Move(file, file + ".1"), "was moved away", stays: false);
        yield return Change("replaced", file =>
        {
            File.Delete(file);
            File.WriteAllText(file, "another\n");
        }, "was deleted", stays: true);
        yield return Change("moved away and replaced", file =>
        {
            File.Move(file, file + ".1");
            File.WriteAllText(file, "another\n");
        }, "was moved away, and a regular file has its name", stays: true);
        yield return Change("replaced by a link", file =>
        {
            File.Move(file, file + ".1");
            File.CreateSymbolicLink(file, file + ".1");
        }, "was moved away, and a symbolic link has its name", stays: true);
        yield return Change("replaced by a FIFO", file =>
        {
            File.Move(file, file + ".1");
            Run("mkfifo", file);
        }, "was moved away, and a FIFO has its name", stays: true);
        yield return Change("cut", file => Run("truncate", "-s", "20", file), "was cut: it has 20 bytes", stays: true);
        yield return Change("cut at the end of a line", file => Run("sh", "-c", $"truncate -s $(head -n 1 '{file}' | wc -c) '{file}'"), "was cut: it has", stays: true);
        yield return Change("added to", file => Run("sh", "-c", $"echo more >> '{file}'"), "was added to", stays: true);
        yield return Change("given a second name", file => Run("ln", file, file + ".link"), "has a second name", stays: true, isWhole: true);
        yield return Change("opened to all", file => Run("chmod", "666", file), "was given another mode or owner: mode 666", stays: true, isWhole: true);

        static TestCaseData Change(string what, Action<string> change, string found, bool stays, bool isWhole = false) => new TestCaseData(change, found, stays, isWhole).SetArgDisplayNames(what);
    }

    [TestCase("echo stranger >>", "was added to while it was written", false)]
    [TestCase("truncate -s 20", "was cut while it was written", false)]
    [TestCase("truncate -s 20", "was cut: it has 20 bytes", true)]
    public async Task What_somebody_does_to_the_file_during_a_write_is_left_as_it_is_too(string command, string found, bool failsToFlush)
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "before");
        string file = Files().Single();
        Disk.InFlush = () =>
        {
            Disk.InFlush = null;
            Run("sh", "-c", $"{command} '{file}'");
            if (failsToFlush)
                throw new IOException("Input/output error");
        };

        await RefusedAsync(WriteAsync(sink, "lost"));
        string left = TextOf(file);
        await WriteAsync(sink, "after");
        await sink.EndAsync();

        Assert.That(TextOf(file), Is.EqualTo(left), "evidence is left alone");
        Assert.That(left, command.StartsWith("echo", StringComparison.Ordinal) ? Does.EndWith("stranger\n") : Has.Length.EqualTo(20));
        string next = file.Replace(".audit.jsonl", ".2.audit.jsonl", StringComparison.Ordinal);
        Assert.That(TextOf(next), Does.Contain($"\"cut\":0,").And.Contain($"\"found\":\"part 1 {found}").And.Contain("\"after\"").And.Not.Contain("\"lost\""));
        Assert.That(Log.Text, Does.Contain(found).And.Contain("it is left as it is"));
        AuditTrail trail = AuditTrail.Verify(Folder);
        Assert.That((trail.IsIntact, trail.ToString()), Is.EqualTo((false, trail.ToString())), "and the verifier finds it");
        Assert.That(trail.Chains.Single().Fault!.What, Does.Contain($"its process noticed: part 1 {found}"));
    }

    [TestCaseSource(nameof(Changes))]
    public async Task What_somebody_does_to_the_file_is_seen_at_the_next_write_and_the_chain_goes_on_in_another(Action<string> change, string found, bool stays, bool isWhole)
    {
        AuditFileSink sink = Start();
        await WriteAsync(sink, "before");
        string file = Files().Single();
        string[] whole = TextOf(file).Split('\n');
        change(file);
        string? left = UnixFile.At(file, followLink: false) is { IsRegular: true } ? TextOf(file) : null;

        await WriteAsync(sink, "after");
        await sink.EndAsync();

        string next = file.Replace(".audit.jsonl", ".2.audit.jsonl", StringComparison.Ordinal);
        string[] lines = TextOf(next).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines[0], Does.StartWith("{\"seq\":3,\"prev\":\"" + whole[1].Split("\"hash\":\"")[1].TrimEnd('}')));
        Assert.That(lines[1], Does.Contain("\"event\":{\"kind\":\"recovered\",\"cut\":0,").And.Contain($"\"found\":\"part 1 {found}"));
        Assert.That(lines[2], Does.Contain("\"after\""));
        Assert.That(lines[3], Does.Contain("\"kind\":\"end\",\"events\":2,"));
        Assert.That(Log.Text, Does.Contain(found).And.Contain("NHI6003").And.Contain("it is left as it is"));
        Assert.That(File.Exists(file), Is.EqualTo(stays));
        if (left is not null)
            Assert.That(TextOf(file), Is.EqualTo(left), "evidence is left alone");

        var told = new List<AuditRecord>();
        AuditTrail trail = AuditTrail.Verify(Folder, onRecord: told.Add);
        Assert.That(trail.Chains.Single().Recoveries.Single().What, Does.Contain($"part 1 {found}"), trail.ToString());
        AuditRecord after = told.Single(one => one.Event.Target == "after");
        Assert.That(after.IsBehindFault, Is.EqualTo(!isWhole), "one byte that is added hides nothing of what came then");
        Assert.That(trail.IsIntact, Is.EqualTo(isWhole), trail.ToString());
        Assert.That(trail.ToString(), isWhole ? Does.Contain("NOT UNDISTURBED") : Does.Contain($"its process noticed: part 1 {found}").And.Contain("1 behind the fault"));
    }

    [Test]
    public async Task A_folder_that_others_can_write_from_now_on_gets_no_further_file()
    {
        AuditFileSink sink = Start(partBytes: 2_000);
        for (int i = 0; i < 4; i++)
            await WriteAsync(sink, $"t{i}");
        Run("chmod", "777", Folder);
        Exception? refused = null;
        for (int i = 0; i < 20 && refused is null; i++)
        {
            try
            {
                await WriteAsync(sink, "further");
            }
            catch (TokenExchangeException unsafeFolder)
            {
                refused = unsafeFolder;
            }
        }
        Assert.That(refused!.Message, Does.StartWith("NHI6002").And.Contain("can be written by others than its owner; mode 777"));
        Run("chmod", "700", Folder);
        await sink.EndAsync();
        FollowChain(Files());
    }

    [Test]
    public void B26_A_folder_that_others_can_write_is_refused()
    {
        Directory.CreateDirectory(Folder);
        Run("chmod", "770", Folder);
        TokenExchangeException refused = Assert.Throws<TokenExchangeException>(() => Start())!;
        Assert.That(refused.Message, Does.StartWith("NHI6002").And.Contain($"The folder of the audit '{Folder}' can be written by others than its owner; mode 770").And.Contain("chmod 700"));
    }

    [Test]
    public void A_folder_in_a_place_that_is_not_there_is_refused()
    {
        string nowhere = Path.Combine(Folder, "nowhere", "audit");
        TokenExchangeException refused = Assert.Throws<TokenExchangeException>(() => AuditFileSink.Start(new AuditFolderPlan(nowhere, true, 1 << 20, 1000, Disk), Job, Time, Log))!;
        Assert.That(refused.Message, Does.StartWith("NHI6002").And.Contain("is not there"));
    }

    [Test]
    public void A_file_in_the_place_of_the_folder_is_refused([Values("a file", "a FIFO")] string what)
    {
        if (what == "a file")
            File.WriteAllText(Folder, "");
        else
            Run("mkfifo", Folder);
        Assert.That(() => Start(), Throws.TypeOf<TokenExchangeException>().With.Message.Contains("NHI6002"));
    }

    [Test]
    public void A_folder_of_another_user_is_refused()
    {
        if (UnixFile.CurrentUser != 0)
            Assert.Ignore("Only root can give a folder away.");
        Directory.CreateDirectory(Folder);
        Run("chown", "12345", Folder);
        Assert.That(() => Start(), Throws.TypeOf<TokenExchangeException>().With.Message.Contains("belongs to user 12345"));
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, program);
    }
}
