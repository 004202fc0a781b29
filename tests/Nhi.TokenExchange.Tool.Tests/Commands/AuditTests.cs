using System.Globalization;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary><c>nhi audit</c>: what an auditor is told, and what a script is.</summary>
[NonParallelizable]
public class AuditTests
{
    private DoctoredJob _job = null!;
    private string _folder = "";

    [SetUp]
    public async Task StartAsync()
    {
        _job = await DoctoredJob.StartAsync();
        _folder = _job.PathOf("audit");
    }

    [TearDown]
    public async Task EndAsync() => await _job.DisposeAsync();

    [Test]
    public async Task What_doctor_did_is_in_the_audit_which_verifies_and_tells_its_story()
    {
        await RecordAsync();

        ToolRun verified = await ToolRun.HereAsync("audit", "verify", _folder, "--ended");
        ToolRun story = await ToolRun.HereAsync("audit", "story", _folder, "--pipeline", "orders-nightly", "--target", "warehouse");
        ToolRun others = await ToolRun.HereAsync("audit", "story", _folder, "--pipeline", "another");

        Assert.That((verified.ExitCode, story.ExitCode), Is.EqualTo((0, 0)), verified.All);
        string fingerprint = _job.Emulator.Ledger.Issued.Single().Fingerprint;
        Assert.That(story.Output, Does.Contain($"warehouse issued: {fingerprint}").And.Contain($"warehouse revoked: {fingerprint}"));
        Assert.That(story.Error, Does.StartWith("INTACT: 1 chain, "));
        Assert.That(others.Output, Is.Empty);
    }

    [Test]
    public async Task An_audit_in_which_a_character_was_changed_does_not_verify_and_its_story_says_so_first()
    {
        string file = await RecordAsync();
        await File.WriteAllLinesAsync(file, (await File.ReadAllLinesAsync(file)).Select((line, at) => at == 2 ? line.Replace("orders-nightly", "orders-nightlY", StringComparison.Ordinal) : line));

        ToolRun run = await ToolRun.HereAsync("audit", "verify", _folder);
        using var screen = new LineByLine();
        int story = await NhiCommand.RunAsync(["audit", "story", _folder], new Screen(screen, screen, isTerminal: false), CancellationToken.None);

        Assert.That((run.ExitCode, story), Is.EqualTo((ExitCodes.Audit, ExitCodes.Audit)));
        Assert.That(run.Output, Does.Contain("was changed"));
        Assert.That(screen.ToString(), Does.StartWith("NOT INTACT: 1 chain").And.Contain(":3 was changed").And.Contain("warehouse attested"));
    }

    [Test]
    public async Task A_story_that_was_computed_anew_is_found_by_its_anchor_alone()
    {
        string file = await RecordAsync();
        string[] lines = await File.ReadAllLinesAsync(file);
        string anchor = AnchorOf(lines);
        await File.WriteAllLinesAsync(file, ChainText.ComputedAnew(lines.Select(line => line.Replace("warehouse", "Warehouse", StringComparison.Ordinal))));

        ToolRun trusting = await ToolRun.HereAsync("audit", "story", _folder), anchored = await ToolRun.HereAsync("audit", "story", _folder, "--anchor", anchor);

        Assert.That((trusting.ExitCode, anchored.ExitCode), Is.EqualTo((0, ExitCodes.Audit)), trusting.All + anchored.All);
        Assert.That(anchored.Error, Does.StartWith("NOT INTACT").And.Contain("was computed anew"));
    }

    [Test]
    public async Task On_a_terminal_too_a_story_is_told_line_by_line_and_never_held_as_a_whole()
    {
        await RecordAsync();
        using var screen = new LineByLine();

        int code = await NhiCommand.RunAsync(["audit", "story", _folder], new Screen(screen, screen, isTerminal: true), CancellationToken.None);

        Assert.That((code, screen.ToString()), Is.EqualTo((0, screen.ToString())));
        Assert.That(screen.ToString(), Does.Contain("INTACT: 1 chain").And.Contain("warehouse issued:"));
        Assert.That(screen.Most, Is.EqualTo(1), "so many lines were written at once");
    }

    [Test]
    public async Task A_chain_without_its_first_parts_is_a_failure_unless_they_are_said_to_be_moved_away()
    {
        string file = await RecordAsync();
        string anchor = await LeaveSecondPartAsync(file);

        ToolRun found = await ToolRun.HereAsync("audit", "verify", _folder, "--anchor", anchor), moved = await ToolRun.HereAsync("audit", "verify", _folder, "--anchor", anchor, "--moved-away");
        ToolRun nobodysWord = await ToolRun.HereAsync("audit", "verify", _folder, "--moved-away");
        ToolRun story = await ToolRun.HereAsync("audit", "story", _folder, "--anchor", anchor), movedStory = await ToolRun.HereAsync("audit", "story", _folder, "--anchor", anchor, "--moved-away");

        Assert.That((found.ExitCode, moved.ExitCode, nobodysWord.ExitCode), Is.EqualTo((ExitCodes.Audit, 0, ExitCodes.Audit)), found.All + moved.All + nobodysWord.All);
        Assert.That((story.ExitCode, movedStory.ExitCode), Is.EqualTo((ExitCodes.Audit, 0)), story.All + movedStory.All);
        Assert.That(found.Output, Does.StartWith("INTACT, 1 WITHOUT ITS FIRST PARTS").And.Contain("from part 2 on, on the word of an anchor"));
        Assert.That(story.Error, Does.StartWith("INTACT, 1 WITHOUT ITS FIRST PARTS"));
        Assert.That(nobodysWord.Output, Does.Contain("part 1 is missing"), "without an anchor nothing vouches for them");
    }

