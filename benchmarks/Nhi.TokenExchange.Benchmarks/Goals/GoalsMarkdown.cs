using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Writes a report as Markdown: the one table of the goals, then the rows behind it.</summary>
public static class GoalsMarkdown
{
    public static string Table(IReadOnlyList<Goal> goals)
    {
        var table = new StringBuilder("| # | what | goal | measured | bytes | |\n|---|---|---|---|---|---|\n");
        foreach (Goal goal in goals)
            table.Append($"| {goal.Number} | {goal.What} | {goal.Target} | {goal.Measured} | {goal.Bytes} | {goal.Verdict} |\n");
        return table.ToString();
    }

    /// <summary>Whether the machine was calm enough for times to mean something: on a calm one the median is near the best.</summary>
    public static string Calm(IReadOnlyList<HitResult> hits)
    {
        int disturbed = hits.Count(hit => hit.Median > 1.3 * hit.Best);
        return disturbed <= hits.Count / 10
            ? $"The machine was calm: in {hits.Count - disturbed} of {hits.Count} rows the median is within 1.3 of the best."
            : $"**The machine was not calm: in {disturbed} of {hits.Count} rows the median is more than 1.3 of the best. Believe the counts (8, 9) and the bytes; measure the times again.**";
    }

    public static string Write(GoalsReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var text = new StringBuilder();
        text.Append("# Goals, measured\n\n");
        text.Append("Written by `dotnet run -c Release --project benchmarks/Nhi.TokenExchange.Benchmarks -- --goals`. Read the ratios.\n\n");
        text.Append(report.Runs == 1
            ? "Every one is of two numbers of this run.\n\n"
            : string.Create(CultureInfo.InvariantCulture, $"There were {report.Runs} runs in a row on this machine (`--again`); every row is the better of its rows, ours and the peers' alike.\n\n"));
        text.Append(CultureInfo.InvariantCulture, $"- Date: {report.Date:yyyy-MM-dd HH:mm} UTC\n");
        foreach (string line in report.Machine.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            text.Append($"- {line}\n");
        text.Append($"- Packages: {string.Join(", ", report.Packages.Select(package => $"{package.Key} {package.Value}"))}\n\n");
        text.Append(Table(report.Goals)).Append('\n').Append(Calm(report.Hits)).Append('\n');
        text.Append("\n## Hits\n\nBest, median and deviation of the iterations, in nanoseconds. The goals compare the best: a neighbour's noise only ever adds.\n\n");
        text.Append("| path | run | best | median | ± | B |\n|---|---|--:|--:|--:|--:|\n");
        foreach (HitResult hit in report.Hits)
            text.Append(CultureInfo.InvariantCulture, $"| {hit.Description} | {hit.Job} | {hit.Best:N2} | {hit.Median:N2} | {hit.Deviation:N2} | {hit.Bytes:N0} |\n");
        text.Append("\n## Stampede\n\n1,000 callers at once. Calls: what the issuer counted. Held: callers still waiting, with a valid token in the cache, when all was quiet and the issuer's gate still shut. Down: the issuer fails; when all 1,000 have come back, 1,000 come again at once.\n\n");
        text.Append(StampedeRun.Table(report.Stampede));
        text.Append("\n## Threads\n\nMillion hits a second, best of 25 rounds in turns.\n\n| path | 1 thread | 2 threads | 2:1 |\n|---|--:|--:|--:|\n");
        foreach (ThreadScalingResult path in report.Threads)
            text.Append(CultureInfo.InvariantCulture, $"| {path.Path} | {path.OneThread / 1e6:N1} | {path.TwoThreads / 1e6:N1} | {path.Ratio:N2} |\n");
        text.Append("\n## Many keys\n\n| store | keys | bytes per key | of the key's object | random hit, ns |\n|---|--:|--:|--:|--:|\n");
        foreach (ManyKeysResult store in report.ManyKeys)
            text.Append(CultureInfo.InvariantCulture, $"| {store.Store} | {store.Keys:N0} | {store.BytesPerKey:N0} | {store.KeyObjectBytes:N0} | {store.HitNanoseconds:N0} |\n");
        return text.ToString();
    }
}
