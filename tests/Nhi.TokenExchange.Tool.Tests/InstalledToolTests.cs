using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>The tool as a user has it: packed, installed from a folder where no package was before, started in a folder that is empty.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed class InstalledToolTests
{
    private const string Policy = """{ "version": 1, "revision": 1, "rules": [ { "name": "orders", "effect": "permit", "when": { "target": "warehouse", "issuer": "https://cluster.example", "subject": "system:serviceaccount:jobs:orders-nightly" }, "limits": { "longestHandOut": "00:15:00" } } ] }""";

    private readonly DirectoryInfo _machine = Directory.CreateTempSubdirectory("nhi-install-");

    private string Here => Path.Combine(_machine.FullName, "here");

    private string Nhi => Path.Combine(_machine.FullName, "tools", "nhi");

    // A machine with .NET and nothing of ours; a shim finds the runtime by DOTNET_ROOT.
    private Dictionary<string, string> Variables => new()
    {
        ["HOME"] = _machine.FullName, ["DOTNET_CLI_HOME"] = _machine.FullName, ["NUGET_PACKAGES"] = Path.Combine(_machine.FullName, "packages"), ["DOTNET_NOLOGO"] = "1", ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["DOTNET_GENERATE_ASPNET_CERTIFICATE"] = "false",
        ["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../..")),
    };

    [TearDown]
    public void Remove() => _machine.Delete(recursive: true);

    [Test]
    public async Task From_a_folder_with_its_package_it_is_installed_and_all_of_it_works()
    {
        await InstallAsync();
        using RunningTool emulator = await RunningTool.StartAsync(Start("emulator", "--folder", "demo"), "Ctrl-C ends it.");
        string[] job = ["--config", "demo/appsettings.json"];
        await File.WriteAllTextAsync(Path.Combine(Here, "policy.json"), Policy);

        await SaysAsync("doctor", "--help");
        await SaysAsync("Nothing is wrong.", ["doctor", .. job]);
        await SaysAsync("system:serviceaccount:jobs:orders-nightly", ["whoami", .. job]);
        await SaysAsync("revoked", ["token", "warehouse", .. job]);
        await SaysAsync("a socket", ["exec", "--target", "warehouse", .. job, "--", "sh", "-c", "test -S \"${NHI_BROKER#unix:}\" && echo a socket"]);
        await SaysAsync("username=x-access-token", ["exec", "--git", "warehouse=https://git.example", .. job, "--", "sh", "-c", "printf 'protocol=https\\nhost=git.example\\n\\n' | git credential fill | grep username"]);
        await SaysAsync("0 finding(s)", "policy", "lint", "policy.json");
        await SaysAsync("INTACT", "audit", "verify", "demo/audit");
        await SaysAsync("warehouse issued", "audit", "story", "demo/audit");
        await SaysAsync("nothing was left behind", ["leases", "list", .. job]);
        Assert.That(await emulator.TerminateAsync(), Is.Zero);
    }

    // What the tests were built with is packed: nothing is compiled.
    private async Task InstallAsync()
    {
        Directory.CreateDirectory(Here);
        string feed = Path.Combine(_machine.FullName, "feed");
        await File.WriteAllTextAsync(Path.Combine(_machine.FullName, "nuget.config"), "<configuration><packageSources><clear /></packageSources></configuration>");   // no other feed
        string configuration = Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(typeof(InstalledToolTests).Assembly.Location)!)!);
        ToolRun packed = await DotnetAsync(
            Repository.Root, new Dictionary<string, string>(), "pack", "src/Nhi.TokenExchange.Tool", "--no-build", "-c", configuration, "-o", feed, $"-p:PublishDir={_machine.FullName}/publish/", "-nodeReuse:false");
        Assert.That(packed.ExitCode, Is.Zero, packed.All);
        ToolRun installed = await DotnetAsync(Here, Variables, "tool", "install", "Nhi.TokenExchange.Tool", "--tool-path", Path.Combine(_machine.FullName, "tools"), "--add-source", feed);
        Assert.That(installed.ExitCode, Is.Zero, installed.All);
    }

    private async Task SaysAsync(string said, params string[] args)
    {
        ToolRun run = await ToolRun.OfAsync(Nhi, Here, Variables, args);
        Assert.That(run.ExitCode, Is.Zero, $"nhi {string.Join(' ', args)}\n{run.All}");
        Assert.That(run.All, Does.Contain(said));
        Assert.That(run.All, Does.Not.Contain("eyJ"), "a token");
    }

    private ProcessStartInfo Start(params string[] args)
    {
        var start = new ProcessStartInfo(Nhi, args) { WorkingDirectory = Here };
        foreach ((string name, string value) in Variables)
            start.Environment[name] = value;
        return start;
    }

    // What the build that runs these tests says to itself is not meant for one inside them.
    private static Task<ToolRun> DotnetAsync(string folder, IReadOnlyDictionary<string, string> variables, params string[] args) =>
        ToolRun.OfAsync("env", folder, variables, [.. Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).SelectMany(name => new[] { "-u", name }), "dotnet", .. args]);
}
