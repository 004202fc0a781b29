using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tests;

/// <summary>Journals that a crash tore, or that somebody made or changed: repaired, or refused with what to do; and what can be read in them is never lost.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class HostileJournalTests : JournalFixture
{
    // proc(5): field 22; the name of the program, field 2, stands in parentheses.
    private static string StartOfTheFirstProcess => File.ReadAllText("/proc/1/stat").Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[19];

    public static IEnumerable<TestCaseData> Torn()
    {
        string whole = $"{Header}\n{Lease(1)}\n";
        yield return new TestCaseData(whole).SetArgDisplayNames("nothing");
        foreach (int length in new[] { 1, 20, 200 })
            yield return new TestCaseData(whole + Lease(2)[..length]).SetArgDisplayNames($"{length} bytes of a line");
        yield return new TestCaseData(whole + Lease(2)).SetArgDisplayNames("a line without its end");
        yield return new TestCaseData(whole + new string('\0', 300)).SetArgDisplayNames("zeros");
    }

    [TestCaseSource(nameof(Torn))]
    public async Task A_last_line_that_a_crash_tore_is_dropped_and_said_nothing_of(string text)
    {
        Write(text);
        RecoveryReport report = await RecoverAsync();
        Assert.That(report.Refused, Is.Empty);
        Assert.That(report.Jobs.Single().Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { ("f1", LeaseEnd.Revoked) }));
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task A_journal_of_the_first_version_gets_no_line_that_the_builds_of_that_time_cannot_read()
    {
        string text = $"{Header}\n{Lease(1)}\n", file = Write(text);

        RecoveryReport refused = await RecoverAsync(new RecordingSink { Refuse = _ => new IOException("full") });

        Assert.That((refused.AllEnded, refused.Jobs.Single().Untold), Is.EqualTo((false, 1)));
        Assert.That(await File.ReadAllTextAsync(file), Is.EqualTo(text));
        var audit = new RecordingSink();
        Assert.That((await RecoverAsync(audit)).AllEnded, Is.True);
        Assert.That((audit.Kinds.Count, Files()), Is.EqualTo((1, Array.Empty<string>())));
    }

    public static IEnumerable<TestCaseData> Damaged()
    {
        (string What, string Line, string Said)[] lines =
        [
            ("no JSON", "garbage", "line 3 is no JSON"),
            ("zeros", new string('\0', 100), "line 3 is no JSON"),
            ("not UTF-8", "{\"kind\":\"entry\",\"target\":\"\u00ff\"}", "line 3 is no JSON"),
            ("two objects", "{\"kind\":\"closed\"}{\"kind\":\"closed\"}", "line 3 is no JSON"),
            ("a field twice", Lease(3, more: ",\"handle\":\"lease/other\""), "line 3 has a field twice"),
            ("an unknown field", Lease(3, more: ",\"zone\":\"eu\""), "line 3 has a field that is not known"),
            ("an unknown kind", "{\"kind\":\"renamed\"}", "line 3 is of no known kind"),
            ("no instant", Lease(3, diesAt: "tomorrow"), "line 3 has an unusableFrom that is no instant"),
            ("a nested value", Entry(3, ",\"job.Pipeline\":{}"), "line 3 has a value that is no text"),
            ("a header again", Header, "line 3 is of no known kind"),
            ("an absurd length", "{\"kind\":\"" + new string('x', 200_000) + "\"}", "line 3 is longer than any of ours"),
            ("a fact of no job", Lease(3, more: ",\"job.Zone\":\"eu\",\"job.Zone.origin\":\"code\""), "line 3 has a fact of the job that is not known"),
        ];
        return lines.Select(line => new TestCaseData(line.Line, line.Said).SetArgDisplayNames(line.What));
    }

    [TestCaseSource(nameof(Damaged))]
    public async Task A_line_that_cannot_be_read_is_told_of_and_all_others_are_dealt_with(string line, string said)
    {
        string file = Write($"{Header}\n{Lease(1)}\n{line}\n{Lease(2)}\n");

        RecoveryReport report = await RecoverAsync();

        Assert.That(Fingerprints("revoked"), Is.EquivalentTo(new[] { "f1", "f2" }));
        Assert.That(report.AllEnded, Is.False);
        Assert.That(report.Refused.Single().Code, Is.EqualTo("NHI7005"));
        Assert.That(report.Refused.Single().Message, Does.Contain($"The journal '{file}' can't be read: {said}").And.Contain("It was left where it is.").And.Contain("take the file away"));
        Assert.That(Files(), Is.EqualTo(new[] { file }));

        RecoveryReport again = await RecoverAsync();
        Assert.That((again.Jobs.Count, again.Refused.Count), Is.EqualTo((0, 1)), "what was dealt with is not dealt with again");
        Assert.That(Fingerprints("again"), Is.Empty);
    }

    public static IEnumerable<TestCaseData> Headers()
    {
        (string What, string Text, string Code, string Said)[] headers =
        [
            ("empty", "", "NHI7005", "its first line is not whole"),
            ("torn", Header, "NHI7005", "its first line is not whole"),
            ("garbage", "garbage\n", "NHI7005", "line 1 is no JSON"),
            ("another kind", Lease(1) + "\n", "NHI7005", "line 1 does not say whose journal it is"),
            ("another version", Header.Replace("\"version\":1", "\"version\":3", StringComparison.Ordinal) + "\n", "NHI7005", "line 1 is of another version than 1 to 2"),
            ("no version", Header.Replace("\"version\":1,", "", StringComparison.Ordinal) + "\n", "NHI7005", "line 1 has no version"),
            ("a field twice", Header.Replace("\"version\":1", "\"version\":1,\"version\":1", StringComparison.Ordinal) + "\n", "NHI7005", "line 1 has a field twice"),
            ("an absurd length", new string('x', 10_000_000) + "\n", "NHI7005", "line 1 is longer than any of ours"),
            ("another host", Header.Replace(Owner, "\"host\":\"elsewhere\",\"boot\":\"b\",\"process\":1,\"started\":\"17\"", StringComparison.Ordinal) + "\n", "NHI7006", "is of process 1 of host 'elsewhere'"),
            ("a process that runs", Header.Replace("\"process\":99999999,\"started\":\"17\"", $"\"process\":1,\"started\":\"{StartOfTheFirstProcess}\"", StringComparison.Ordinal) + "\n", "NHI7004", "which runs, and yet it is not locked"),
        ];
        return headers.Select(header => new TestCaseData(header.Text, header.Code, header.Said).SetArgDisplayNames(header.What));
    }

    [TestCaseSource(nameof(Headers))]
    public async Task A_journal_that_is_not_known_to_be_a_dead_job_s_of_this_host_is_left_as_it_is(string header, string code, string said)
    {
        string text = header + (header.EndsWith('\n') ? Lease(1) + "\n" : ""), file = Write(text);

        RecoveryReport report = await RecoverAsync();

        Assert.That(report.Refused.Single().Code, Is.EqualTo(code));
        Assert.That(report.Refused.Single().Message, Does.Contain(said).And.Contain(file).And.Contain("Nothing of it was revoked."));
        Assert.That(Fingerprints("revoked"), Is.Empty);
        Assert.That(await File.ReadAllTextAsync(file), Is.EqualTo(text));
    }

    [Test]
    public async Task A_journal_that_a_job_of_this_process_writes_is_left_to_it_where_locks_do_not_hold()
    {
        string elsewhere = Path.Combine(Path.GetDirectoryName(Journals)!, "seen-by-another-path");
        await using JobSession living = await JobSession.StartAsync(b => Compose(b).Journal(elsewhere));
        await living.Provider<BearerToken>("held").GetAsync();
        string file = Directory.GetFiles(elsewhere).Single(), seen = Path.Combine(Journals, Path.GetFileName(file));
        Directory.CreateDirectory(Journals, (UnixFileMode)0b111_000_000);
        await RunAsync("cp", "--preserve=mode", file, seen);   // the copy is not locked

        RecoveryReport report = await RecoverAsync();

        Assert.That((report.Jobs.Count, report.Refused.Single().Code, File.Exists(seen)), Is.EqualTo((0, "NHI7004", true)));
        Assert.That(Fingerprints("revoked"), Is.Empty);
    }

    [Test]
    public async Task A_journal_of_another_host_is_recovered_when_somebody_says_so()
    {
        Write($"{Header.Replace(Owner, "\"host\":\"elsewhere\",\"boot\":\"b\",\"process\":1,\"started\":\"17\"", StringComparison.Ordinal)}\n{Lease(1)}\n");
        RecoveryReport report = await JobSession.RecoverAsync(b => Compose(b), fromOtherHosts: true);
        Assert.That(report.Jobs.Single().Leases.Single().End, Is.EqualTo(LeaseEnd.Revoked));
    }

    [Test]
    public async Task A_journal_of_this_host_before_its_reboot_is_recovered()
    {
        Write($"{Header.Replace("\"boot\":\"", "\"boot\":\"before-", StringComparison.Ordinal)}\n{Lease(1)}\n");
        Assert.That((await RecoverAsync()).Jobs.Single().Leases.Single().End, Is.EqualTo(LeaseEnd.Revoked));
    }

    [TestCase("link", "is a symbolic link, not a regular file")]
    [TestCase("fifo", "is a FIFO, not a regular file")]
    [TestCase("folder", "is a directory, not a regular file")]
    [TestCase("group", "has mode 660, not 600")]
    [TestCase("world", "has mode 604, not 600")]
    [TestCase("owner", "belongs to user 65534")]
    public async Task A_file_that_others_may_have_written_is_refused(string how, string said)
    {
        string file = Write($"{Header}\n{Lease(1)}\n"), real = Path.Combine(Ledger, "elsewhere");
        switch (how)
        {
            case "link":
                File.Move(file, real);
                File.CreateSymbolicLink(file, real);
                break;
            case "fifo":
                File.Delete(file);
                await RunAsync("mkfifo", "-m", "600", file);
                break;
            case "folder":
                File.Delete(file);
                Directory.CreateDirectory(file);
                break;
            case "group":
                File.SetUnixFileMode(file, (UnixFileMode)0b110_110_000);
                break;
            case "world":
                File.SetUnixFileMode(file, (UnixFileMode)0b110_000_100);
                break;
            default:
                if (UnixFile.CurrentUser != 0)
                    Assert.Ignore("only root can give a file to another user");
                await RunAsync("chown", "65534", file);
                break;
        }

        RecoveryReport report = await RecoverAsync();

        Assert.That(report.Refused.Single().Code, Is.EqualTo("NHI7004"));
        Assert.That(report.Refused.Single().Message, Does.Contain($"The journal '{file}' {said}").And.Contain("chown it to the job's user and chmod 600"));
        Assert.That(Fingerprints("revoked"), Is.Empty);
        Assert.That(Path.Exists(file));
    }

    [TestCase("group")]
    [TestCase("owner")]
    public async Task A_folder_that_others_may_write_is_refused_at_the_start(string how)
    {
        Directory.CreateDirectory(Journals);
        if (how == "group")
            File.SetUnixFileMode(Journals, (UnixFileMode)0b111_111_000);
        else if (UnixFile.CurrentUser == 0)
            await RunAsync("chown", "65534", Journals);
        else
            Assert.Ignore("only root can give a folder to another user");

        TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.StartAsync(b => Compose(b)))!;

        Assert.That(error.Code, Is.EqualTo("NHI7004"));
        Assert.That(error.Message, Does.Contain($"The folder of journals '{Journals}' ").And.Contain(how == "group" ? "mode 770" : "belongs to user 65534").And.Contain("a folder within it"));
    }

    [Test]
    public void A_folder_whose_parent_is_not_there_is_refused_at_the_start()
    {
        TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.StartAsync(b => Compose(b).Journal(Path.Combine(Journals, "a", "b"))))!;
        Assert.That((error.Code, error.Message.Contains("is not there", StringComparison.Ordinal)), Is.EqualTo(("NHI7004", true)), error.Message);
    }

    [Test]
    public async Task What_no_declared_target_can_end_is_kept_with_what_to_declare_until_it_has_died()
    {
        string other = Lease(1).Replace("handles.test", "moved.test", StringComparison.Ordinal), dead = Lease(2, diesAt: "2026-01-02T00:00:00.0000000+00:00").Replace("handles.test", "moved.test", StringComparison.Ordinal);
        string file = Write($"{Header}\n{other}\n{dead}\n");
        var audit = new RecordingSink();

        RecoveryReport report = await RecoverAsync(audit);

        Assert.That(report.AllEnded, Is.False);
        Assert.That(report.Jobs.Single().Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EquivalentTo(new[] { ("f1", LeaseEnd.Failed), ("f2", LeaseEnd.AlreadyGone) }));
        Assert.That(report.ToString(), Does.Contain("declare the target 'held' with issuer https://moved.test/ to have it revoked"));
        Assert.That(audit.Events.Single(one => one.Kind == AuditEventKind.Orphaned).Reason, Does.Contain("declare the target 'held'"));
        Assert.That(audit.Events.Single(one => one.Kind == AuditEventKind.Expired).Fingerprint, Is.EqualTo("f2"));
        Assert.That(audit.Events.Select(one => one.PolicyRevision), Is.All.EqualTo("allow-all"), "which rules are in force is said where nothing is decided, too");
        Assert.That(Files(), Is.EqualTo(new[] { file }));
        Assert.That((await RecoverAsync()).Jobs.Single().Leases.Select(lease => lease.Fingerprint), Is.EqualTo(new[] { "f1" }));
    }

    [TestCase(23, LeaseEnd.Failed)]
    [TestCase(25, LeaseEnd.AlreadyGone)]
    public async Task What_can_not_be_ended_is_kept_until_a_day_after_it_has_died_for_the_clock_may_be_ahead(int hours, LeaseEnd end)
    {
        string diesAt = (TimeProvider.System.GetUtcNow() - TimeSpan.FromHours(hours)).ToString("O", CultureInfo.InvariantCulture);
        Write($"{Header}\n{Lease(1, diesAt: diesAt).Replace("handles.test", "moved.test", StringComparison.Ordinal)}\n");

        RecoveryReport report = await RecoverAsync();

        Assert.That((report.Jobs.Single().Leases.Single().End, report.AllEnded, Files().Length), Is.EqualTo((end, end != LeaseEnd.Failed, end == LeaseEnd.Failed ? 1 : 0)));
    }

    [TestCase(31, LeaseEnd.Failed)]
    [TestCase(33, LeaseEnd.CannotBeRevoked)]
    public async Task What_no_declared_target_can_end_and_may_outlive_its_end_is_given_up_a_while_after_that(int days, LeaseEnd end)
    {
        string diesAt = (TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(days)).ToString("O", CultureInfo.InvariantCulture);
        Write($"{Header}\n{Lease(1, diesAt: diesAt, more: ",\"uncertain\":true").Replace("handles.test", "moved.test", StringComparison.Ordinal)}\n");
        var audit = new RecordingSink();

        RecoveryReport report = await RecoverAsync(audit);

        LeaseOutcome outcome = report.Jobs.Single().Leases.Single();
        Assert.That((outcome.End, report.AllEnded, Files().Length), Is.EqualTo((end, end != LeaseEnd.Failed, end == LeaseEnd.Failed ? 1 : 0)));
        Assert.That(outcome.Reason, end == LeaseEnd.Failed ? Does.Contain("declare the target 'held'") : Does.Contain("no target 'held' with issuer https://moved.test/ was declared for 32 days after its end"));
        Assert.That(audit.Events.Single().Kind, Is.EqualTo(AuditEventKind.Orphaned));
    }

    [Test]
    public async Task What_may_outlive_its_end_is_asked_for_however_long_ago_that_was()
    {
        Write($"{Header}\n{Lease(1, diesAt: "2026-01-02T00:00:00.0000000+00:00", more: ",\"uncertain\":true")}\n");
        RecoveryReport report = await RecoverAsync();
        Assert.That(Fingerprints("revoked"), Is.EqualTo(new[] { "f1" }));
        Assert.That(report.Jobs.Single().Leases.Single().End, Is.EqualTo(LeaseEnd.Revoked));
    }

    [Test]
    public async Task What_has_a_handle_is_asked_for_also_after_its_death_for_only_the_wall_clock_says_that()
    {
        Write($"{Header}\n{Lease(1, diesAt: "2026-01-02T00:00:00.0000000+00:00")}\n");
        RecoveryReport report = await RecoverAsync();
        Assert.That(Fingerprints("revoked"), Is.EqualTo(new[] { "f1" }));
        Assert.That(report.Jobs.Single().Leases.Single().End, Is.EqualTo(LeaseEnd.Revoked));
    }

    [Test]
    public async Task An_exchange_that_was_in_the_air_is_revoked_by_the_handle_that_its_exchanger_had_chosen()
    {
        Write($"{Header}\n{Entry(1, "")}\n{Lease(2).Replace("\"fingerprint\":\"f2\",", "", StringComparison.Ordinal)}\n");
        RecoveryReport report = await RecoverAsync();
        Assert.That(Fingerprints("revoked"), Is.EqualTo(new[] { "f2" }));
        Assert.That(report.Jobs.Single().FlightsInTheAir, Is.EqualTo(1), "of the other nothing is known");
        Assert.That(report.Jobs.Single().Leases.Single().ToString(), Is.EqualTo("held (exchange in the air): revoked"));
    }

    [Test]
    public async Task A_journal_whose_entries_are_all_over_goes_without_a_word()
    {
        Write($"{Header}\n{Lease(1)}\n{{\"kind\":\"ended\",\"entry\":1,\"end\":\"Revoked\"}}\n");
        RecoveryReport report = await RecoverAsync();
        Assert.That(report.ToString(), Is.EqualTo("nothing was left behind"));
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task A_draft_that_a_crash_left_goes_when_it_is_old_and_no_sooner()
    {
        string old = Write("half a he") + ".new", fresh = Path.Combine(Journals, "other.journal.new");
        File.Move(old[..^4], old);
        File.Copy(old, fresh);
        File.SetLastWriteTimeUtc(old, File.GetLastWriteTimeUtc(fresh).AddHours(-2));
        RecoveryReport report = await RecoverAsync();
        Assert.That(report.ToString(), Is.EqualTo("nothing was left behind"));
        Assert.That(Files(), Is.EqualTo(new[] { fresh }));
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        Assert.That(process.ExitCode, Is.Zero);
    }
}
