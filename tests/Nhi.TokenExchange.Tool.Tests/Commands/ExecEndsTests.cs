using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>What a program under <c>nhi exec</c>, and who started it, see of a job that is ended from outside, and of what can't be revoked.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed class ExecEndsTests
{
    private static readonly Dictionary<string, string> NoVariables = [];

    private DoctoredJob _job = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _job = await DoctoredJob.StartAsync();
        _job.UseVault();
    }

    [TearDown]
    public async Task EndAsync() => await _job.DisposeAsync();

    [Test]
    public async Task No_program_starts_under_a_kill_switch_that_is_thrown()
    {
        _job.Section["KillSwitch"] = _job.Write("stop", "INC-1, Ada\n");

        ToolRun run = await ToolRun.HereAsync("exec", "--config", _job.WriteSettings(), "--target", "warehouse", "--", "touch", _job.PathOf("started"));

        Assert.That(run.ExitCode, Is.EqualTo(125), run.All);
        Assert.That(run.Error, Does.StartWith("NHI7002").And.Contain("INC-1, Ada"));
        Assert.That(File.Exists(_job.PathOf("started")), Is.False);
    }

    [TestCase("trap 'exit 0' TERM; ")]
    [TestCase("")]
    public async Task A_kill_switch_that_is_thrown_while_the_program_runs_tells_it_to_end_and_says_why(string heeds)
    {
        _job.Section["KillSwitch"] = _job.PathOf("stop");

        // It throws the switch itself; the rest of the minute is there to be cut short.
        ToolRun run = await ToolRun.ProgramAsync(NoVariables, "exec", "--config", _job.WriteSettings(), "--target", "warehouse", "--", "sh", "-c", $"{heeds}echo 'INC-1, Ada' > {_job.PathOf("stop")}; i=0; while [ $i -lt 600 ]; do i=$((i + 1)); sleep 0.1; done; echo went on");

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((124, "")), run.All);
        Assert.That(run.Error, Does.StartWith("nhi: NHI7002").And.Contain("INC-1, Ada").And.Contain("The program is told to end (SIGTERM)."));
    }

    [Test]
    public async Task A_job_that_takes_too_long_tells_its_program_to_end()
    {
        _job.Section["MaxDuration"] = "00:00:03";

        ToolRun run = await ToolRun.ProgramAsync(NoVariables, "exec", "--config", _job.WriteSettings(), "--target", "warehouse", "--", "sleep", "60");

        Assert.That(run.ExitCode, Is.EqualTo(124), run.All);
        Assert.That(run.Error, Does.StartWith("nhi: NHI7003"));
    }

    [Test]
    public async Task A_pipe_that_nobody_reads_ends_a_writer_as_under_a_shell()
    {
        ToolRun run = await ToolRun.ProgramAsync(NoVariables, "exec", "--config", _job.WriteSettings(), "--target", "warehouse", "--", "bash", "-c", "grep SigIgn /proc/self/status; yes | head -1 > /dev/null; echo ${PIPESTATUS[0]}");

        Assert.That(run.Output.Split('\n'), Does.Contain("141"), run.All);
        Assert.That(Convert.ToUInt64(run.Output.Split('\n')[0].Split('\t')[1], 16) & 0x1000, Is.Zero, "SIGPIPE is not ignored");
        Assert.That(run.Error, Is.Empty);
    }

    [Test]
    public async Task What_the_issuer_can_not_revoke_is_told_at_the_end_with_the_instant_it_dies()
    {
        _job.UseAws();

        ToolRun run = await ToolRun.ProgramAsync(
            NoVariables, "exec", "--config", _job.WriteSettings(), "--target", "warehouse", "--", "sh", "-c", "curl --silent --fail -H \"Authorization: ${AWS_CONTAINER_AUTHORIZATION_TOKEN:-$(cat \"$AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE\")}\" \"$AWS_CONTAINER_CREDENTIALS_FULL_URI\" > /dev/null");

        Assert.That(run.ExitCode, Is.Zero, run.All);
        Assert.That(run.Error, Does.Match(@"^nhi: warehouse [0-9a-f]{16}: cannot be revoked.*dies at"));
    }
}
