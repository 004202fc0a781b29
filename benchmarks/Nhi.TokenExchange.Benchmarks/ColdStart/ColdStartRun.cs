using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Starts processes that get one token each, in turns, and takes their whole wall time.</summary>
public static class ColdStartRun
{
    private const int Rounds = 21;
    private const string Program = "Nhi.TokenExchange.ColdStart";
    private const string Library = "Nhi.TokenExchange";

    private static readonly string[] OnTheJit = ["empty", "http-client", "ours", "http-client-di", "ours-di", "aws", "msal", "azure-identity"];
    private static readonly string[] Shipped = ["ours", "ours-di"];
    private static readonly string[] Precompiled = ["empty", "http-client", "ours", "ours-di"];

    /// <param name="root">The root of the repository.</param>
    /// <param name="native">Whether native programs are compiled and measured too: takes some minutes, and wants the platform's linker.</param>
    public static async Task<IReadOnlyList<ColdStartResult>> RunAsync(string root, bool native)
    {
        string project = Path.Combine(root, "benchmarks", Program);
        string work = Directory.CreateTempSubdirectory("nhi-cold-start-").FullName;
        try
        {
            // Optimised as users run it; published, so that nothing of the build is in the number.
            await PublishAsync(project, work, "jit");
            await PublishAsync(project, work, "shipped");
            await PublishAsync(Path.Combine(root, "src", Library), work, "library", "-p:ReadyToRunFor=linux-x64");
            File.Copy(Path.Combine(work, "library-out", Library + ".dll"), Path.Combine(work, "shipped-out", Library + ".dll"), overwrite: true);
            await PublishAsync(project, work, "r2r", "-p:ReadyToRun=true");
            if (native)
                await PublishAsync(project, work, "aot", "-p:SdkPeers=false");
            (string Way, Compiled Compiled, string File)[] ways =
            [
                .. OnTheJit.Select(way => (way, Compiled.Jit, Path.Combine(work, "jit-out", Program))),
                .. Shipped.Select(way => (way, Compiled.AsShipped, Path.Combine(work, "shipped-out", Program))),
                .. Precompiled.Select(way => (way, Compiled.ReadyToRun, Path.Combine(work, "r2r-out", Program))),
                .. native ? Precompiled.Select(way => (way, Compiled.Ahead, Path.Combine(work, "aot-out", Program))) : [],
            ];
            return await MeasureAsync(ways);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    public static string Table(IReadOnlyList<ColdStartResult> results)
    {
        var table = new StringBuilder("| way | compiled | median ms | least | most |\n|---|---|--:|--:|--:|\n");
        foreach (ColdStartResult result in results)
            table.Append(CultureInfo.InvariantCulture, $"| {result.Way} | {TextOf(result.Compiled)} | {result.Median:F1} | {result.Least:F1} | {result.Most:F1} |\n");
        return table.ToString();
    }

    private static string TextOf(Compiled compiled) => compiled switch
    {
        Compiled.Jit => "JIT",
        Compiled.AsShipped => "JIT, ours as its package brings it",
        Compiled.ReadyToRun => "all ready to run",
        _ => "ahead of time",
    };

    private static async Task<IReadOnlyList<ColdStartResult>> MeasureAsync((string Way, Compiled Compiled, string File)[] ways)
    {
        await using var issuer = new LoopbackIssuer();
        string proof = Proofs.For(issuer.Address.AbsoluteUri, TimeProvider.System.GetUtcNow());
        var times = ways.ToDictionary(way => way, _ => new List<double>());
        for (int round = 0; round <= Rounds; round++)
        {
            foreach ((string Way, Compiled Compiled, string File) way in ways)
            {
                double milliseconds = await StartAsync(way.File, way.Way, issuer.Address, proof);
                if (round > 0)   // the first brings the files into memory
                    times[way].Add(milliseconds);
            }
        }
        return [.. ways.Select(way => Of(way.Way, way.Compiled, [.. times[way].Order()]))];
    }

    private static ColdStartResult Of(string way, Compiled compiled, double[] sorted) => new(way, compiled, sorted[sorted.Length / 2], sorted[0], sorted[^1]);

    private static async Task<double> StartAsync(string file, string way, Uri issuer, string proof)
    {
        var start = new ProcessStartInfo(file, [way]) { RedirectStandardOutput = true };
        start.Environment["COLD_START_ISSUER"] = issuer.AbsoluteUri;
        start.Environment["COLD_START_PROOF"] = proof;
        start.Environment["DOTNET_TieredPGO"] = "0";   // instrumentation that a process of a tenth of a second never gets anything of
        long begun = Stopwatch.GetTimestamp();
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"'{way}' did not start.");
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        double milliseconds = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        return process.ExitCode == 0 && output.Trim().Length > 0 ? milliseconds : throw new InvalidOperationException($"'{way}' got no token.");
    }

    // Into a folder of its own: the repository's own outputs stay as they are.
    private static async Task PublishAsync(string project, string work, string name, params string[] more)
    {
        string[] arguments = ["publish", project, "-c", "Release", "-p:UseArtifactsOutput=true", $"-p:ArtifactsPath={Path.Combine(work, name)}", "-o", Path.Combine(work, $"{name}-out"), .. more];
        using Process process = Process.Start(new ProcessStartInfo("dotnet", arguments)) ?? throw new InvalidOperationException("dotnet did not start.");
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"dotnet {string.Join(' ', arguments)} failed.");
    }
}
