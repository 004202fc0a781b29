using BenchmarkDotNet.Running;

namespace Nhi.TokenExchange;

/// <summary>Hits in processes that may use one core, and in processes that may use all.</summary>
public sealed record OneCoreReport(RunOrigin Origin, IReadOnlyList<HitResult> Hits)
{
    private const string Name = "one-core";

    /// <summary>Measures, and writes <c>one-core.md</c> and <c>one-core.json</c>.</summary>
    public static async Task MeasureAsync()
    {
        long begun = System.Diagnostics.Stopwatch.GetTimestamp();
        IReadOnlyList<HitResult> hits = HitResult.Run(
        [
            BenchmarkConverter.TypeToBenchmarks(typeof(OursAndFloor), BenchmarkConfigs.OneCore),
            BenchmarkConverter.TypeToBenchmarks(typeof(SdkPeers), BenchmarkConfigs.OneCore),
            BenchmarkConverter.TypeToBenchmarks(typeof(OursAndFloor), BenchmarkConfigs.Short),
            BenchmarkConverter.TypeToBenchmarks(typeof(SdkPeers), BenchmarkConfigs.Short),
        ]);
        var report = new OneCoreReport(RunOrigin.Of("Nhi.TokenExchange.Benchmarks", begun), hits);
        await ReportFile.PublishAsync(Name, report.ToMarkdown(), report);
    }

    private string ToMarkdown() => $"""
        # Hits on one core, measured

        Written by `dotnet run -c Release --project benchmarks/Nhi.TokenExchange.Benchmarks -- --one-core`: the same hits in processes that may use one core, and in processes that may use all. Read the ratios.
        Where the bytes of the two runs differ, so does the code: on one core the JIT, which has to share it, had not finished. Such a row says nothing of what one core costs.

        {Origin.ToMarkdown()}
        {OneCoreTable.Of(Hits)}
        {GoalsMarkdown.Calm(Hits)}

        """.ReplaceLineEndings("\n");
}
