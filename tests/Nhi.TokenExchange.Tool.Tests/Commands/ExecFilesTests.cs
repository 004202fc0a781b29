using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>Where the files of <c>nhi exec</c> go, and that none is left or in a program's way.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed class ExecFilesTests
{
    private DoctoredJob _job = null!;
    private string _config = "";

    [SetUp]
    public async Task StartAsync()
    {
        _job = await DoctoredJob.StartAsync();
        _job.UseVault();
        _config = _job.WriteSettings();
    }

    [TearDown]
    public async Task EndAsync() => await _job.DisposeAsync();

    private Task<ToolRun> ExecAsync(Dictionary<string, string> variables, params string[] args) => ToolRun.ProgramAsync(variables, ["exec", "--config", _config, .. args]);

    [Test]
    public async Task What_docker_finds_on_the_path_is_its_helper_alone()
    {
        ToolRun run = await ExecAsync([], "--docker", "warehouse=registry.example", "--", "timeout", "10", "env", "true");
        ToolRun listed = await ExecAsync([], "--docker", "warehouse=registry.example", "--", "sh", "-c", "ls \"${PATH%%:*}\"");

        Assert.That(run.ExitCode, Is.Zero, run.All);
        Assert.That(listed.Output, Is.EqualTo("docker-credential-nhi\nlock\n"), listed.All);
    }

    [Test]
    public async Task A_folder_that_can_not_be_used_is_passed_over_for_programs_too()
    {
        ToolRun run = await ExecAsync(new() { ["XDG_RUNTIME_DIR"] = "/proc" }, "--docker", "warehouse=registry.example", "--", "docker-credential-nhi", "list");

        Assert.That((run.ExitCode, run.Output.Trim()), Is.EqualTo((0, """{"registry.example":"oauth2accesstoken"}""")), run.All);
    }

    [Test]
    public async Task What_a_killed_run_left_goes_wherever_the_next_one_has_its_own()
    {
        string temporary = Directory.CreateDirectory(_job.PathOf("tmp")).FullName, left = Directory.CreateDirectory(Path.Combine(temporary, "nhi-exec-0123456789abcdef")).FullName;
        foreach (string file in new[] { "lock", "pgpass" })
            await File.WriteAllTextAsync(Path.Combine(left, file), "");

        ToolRun next = await ExecAsync(new() { ["TMPDIR"] = temporary }, "--target", "warehouse", "--", "sh", "-c", "echo $NHI_BROKER_TOKEN_FILE");

        Assert.That(next.Output, Does.StartWith("/").And.Not.StartWith(temporary), next.All);
        Assert.That(Directory.Exists(left), Is.False);
    }
}
