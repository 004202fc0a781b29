using System.Globalization;
using System.Text;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Nhi.TokenExchange;

/// <summary>What a decision costs by the number of rules.</summary>
/// <param name="Origin">Of what, where and when.</param>
/// <param name="Rows">A row for each kind of decision and number of rules.</param>
public sealed record PolicyReport(RunOrigin Origin, IReadOnlyList<PolicyReport.Row> Rows)
{
    private const string Name = "policy";

    /// <summary>Measures, and writes <c>policy.md</c> and <c>policy.json</c>.</summary>
    /// <exception cref="InvalidOperationException">A row gave no result.</exception>
    public static async Task MeasureAsync()
    {
        long begun = System.Diagnostics.Stopwatch.GetTimestamp();
        Row[] rows = [.. BenchmarkRunner.Run([BenchmarkConverter.TypeToBenchmarks(typeof(PolicyDecisions), BenchmarkConfigs.Careful)]).SelectMany(summary => summary.Reports).Select(RowOf)];
        var report = new PolicyReport(RunOrigin.Of("Nhi.TokenExchange.Benchmarks", begun), rows);
        await ReportFile.PublishAsync(Name, report.ToMarkdown(), report);
    }

    private static Row RowOf(BenchmarkReport report)
    {
        HitResult hit = HitResult.Of(report);
        return new Row(hit.Description, (int)report.BenchmarkCase.Parameters[nameof(PolicyDecisions.Rules)], hit.Best / 1000, hit.Median / 1000, hit.Bytes);
    }

    private string ToMarkdown()
    {
        var table = new StringBuilder("| what | rules | best, µs | median, µs | bytes |\n|---|--:|--:|--:|--:|\n");
        foreach (Row row in Rows.OrderBy(row => row.What, StringComparer.Ordinal).ThenBy(row => row.Rules))
            table.Append(CultureInfo.InvariantCulture, $"| {row.What} | {row.Rules:N0} | {Text(row.Best)} | {Text(row.Median)} | {row.Bytes:N0} |\n");
        return $"""
            # A decision of a policy, measured

            Written by `dotnet run -c Release --project benchmarks/Nhi.TokenExchange.Benchmarks -- --policy`: one process, 7 warm-ups, 9 iterations of 150 ms a row. Read the ratios.

            {Origin.ToMarkdown()}
            {table}
            A decision is made once an exchange, never on a hit: what a hit costs is in [goals.md](goals.md), of runs of its own. Rules are found by the target's name: in a document that is spread over targets, ten are looked at, however long it is.

            """.ReplaceLineEndings("\n");
    }

    private static string Text(double microseconds) => microseconds.ToString(microseconds >= 100 ? "N0" : "N2", CultureInfo.InvariantCulture);

    /// <summary>One kind of decision by one number of rules.</summary>
    /// <param name="What">The kind.</param>
    /// <param name="Rules">How many rules the document has.</param>
    /// <param name="Best">The fastest iteration, in microseconds.</param>
    /// <param name="Median">The median iteration, in microseconds.</param>
    /// <param name="Bytes">Managed bytes for each.</param>
    public sealed record Row(string What, int Rules, double Best, double Median, long Bytes);
}
