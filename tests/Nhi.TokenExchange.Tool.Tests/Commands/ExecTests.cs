using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary><c>nhi exec</c>, as a program of its own beside a program of its own.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed class ExecTests
{
    // A program in another language, which knows nothing but its environment: gets a token, and says whether one came.
    private const string Ask = """
        curl --silent --unix-socket "${NHI_BROKER#unix:}" http://localhost/oauth2/token --data-urlencode grant_type=urn:ietf:params:oauth:grant-type:token-exchange \
          --data-urlencode subject_token_type=urn:ietf:params:oauth:token-type:access_token --data-urlencode "subject_token@$NHI_BROKER_TOKEN_FILE" --data-urlencode audience=warehouse | grep -o '"token_type":"Bearer"'
        """;

    // As long as nhi is there, for a program that nhi does not end.
    private const string Wait = "i=0; while [ $i -lt 300 ] && [ -e \"$NHI_BROKER_TOKEN_FILE\" ]; do i=$((i + 1)); sleep 0.1; done";

    private static readonly Dictionary<string, string> NoVariables = [];

    private static async Task<(DoctoredJob Job, string Config)> StartAsync()
    {
        DoctoredJob job = await DoctoredJob.StartAsync();
        job.UseVault();
        return (job, job.WriteSettings());
    }

    [Test]
    public async Task A_program_gets_what_it_may_have_and_what_it_got_is_revoked_when_it_ends()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun run = await ToolRun.ProgramAsync(NoVariables, "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", $"{Ask}; exit 7");

            Assert.That((run.ExitCode, run.Output.Trim()), Is.EqualTo((7, "\"token_type\":\"Bearer\"")), run.All);
            Assert.That(job.Emulator.Ledger.Issued.Single().RevokedAt, Is.Not.Null);
        }
    }

    [Test]
    public async Task A_program_that_is_killed_leaves_nothing()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun run = await ToolRun.ProgramAsync(NoVariables, "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", $"{Ask}; kill -9 $$");

            Assert.That(run.ExitCode, Is.EqualTo(137), run.All);
            Assert.That(job.Emulator.Ledger.Issued.Single().RevokedAt, Is.Not.Null);
        }
    }

    [Test]
    public async Task A_signal_is_passed_on_and_the_exit_code_is_the_programs()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            using RunningTool running = await RunningTool.StartAsync("ready", "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", "trap 'exit 9' TERM; echo ready; i=0; while [ $i -lt 300 ]; do i=$((i + 1)); sleep 0.1; done");

            Assert.That(await running.TerminateAsync(), Is.EqualTo(9));
        }
    }

    [Test]
    public async Task A_signal_ends_the_program_and_revokes_what_it_got()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            using RunningTool running = await RunningTool.StartAsync("ready", "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", $"{Ask}; echo ready; {Wait}");
            Assert.That(job.Emulator.Vault.OpenTokens, Is.EqualTo(1));

            Assert.That(await running.TerminateAsync(), Is.EqualTo(128 + 15));
            Assert.That(job.Emulator.Ledger.Issued.Single().RevokedAt, Is.Not.Null);
        }
    }

    [Test]
    public async Task What_was_held_when_nhi_itself_was_killed_is_in_the_journal_and_its_files_go_with_the_next_run()
    {
        DoctoredJob job = await DoctoredJob.StartAsync();
        await using (job)
        {
            job.UseVault();
            job.Section["Journal"] = job.PathOf("journal");
            string config = job.WriteSettings();
            string folder;
            using (RunningTool running = await RunningTool.StartAsync("ready", "exec", "--config", config, "--target", "warehouse", "--", "sh", "-c", $"{Ask}; echo ready $(dirname \"$NHI_BROKER_TOKEN_FILE\"); {Wait}"))
            {
                folder = running.Line["ready ".Length..];
                ToolRun beside = await ToolRun.ProgramAsync(NoVariables, "exec", "--config", config, "--target", "warehouse", "--", "true");
                Assert.That((beside.ExitCode, Directory.Exists(folder)), Is.EqualTo((0, true)), "a run that goes on keeps its files\n" + beside.All);
                await running.KillAsync();
            }
            Assert.That((job.Emulator.Vault.OpenTokens, Directory.Exists(folder)), Is.EqualTo((1, true)));

            ToolRun next = await ToolRun.ProgramAsync(NoVariables, "exec", "--config", config, "--target", "warehouse", "--", "true");

            Assert.That(next.ExitCode, Is.Zero, next.All);
            Assert.That((job.Emulator.Vault.OpenTokens, Directory.Exists(folder)), Is.EqualTo((0, false)));
        }
    }

    [Test]
    public async Task The_environment_of_the_program_has_no_credential_and_nothing_that_goes_before_the_broker()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun run = await ToolRun.ProgramAsync(new Dictionary<string, string> { ["AWS_PROFILE"] = "prod" }, "exec", "--config", config, "--azure", "warehouse=https://storage.azure.com", "--", "env");

            Assert.That(run.ExitCode, Is.Zero, run.All);
            Assert.That(run.Output, Does.Contain("IDENTITY_ENDPOINT=http://127.0.0.1:").And.Contain("NHI_BROKER_TOKEN_FILE=").And.Not.Contain("AWS_PROFILE"));
            Assert.That(job.Emulator.Ledger.Issued, Is.Empty, "nothing is got before it is asked for");
        }
    }

    [TestCase("no-such-program", 127, "is not there")]
    [TestCase("/etc/passwd", 126, "can't be executed")]
    public async Task A_program_that_can_not_be_started_is_named(string program, int code, string said)
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun run = await ToolRun.HereAsync("exec", "--config", config, "--target", "warehouse", "--", program);

            Assert.That((run.ExitCode, run.Error), Is.EqualTo((code, run.Error)), run.All);
            Assert.That(run.Error, Does.Contain($"'{program}' {said}"));
        }
    }

    [Test]
    public async Task What_is_wrong_with_the_command_line_is_named()
    {
        (DoctoredJob job, string config) = await StartAsync();
        await using (job)
        {
            ToolRun none = await ToolRun.HereAsync("exec", "--config", config, "--", "true");
            ToolRun form = await ToolRun.HereAsync("exec", "--config", config, "--azure", "warehouse", "--", "true");
            ToolRun blank = await ToolRun.HereAsync("exec", "--config", config, "--target", "warehouse", "--", " ");
            ToolRun unknown = await ToolRun.HereAsync("exec", "--config", config, "--target", "warehous", "--", "true");

            Assert.That((none.ExitCode, form.ExitCode, unknown.ExitCode), Is.EqualTo((2, 2, 125)), none.All + form.All + unknown.All);
            Assert.That(none.Error, Does.Contain("--target: no target is named"));
            Assert.That(form.Error, Does.Contain("--azure: 'warehouse' has another form than lake=https://storage.azure.com."));
            Assert.That((blank.ExitCode, blank.Error), Is.EqualTo((2, "command: ' ' is no program. Name a file, or a program that PATH leads to." + Environment.NewLine)));
            Assert.That(unknown.Error, Does.StartWith("NHI1003"));
        }
    }
}
