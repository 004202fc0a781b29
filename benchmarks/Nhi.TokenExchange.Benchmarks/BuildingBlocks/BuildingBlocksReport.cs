using System.Globalization;
using System.Text;
using BenchmarkDotNet.Running;

namespace Nhi.TokenExchange;

/// <summary>What the parts of a hit cost.</summary>
/// <param name="Origin">Of which program, on which machine.</param>
/// <param name="Rows">The rows.</param>
public sealed record BuildingBlocksReport(RunOrigin Origin, IReadOnlyList<HitResult> Rows)
{
    private const string Name = "building-blocks";

    /// <summary>Measures, and writes <c>building-blocks.md</c> and <c>building-blocks.json</c>.</summary>
    /// <exception cref="InvalidOperationException">A row gave no result.</exception>
    public static async Task MeasureAsync()
    {
        long begun = System.Diagnostics.Stopwatch.GetTimestamp();
        IReadOnlyList<HitResult> rows = HitResult.Run(
        [
            BenchmarkConverter.TypeToBenchmarks(typeof(ClockReads), BenchmarkConfigs.Careful),
            BenchmarkConverter.TypeToBenchmarks(typeof(AgreedClockReads), BenchmarkConfigs.Careful),
            BenchmarkConverter.TypeToBenchmarks(typeof(HeaderWrites), BenchmarkConfigs.Careful),
        ]);
        var report = new BuildingBlocksReport(RunOrigin.Of("Nhi.TokenExchange.Benchmarks", begun), rows);
        await ReportFile.PublishAsync(Name, report.ToMarkdown(), report);
    }

    private string ToMarkdown()
    {
        double tick = Rows.First(row => row.Method == nameof(ClockReads.TickCount64)).Best;
        var table = new StringBuilder("| what | best, ns | median, ns | × the coarse tick | bytes |\n|---|--:|--:|--:|--:|\n");
        foreach (HitResult row in Rows)
            table.Append(CultureInfo.InvariantCulture, $"| {row.Description} | {row.Best:N2} | {row.Median:N2} | {row.Best / tick:N2} | {row.Bytes:N0} |\n");
        return $"""
            # The parts of a hit, measured

            Written by `dotnet run -c Release --project benchmarks/Nhi.TokenExchange.Benchmarks -- --building-blocks`: one process, 7 warm-ups, 9 iterations of 150 ms a row. Read the ratios.

            {Origin.ToMarkdown()}
            {table}
            {GoalsMarkdown.Calm(Rows)}

            """.ReplaceLineEndings("\n");
    }
}
