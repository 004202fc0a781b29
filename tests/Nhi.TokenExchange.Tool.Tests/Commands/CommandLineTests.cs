using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tool.Tests;

[NonParallelizable]
public class CommandLineTests
{
    [TestCase("doctr", "nhi: there is no 'doctr'. Did you mean doctor? 'nhi --help' lists what there is.")]
    [TestCase("policy tset", "nhi policy: there is no 'tset'. Did you mean test? 'nhi policy --help' lists what there is.")]
    [TestCase("doctor --confg x.json", "nhi doctor: there is no '--confg'. Did you mean --config? 'nhi doctor --help' lists what there is.")]
    [TestCase("whoami x", "nhi whoami: there is no 'x'. 'nhi whoami --help' lists what there is.")]
    [TestCase("policy", "nhi policy: a command is missing: test, explain or lint. 'nhi policy --help' lists what there is.")]
    public async Task What_is_not_there_is_told_in_one_line_with_what_is_meant(string line, string said)
    {
        ToolRun run = await ToolRun.HereAsync(line.Split(' '));

        Assert.That((run.ExitCode, run.Error, run.Output), Is.EqualTo((ExitCodes.Usage, $"{said}{Environment.NewLine}", "")));
    }

    [Test]
    public async Task Without_a_command_there_is_help_and_a_script_is_told_that_it_did_nothing()
    {
        ToolRun run = await ToolRun.HereAsync();

        Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Usage));
        Assert.That(run.Error, Does.Contain("nhi doctor"));
        Assert.That(run.Output, Is.Empty);
    }

    [TestCase("doctor --config /nowhere/appsettings.json", "--config")]
    [TestCase("token warehouse --hold 13:00:00", "--hold: is 13:00:00, which is out of its range. Write a time from 00:00:00 to 12:00:00, as hh:mm:ss.")]
    [TestCase("token warehouse --hold 5", "--hold: '5' is not a time. Write one from 00:00:00 to 12:00:00, as hh:mm:ss.")]
    [TestCase("token warehouse --hold soon", "--hold: 'soon' is not a time.")]
    [TestCase("audit story . --session zzz", "--session: 'zzz' is not the id of a session. Write it as the audit has it, such as 37d3619e-73fe-4885-ae8b-3b34c579922e.")]
    [TestCase("audit verify . --anchor x", "--anchor: 'x' is no anchor.")]
    [TestCase("completion ksh", "'ksh'")]
    [TestCase("token warehouse --hold", "--hold: its value is missing.")]
    [TestCase("doctor --json=perhaps", "there is no 'perhaps'.")]
    [TestCase("token", "target is missing.")]
    [TestCase("leases revoke", "--reason")]
    [TestCase("policy lint /nowhere/policy.json", "policy")]
    public async Task An_error_of_the_command_line_names_the_option(string line, string option)
    {
        ToolRun run = await ToolRun.HereAsync(line.Split(' '));

        Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Usage), run.All);
        Assert.That(run.Error, Does.Contain(option));
        Assert.That(run.Error, Does.Not.Contain("   at "), "no stack trace");
        Assert.That(run.Error, Does.Not.Contain("System.").And.Not.Contain("(Parameter"), "no word of .NET");
        Assert.That(run.Output, Is.Empty, "a program reads that");
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
    [TestCase("audit summary")]
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
        string[] known = (await ToolRun.HereAsync("[suggest:4]", "nhi ")).Output.Split('\n', StringSplitOptions.TrimEntries);
        Assert.That(Regex.Matches(run.Output, @"\bnhi ([a-z]+)").Select(match => match.Groups[1].Value).Distinct(), Is.SubsetOf(known), "it names no command that there is none of");
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
