namespace Nhi.TokenExchange.Tool.Tests;

[NonParallelizable]
public class LeasesTests
{
    private DoctoredJob _job = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _job = await DoctoredJob.StartAsync();
        _job.UseVault();
        _job.Section["Journal"] = _job.PathOf("journal");
    }

    [TearDown]
    public async Task EndAsync() => await _job.DisposeAsync();

    [Test]
    public async Task What_a_killed_run_left_is_listed_and_recovered()
    {
        string settings = _job.WriteSettings();
        using (RunningTool running = await RunningTool.StartAsync("--reveal writes it", "token", "warehouse", "--hold", "01:00:00", "--config", settings))
        {
            ToolRun whileItRuns = await ToolRun.HereAsync("leases", "list", "--config", settings);
            Assert.That(whileItRuns.Output, Does.Contain(", runs, since").And.Contain($"warehouse {Issued.Fingerprint}, handle ").And.Contain("nothing was left behind"));
            await running.KillAsync();
        }

        ToolRun left = await ToolRun.HereAsync("leases", "list", "--config", settings);
        Assert.That(left.Output, Does.Contain("runs no more").And.Contain("1 left behind: nhi leases recover ends them"), left.All);
        Assert.That(_job.Emulator.Vault.OpenTokens, Is.EqualTo(1));

        ToolRun recovered = await ToolRun.HereAsync("leases", "recover", "--config", settings);
        Assert.That(recovered.ExitCode, Is.Zero, recovered.All);
        Assert.That(recovered.Output, Does.Contain($"warehouse {Issued.Fingerprint}: revoked"));
        Assert.That(_job.Emulator.Vault.OpenTokens, Is.Zero);
    }

    [Test]
    public async Task What_is_of_another_host_is_not_called_left_behind_for_its_job_may_run()
    {
        string settings = _job.WriteSettings();
        using (RunningTool running = await RunningTool.StartAsync("--reveal writes it", "token", "warehouse", "--hold", "01:00:00", "--config", settings))
            await running.KillAsync();
        string journal = Directory.GetFiles(_job.PathOf("journal")).Single();
        string text = await File.ReadAllTextAsync(journal);
        await File.WriteAllTextAsync(journal, System.Text.RegularExpressions.Regex.Replace(text, "\"host\":\"[^\"]*\",\"boot\":\"[^\"]*\"", "\"host\":\"elsewhere\",\"boot\":\"b\""));

        ToolRun listed = await ToolRun.HereAsync("leases", "list", "--config", settings);

        Assert.That(listed.ExitCode, Is.Zero, listed.All);
        Assert.That(listed.Output, Does.Contain("of host 'elsewhere', of another host").And.Contain($"warehouse {Issued.Fingerprint}")
            .And.EndWith("nothing was left behind\n1 of other hosts: only if those run their jobs no more, nhi leases recover --from-other-hosts ends them\n"), listed.All);
    }

    [Test]
    public async Task The_kill_switch_ends_a_running_job()
    {
        _job.Section["KillSwitch"] = _job.PathOf("stop");
        string settings = _job.WriteSettings();
        using RunningTool running = await RunningTool.StartAsync("--reveal writes it", "token", "warehouse", "--hold", "01:00:00", "--config", settings);

        ToolRun revoked = await ToolRun.HereAsync("leases", "revoke", "--reason", "a drill", "--config", settings);

        Assert.That(revoked.ExitCode, Is.Zero, revoked.All);
        Assert.That(await running.EndAsync(), Is.Zero);
        Assert.That(Issued.RevokedAt, Is.Not.Null);
    }

    [Test]
    public async Task One_credential_is_ended_by_its_handle()
    {
        string settings = _job.WriteSettings();
        using RunningTool running = await RunningTool.StartAsync("--reveal writes it", "token", "warehouse", "--hold", "01:00:00", "--config", settings);
        string listed = (await ToolRun.HereAsync("leases", "list", "--config", settings)).Output;
        string handle = listed[(listed.IndexOf("handle ", StringComparison.Ordinal) + "handle ".Length)..].Split(',')[0];

        ToolRun revoked = await ToolRun.HereAsync("leases", "revoke", "--target", "warehouse", "--handle", handle, "--reason", "a drill", "--config", settings);

        Assert.That((revoked.ExitCode, revoked.Output), Is.EqualTo((0, $"warehouse {handle}: revoked\n")), revoked.All);
        Assert.That(_job.Emulator.Vault.OpenTokens, Is.Zero);
        Assert.That(await running.TerminateAsync(), Is.Zero, "it finds it gone");
    }

    [Test]
    public async Task A_handle_that_nobody_knows_is_told_and_is_no_success()
    {
        string settings = _job.WriteSettings();

        ToolRun run = await ToolRun.HereAsync("leases", "revoke", "--target", "warehouse", "--handle", "nosuch", "--reason", "a drill", "--config", settings);

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((ExitCodes.Unrevoked, "")), run.All);
        Assert.That(run.Error, Does.Contain("NHI4012").And.Contain("warehouse").And.Contain("nothing by the handle 'nosuch'").And.Contain("nhi leases list"));
    }

    [Test]
    public async Task A_handle_that_a_journal_names_may_be_gone_already()
    {
        string settings = _job.WriteSettings();
        using RunningTool running = await RunningTool.StartAsync("--reveal writes it", "token", "warehouse", "--hold", "01:00:00", "--config", settings);
        string handle = Issued.Handle!;
        string[] line = ["leases", "revoke", "--target", "warehouse", "--handle", handle, "--reason", "a drill", "--config", settings];
        await ToolRun.HereAsync(line);

        ToolRun again = await ToolRun.HereAsync(line);

        Assert.That((again.ExitCode, again.Output), Is.EqualTo((0, $"warehouse {handle}: already gone\n")), again.All);
    }

    [Test]
    public async Task An_issuer_that_ends_nothing_by_a_handle_is_told_as_not_revoked()
    {
        _job.UseDatabricks();

        ToolRun run = await ToolRun.HereAsync("leases", "revoke", "--target", "warehouse", "--handle", "x", "--reason", "a drill", "--config", _job.WriteSettings());

        Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Unrevoked), run.All);
        Assert.That(run.Error, Does.Contain("NHI4012"));
    }

    [Test]
    public async Task What_died_with_its_process_is_told_in_plain_words()
    {
        _job.UseDatabricks();
        string settings = _job.WriteSettings();
        using (RunningTool running = await RunningTool.StartAsync("--reveal writes it", "token", "warehouse", "--hold", "01:00:00", "--config", settings))
            await running.KillAsync();

        ToolRun recovered = await ToolRun.HereAsync("leases", "recover", "--config", settings);

        Assert.That(recovered.Output, Does.Contain("cannot be revoked, dies at").And.Contain("no handle by which its issuer could end it, and the credential itself was lost when its process was killed"), recovered.All);
    }

    [Test]
    public async Task A_switch_that_is_thrown_keeps_its_reason_and_a_job_that_it_ends_has_an_exit_code_of_its_own()
    {
        _job.Section["KillSwitch"] = _job.PathOf("stop");
        string settings = _job.WriteSettings();
        await ToolRun.HereAsync("leases", "revoke", "--reason", "INC-1, Ada", "--config", settings);

        ToolRun second = await ToolRun.HereAsync("leases", "revoke", "--reason", "INC-2, Bob", "--config", settings);
        ToolRun token = await ToolRun.HereAsync("token", "warehouse", "--config", settings);

        Assert.That(second.ExitCode, Is.Zero, second.All);
        Assert.That(second.Output, Does.Contain("was there before").And.Contain("INC-1, Ada"));
        Assert.That(await File.ReadAllTextAsync(_job.PathOf("stop")), Is.EqualTo("INC-1, Ada\n"));
        Assert.That(token.ExitCode, Is.EqualTo(ExitCodes.Ended), token.All);
        Assert.That(token.Error, Does.Contain("NHI7002").And.Contain("INC-1, Ada"));
    }

    [Test]
    public async Task A_switch_that_cannot_be_thrown_is_told_as_not_revoked()
    {
        _job.Section["KillSwitch"] = _job.PathOf("nowhere/stop");

        ToolRun run = await ToolRun.HereAsync("leases", "revoke", "--reason", "a drill", "--config", _job.WriteSettings());

        Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Unrevoked), run.All);
        Assert.That(run.Error, Does.Contain("NHI4012").And.Contain("nowhere"));
    }

    [Test]
    public async Task A_journal_that_cannot_be_read_is_told_and_a_folder_that_is_not_there_is_not_made()
    {
        string settings = _job.WriteSettings();
        foreach (string command in (string[])["list", "recover"])
        {
            ToolRun none = await ToolRun.HereAsync("leases", command, "--config", settings);
            Assert.That((none.ExitCode, none.Output, Directory.Exists(_job.PathOf("journal"))), Is.EqualTo((ExitCodes.Audit, "", false)), none.All);
            Assert.That(none.Error, Does.StartWith("NHI7004").And.Contain(_job.PathOf("journal")).And.Contain("is not there"));
        }
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(_job.PathOf("journal"));
        else
            Directory.CreateDirectory(_job.PathOf("journal"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _job.Write("journal/a.journal", "no journal\n");

        ToolRun run = await ToolRun.HereAsync("leases", "list", "--config", settings);

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((ExitCodes.Audit, "")), run.All);
        Assert.That(run.Error, Does.Contain("NHI7005").And.Contain("a.journal"));
    }

    [Test]
    public async Task Settings_that_are_missing_are_named()
    {
        _job.Section.Remove("Journal");
        string settings = _job.WriteSettings();

        ToolRun list = await ToolRun.HereAsync("leases", "list", "--config", settings), revoke = await ToolRun.HereAsync("leases", "revoke", "--reason", "x", "--config", settings);

        Assert.That((list.ExitCode, revoke.ExitCode), Is.EqualTo((ExitCodes.Configuration, ExitCodes.Configuration)));
        Assert.That(list.Error, Does.Contain("no Journal"));
        Assert.That(revoke.Error, Does.Contain("no KillSwitch"));
    }

    private LedgerIssue Issued => _job.Emulator.Ledger.Issued[0];
}
