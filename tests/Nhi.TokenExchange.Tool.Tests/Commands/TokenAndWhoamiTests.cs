namespace Nhi.TokenExchange.Tool.Tests;

[NonParallelizable]
public class TokenAndWhoamiTests
{
    private DoctoredJob _job = null!;

    [SetUp]
    public async Task StartAsync() => _job = await DoctoredJob.StartAsync();

    [TearDown]
    public async Task EndAsync() => await _job.DisposeAsync();

    [Test]
    public async Task A_credential_is_not_written_unless_that_is_said()
    {
        _job.UseVault();

        ToolRun run = await ToolRun.HereAsync("token", "warehouse", "--config", _job.WriteSettings());

        LedgerIssue issued = _job.Emulator.Ledger.Issued.Single();
        Assert.That(run.ExitCode, Is.Zero, run.All);
        Assert.That(run.Output, Does.Contain(issued.Fingerprint).And.Contain("--reveal writes it"));
        Assert.That(run.All, Does.Not.Contain(_job.Emulator.Canaries.Vault));
        Assert.That(issued.RevokedAt, Is.Not.Null, "it belongs to the command");
    }

    [Test]
    public async Task What_is_revealed_is_the_credential_alone_and_is_revoked_at_the_end()
    {
        _job.UseVault();

        ToolRun run = await ToolRun.HereAsync("token", "warehouse", "--reveal", "--config", _job.WriteSettings());

        LedgerIssue issued = _job.Emulator.Ledger.Issued.Single();
        Assert.That(Ledger.FingerprintOf(run.Output.TrimEnd()), Is.EqualTo(issued.Fingerprint), "the standard output is what a program reads");
        Assert.That(run.Error, Does.Contain($"warehouse {issued.Fingerprint}: revoked"));
        Assert.That(run.Error, Does.Not.Contain(_job.Emulator.Canaries.Vault));
    }

    [Test]
    public async Task What_is_revealed_has_an_event_of_its_own_that_says_who_had_it_written()
    {
        _job.UseVault();
        _job.Section["Audit"] = new System.Text.Json.Nodes.JsonObject { ["Folder"] = _job.PathOf("audit") };

        ToolRun quiet = await ToolRun.HereAsync("token", "warehouse", "--config", _job.WriteSettings());
        ToolRun before = await ToolRun.HereAsync("audit", "story", _job.PathOf("audit"));
        ToolRun shown = await ToolRun.HereAsync("token", "warehouse", "--reveal", "--config", _job.WriteSettings());
        ToolRun story = await ToolRun.HereAsync("audit", "story", _job.PathOf("audit"));

        Assert.That((quiet.ExitCode, shown.ExitCode), Is.EqualTo((0, 0)), quiet.All + shown.All);
        Assert.That(before.Output, Does.Not.Contain("--reveal"));
        Assert.That(story.Output, Does.Contain($"warehouse permitted by rule nhi token --reveal").And.Contain($"was written to the standard output, for the user {Environment.UserName}"));
        Assert.That(story.Output, Does.Not.Contain(shown.Output.Trim()));
    }

    [Test]
    public async Task An_unknown_target_is_an_error_of_the_command_line_and_the_others_are_named()
    {
        _job.UseVault();

        ToolRun run = await ToolRun.HereAsync("token", "warehous", "--config", _job.WriteSettings());

        Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Usage));
        Assert.That(run.Error, Does.Contain("NHI1003").And.Contain("'warehouse'"));
    }

    [Test]
    public async Task Whoami_says_what_the_proof_says_and_sends_nothing()
    {
        _job.UseVault();

        ToolRun run = await ToolRun.HereAsync("whoami", "--claims", "--config", _job.WriteSettings());

        Assert.That(run.ExitCode, Is.Zero, run.All);
        Assert.That(run.Output, Does.Contain($"subject   {DoctoredJob.Subject}").And.Contain("claim     kubernetes.io/namespace = jobs").And.Contain("of Kubernetes service account"));
        Assert.That(run.All, Does.Not.Contain(_job.Emulator.Canaries.Proof));
        Assert.That(_job.Emulator.Ledger.Requests.Of(EmulatorEndpoint.VaultLogin), Is.Zero);
    }

    [Test]
    public async Task Whoami_says_why_there_is_no_proof()
    {
        _job.UseVault();
        File.Delete(_job.Proof);

        ToolRun run = await ToolRun.HereAsync("whoami", "--config", _job.WriteSettings());

        Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Refused).Or.EqualTo(ExitCodes.Passing), run.All);
        Assert.That(run.Error, Does.Contain("NHI2001").And.Contain(_job.Proof));
    }

    [TestCase(-1, "NHI2003")]
    [TestCase(+1, "NHI2004")]
    public async Task A_proof_that_is_not_good_now_has_one_exit_code_whoever_meets_it(int hours, string code)
    {
        _job.UseDatabricks(change: claims => claims.Lives(TimeProvider.System.GetUtcNow() + TimeSpan.FromHours(hours), TimeSpan.FromMinutes(30)));
        string settings = _job.WriteSettings();

        foreach (string[] command in (string[][])[["token", "warehouse"], ["whoami"], ["doctor"]])
        {
            ToolRun run = await ToolRun.HereAsync([.. command, "--config", settings]);
            Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Refused), run.All);
            Assert.That(run.All, Does.Contain(code));
        }
    }

    [Test]
    public async Task A_credential_is_not_written_to_a_terminal_unless_that_is_said()
    {
        _job.UseVault();
        string settings = _job.WriteSettings();
        using var output = new StringWriter();
        using var error = new StringWriter();

        int refused = await NhiCommand.RunAsync(["token", "warehouse", "--reveal", "--config", settings], new Screen(output, error, isTerminal: true), CancellationToken.None);
        Assert.That((refused, output.ToString()), Is.EqualTo((ExitCodes.Usage, "")));
        Assert.That(error.ToString(), Does.Contain("--to-terminal"));
        Assert.That(_job.Emulator.Ledger.Issued, Is.Empty);

        int told = await NhiCommand.RunAsync(["token", "warehouse", "--reveal", "--to-terminal", "--config", settings], new Screen(output, error, isTerminal: true), CancellationToken.None);
        Assert.That(told, Is.Zero);
        Assert.That(output.ToString(), Does.StartWith("hvs."));
        Assert.That(error.ToString(), Does.Contain("It is revoked now").And.Contain("--hold keeps it"));
    }
}
