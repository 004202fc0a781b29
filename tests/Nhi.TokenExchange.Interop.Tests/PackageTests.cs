using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>What goes into a package beside the IL. Packing compiles each library three times more, so what is asked is what the build would do, not the package.</summary>
internal sealed class PackageTests
{
    private static readonly string[] WhereJobsRun = ["linux-x64", "linux-arm64", "win-x64"];
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    [TestCase("Nhi.TokenExchange")]
    [TestCase("Nhi.TokenExchange.Azure")]
    [TestCase("Nhi.TokenExchange.PostgreSql")]
    public async Task A_Release_package_brings_compiled_code_for_where_jobs_run_and_a_Debug_package_does_not(string project)
    {
        (string release, string[] rids) = await AskAsync(project, "Release");
        (string debug, _) = await AskAsync(project, "Debug");

        Assert.That(release.Split(';'), Does.Contain("PackReadyToRun"));
        Assert.That(rids, Is.EqualTo(WhereJobsRun));
        Assert.That(debug, Does.Not.Contain("PackReadyToRun"), "that would be unoptimised code");
    }

    private static async Task<(string Targets, string[] Rids)> AskAsync(string project, string configuration)
    {
        string file = Path.Combine(NativeSample.Checkout(), "src", project, $"{project}.csproj");
        (int exitCode, string said) = await ChildProgram.RunAsync(
            Deadline, new Dictionary<string, string>(), "dotnet", "msbuild", file, "-nologo", "-nodeReuse:false", $"-p:Configuration={configuration}",
            "-getProperty:TargetsForTfmSpecificContentInPackage", "-getProperty:IsPackable", "-getItem:ReadyToRunRid");
        Assert.That(exitCode, Is.Zero, said);
        using JsonDocument answer = JsonDocument.Parse(said);
        JsonElement properties = answer.RootElement.GetProperty("Properties");
        Assert.That(properties.GetProperty("IsPackable").GetString(), Is.EqualTo("true"));
        string[] rids = [.. answer.RootElement.GetProperty("Items").GetProperty("ReadyToRunRid").EnumerateArray().Select(rid => rid.GetProperty("Identity").GetString()!)];
        return (properties.GetProperty("TargetsForTfmSpecificContentInPackage").GetString()!, rids);
    }
}