    [Test]
    public async Task A_summary_answers_what_auditors_ask_and_says_what_nobody_did()
    {
        string file = await RecordAsync();

        ToolRun ended = await ToolRun.HereAsync("audit", "summary", _folder);
        await File.WriteAllLinesAsync(file, (await File.ReadAllLinesAsync(file)).TakeWhile(line => !line.Contains("\"kind\":\"Revoked\"", StringComparison.Ordinal)));
        ToolRun killed = await ToolRun.HereAsync("audit", "summary", _folder);

        Assert.That((ended.ExitCode, killed.ExitCode), Is.EqualTo((0, 0)), ended.All + killed.All);
        Assert.That(ended.Output, Does.StartWith("shared identities: none\nlet go, and outlives its job: none\nnot ended: its job runs, or was killed: none\nlives:\n  warehouse: 1 grants, longest hand-out "));
        Assert.That(ended.Output, Does.Contain("\nrules:\n  "));
        Assert.That(ended.Error, Does.StartWith("INTACT: 1 chain"));
        Assert.That(killed.Output, Does.Contain("not ended: its job runs, or was killed:\n").And.Contain($" warehouse Issued {_job.Emulator.Ledger.Issued.Single().Fingerprint}"));
        Assert.That(killed.Error, Does.StartWith("INTACT, 1 NOT ENDED"));
    }

    [Test]
    public async Task A_folder_without_a_trail_is_a_failure_unless_that_is_allowed()
    {
        string folder = Directory.CreateDirectory(_job.PathOf("mistyped")).FullName;

        ToolRun verified = await ToolRun.HereAsync("audit", "verify", folder), story = await ToolRun.HereAsync("audit", "story", folder);
        ToolRun allowed = await ToolRun.HereAsync("audit", "verify", folder, "--allow-empty", "--ended");

        Assert.That((verified.ExitCode, story.ExitCode, allowed.ExitCode), Is.EqualTo((ExitCodes.Audit, ExitCodes.Audit, 0)), verified.All);
        Assert.That(verified.Output, Does.Contain("NOTHING TO VERIFY"));
        Assert.That(verified.Error, Does.Contain(folder).And.Contain("*.audit.jsonl").And.Contain("--allow-empty"));
        Assert.That(story.Error, Does.Contain(folder).And.Contain("*.audit.jsonl"));
        Assert.That(allowed.Error, Is.Empty);
    }

    [Test]
    public async Task An_audit_that_is_not_there_and_an_anchor_of_another_form_are_told([Values("verify", "story", "summary")] string command)
    {
        ToolRun none = await ToolRun.HereAsync("audit", command, _job.PathOf("nothing"));
        ToolRun anchor = await ToolRun.HereAsync("audit", command, _job.PathOf(""), "--anchor", "abc");

        Assert.That(none.ExitCode, Is.EqualTo(ExitCodes.Audit), none.All);
        Assert.That(none.Error, Does.Contain("NHI6010"));
        Assert.That(anchor.ExitCode, Is.EqualTo(ExitCodes.Usage), anchor.All);
        Assert.That(anchor.Error, Does.Contain("--anchor"));
    }

    // A job that gets one credential, and ends.
    private async Task<string> RecordAsync()
    {
        _job.UseVault();
        _job.Section["Audit"] = new JsonObject { ["Folder"] = _folder };
        Findings found = await _job.DoctorAsync();
        Assert.That(found.Run.ExitCode, Is.Zero, found.Run.All);
        return Directory.GetFiles(_folder).Single();
    }

    // As if its process had gone on in a second part behind its third line, and somebody had moved the first one away.
    private static async Task<string> LeaveSecondPartAsync(string file)
    {
        string[] lines = await File.ReadAllLinesAsync(file);
        string previous = lines[2][^66..^2];
        await File.WriteAllLinesAsync(file.Replace(".audit.jsonl", ".2.audit.jsonl", StringComparison.Ordinal), ChainText.ComputedAnew([lines[0].Replace("\"part\":1,", "\"part\":2,", StringComparison.Ordinal), .. lines[3..]], 4, previous));
        File.Delete(file);
        return string.Create(CultureInfo.InvariantCulture, $"{ChainOf(lines[0])}:3:{previous}");
    }

    private static string AnchorOf(string[] lines)
    {
        JsonNode last = JsonNode.Parse(lines[^1])!;
        return $"{ChainOf(lines[0])}:{last["seq"]}:{last["hash"]}";
    }

    private static string ChainOf(string header) => (string)JsonNode.Parse(header)!["event"]!["chain"]!;

    // How many lines were written at once, at most.
    private sealed class LineByLine : StringWriter
    {
        public int Most { get; private set; }

        public override void Write(string? value)
        {
            Count(value);
            base.Write(value);
        }

        public override void WriteLine(string? value)
        {
            Count(value + '\n');
            base.WriteLine(value);
        }

        public override void Write(char[] buffer, int index, int count)
        {
            Count(new string(buffer, index, count));
            base.Write(buffer, index, count);
        }

        private void Count(string? text) => Most = Math.Max(Most, text?.Count(c => c == '\n') ?? 0);
    }
}
