namespace Nhi.TokenExchange.Tool.Tests;

[NonParallelizable]
public class CommandLineTests
{
    [TestCase("docter", "doctor")]
    [TestCase("policy tset", "test")]
    public async Task A_misspelt_command_is_told_with_the_one_that_is_meant(string line, string meant)
    {
        ToolRun run = await ToolRun.HereAsync(line.Split(' '));

        Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Usage));
        Assert.That(run.All, Does.Contain(meant));
    }

    [TestCase("doctor --config /nowhere/appsettings.json", "--config")]
    [TestCase("token warehouse --hold 13:00:00", "--hold")]
    [TestCase("token warehouse --hold soon", "--hold")]
    [TestCase("leases revoke", "--reason")]
    [TestCase("policy lint /nowhere/policy.json", "policy")]
    public async Task An_error_of_the_command_line_names_the_option(string line, string option)
    {
        ToolRun run = await ToolRun.HereAsync(line.Split(' '));

        Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Usage), run.All);
        Assert.That(run.Error, Does.Contain(option));
        Assert.That(run.Error, Does.Not.Contain("   at "), "no stack trace");
    }

    [TestCase("")]
    [TestCase("doctor")]
    [TestCase("whoami")]
    [TestCase("token")]
    [TestCase("policy test")]
    [TestCase("policy explain")]
    [TestCase("policy lint")]
    [TestCase("audit verify")]
    [TestCase("audit story")]
    [TestCase("leases list")]
    [TestCase("leases revoke")]
    [TestCase("leases recover")]
    [TestCase("emulator")]
    [TestCase("completion")]
    public async Task Help_has_an_example(string command)
    {
        ToolRun run = await ToolRun.HereAsync([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);

        Assert.That(run.ExitCode, Is.Zero);
        Assert.That(run.Output, Does.Contain("Example").And.Contain(command.Length == 0 ? "nhi doctor" : command));
    }

    [TestCase("bash")]
    [TestCase("zsh")]
    [TestCase("fish")]
    [TestCase("pwsh")]
    public async Task A_shell_is_told_how_to_complete(string shell)
    {
        ToolRun run = await ToolRun.HereAsync("completion", shell);

        Assert.That(run.ExitCode, Is.Zero);
        Assert.That(run.Output, Does.Contain("[suggest:"));
    }

    [Test]
    public async Task What_a_shell_asks_is_answered()
    {
        ToolRun run = await ToolRun.HereAsync("[suggest:6]", "nhi do");

        Assert.That(run.Output.Split('\n', StringSplitOptions.TrimEntries), Does.Contain("doctor"));
    }

    [Test]
    public async Task A_file_that_is_no_JSON_is_named()
    {
        string folder = Directory.CreateTempSubdirectory("nhi-line-").FullName;
        string file = Path.Combine(folder, "appsettings.json");
        await File.WriteAllTextAsync(file, "{ \"TokenExchange\": ");

        ToolRun run = await ToolRun.HereAsync("whoami", "--config", file);
        Directory.Delete(folder, recursive: true);

        Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Configuration), run.All);
        Assert.That(run.Error, Does.Contain("NHI1001").And.Contain("appsettings.json"));
    }
}
