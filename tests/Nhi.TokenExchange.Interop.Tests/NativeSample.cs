using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Nhi.TokenExchange;

/// <summary>Publishes samples as native code, each once in a run of the tests, into a folder of its own: the checkout may be in the middle of a build.</summary>
internal static class NativeSample
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(9);   // on a cold machine the compiler is a download first

    private static readonly ConcurrentDictionary<string, Lazy<Task<string>>> Published = new();
    private static readonly Lazy<string> Folder = new(() => Directory.CreateTempSubdirectory("nhi-native-").FullName);

    /// <summary>The program as native code. Trimmer and compiler had nothing to warn of; where there is no linker, the test is skipped.</summary>
    public static Task<string> PublishAsync(string sample)
    {
        RequireToolchain();
        return Published.GetOrAdd(sample, _ => new Lazy<Task<string>>(() => PublishNowAsync(sample))).Value;
    }

    public static void RemoveAll()
    {
        if (Folder.IsValueCreated)
            Directory.Delete(Folder.Value, recursive: true);
    }

    private static async Task<string> PublishNowAsync(string sample)
    {
        string output = Path.Combine(Folder.Value, sample);
        // The analyzers of source code have had their say in the checkout's own build; those of trimmer and compiler speak here.
        (int exitCode, string said) = await ChildProgram.RunAsync(
            Deadline, new Dictionary<string, string>(), "dotnet", "publish", Path.Combine(Checkout(), "samples", sample, $"{sample}.csproj"), "-c", "Release", "-o", output,
            "-p:UseArtifactsOutput=true", $"-p:ArtifactsPath={Path.Combine(Folder.Value, "artifacts")}", "-p:Native=true", "-p:RestoreLockedMode=true", "-p:RunAnalyzers=false", "-p:UseSharedCompilation=false", "-nodeReuse:false");
        Assert.That(exitCode, Is.Zero, said);
        Assert.That(said, Does.Not.Contain("warning").IgnoreCase, said);
        Assert.That(File.Exists(Path.Combine(output, $"{sample}.dll")), Is.False, "this is no managed program");
        return Path.Combine(output, sample);
    }

    // The linker is clang, or gcc where that is missing: the SDK looks for both.
    private static void RequireToolchain()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.OSArchitecture != Architecture.X64)
            NodeProgram.Missing("the samples name linux-x64 as their platform");
        if (!NodeProgram.IsOnPath("clang") && !NodeProgram.IsOnPath("gcc"))
            NodeProgram.Missing("neither clang nor gcc is on the path, and one of them links native code");
    }

    internal static string Checkout()
    {
        DirectoryInfo? above = new(AppContext.BaseDirectory);
        while (above is not null && !File.Exists(Path.Combine(above.FullName, "Nhi.TokenExchange.sln")))
            above = above.Parent;
        return above?.FullName ?? throw new InvalidOperationException("The checkout lies above the test binaries.");
    }
}

/// <summary>Takes away what was published, when the last test has run.</summary>
[SetUpFixture]
internal sealed class NativeSamplesRemoval
{
    [OneTimeTearDown]
    public void Remove() => NativeSample.RemoveAll();
}
