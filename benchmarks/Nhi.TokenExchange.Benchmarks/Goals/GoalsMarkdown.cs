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
            : $"**The machine was not calm: in {disturbed} of {hits.Count} rows the median is more than 1.3 of the best. Measure the times again; bytes agree from run to run to a hundredth.**";
    }

    private static string FirstTokens(GoalsReport report)
    {
        RunOrigin there = report.ColdStart;
        if (report.Origin.FirstTokensDifferIn(there) is { } other)
            return $"- Goals 13 to 16 are missing: [the last run of first tokens](cold-start.md) is of something else ({other})\n\n";
        string same = there.Commit == report.Origin.Commit ? "" : ", in which the library and what measures first tokens are the same";
        return string.Create(CultureInfo.InvariantCulture, $"- Goals 13 to 16 are of [a run of their own](cold-start.md) on this machine, of {there.Date:yyyy-MM-dd HH:mm} UTC, commit {there.Commit}{same}\n\n");
    }

    public static string Write(GoalsReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var text = new StringBuilder();
        text.Append("# Goals, measured\n\n");
        text.Append("Written by `dotnet run -c Release --project benchmarks/Nhi.TokenExchange.Benchmarks -- --goals`. Read the ratios.\n\n");
        text.Append(report.Runs == 1
            ? "Each is of two numbers of this run, but those of goals 13 to 16.\n\n"
            : string.Create(CultureInfo.InvariantCulture,
                $"There were {report.Runs} runs in a row of the same program on this machine (`--again`). The time of a hit or an exchange is the best of its rows, ours and the peers' alike, so a ratio may be of two runs; those of goals 13 to 16 are of none of these. Threads come whole from the run in which the floor was fastest, times of many keys from the one in which the bare dictionary was; bytes and counts from the newest.\n\n"));
        text.Append(report.Origin.ToMarkdown());
        text.Append(FirstTokens(report));
        text.Append(Table(report.Goals)).Append('\n').Append(Calm(report.Hits)).Append('\n');
        text.Append("\n## Hits\n\nBest, median and deviation of the iterations, in nanoseconds. The goals compare the best: a neighbour's noise only ever adds.\n\n");
        HitResult floor = GoalJudge.FloorOf(report.Hits);
        text.Append(CultureInfo.InvariantCulture, $"The floor of the goals is {floor.Best:N2} ns, `{floor.Description}` ({floor.Job}): the least of its own rows and of ours, which do all that it does and more, so that a disturbed row of the floor makes no ratio smaller than it is.\n\n");
        text.Append("| path | run | best | median | ± | B |\n|---|---|--:|--:|--:|--:|\n");
        foreach (HitResult hit in report.Hits)
            text.Append(CultureInfo.InvariantCulture, $"| {hit.Description} | {hit.Job} | {hit.Best:N2} | {hit.Median:N2} | {hit.Deviation:N2} | {hit.Bytes:N0} |\n");
        text.Append("\n## Stampede\n\n1,000 callers at once. Calls: what the issuer counted until all had come back. Held: callers still waiting, with a valid token in the cache, when all was quiet and the issuer's gate still shut. Down: the issuer fails; when all 1,000 have come back, and the tries of what they began are over, 1,000 come again. Stays down: then the clock is moved past two back-offs, and after each 1,000 come, and 1,000 more within the next; of ours alone, whose clock can be moved.\n\n");
        text.Append(StampedeRun.Table(report.Stampede));
        text.Append(CultureInfo.InvariantCulture, $"\n## Threads\n\nMillion hits a second, best of {ThreadScaling.Rounds} rounds in turns.\n\n| path | 1 thread | 2 threads | 2:1 |\n|---|--:|--:|--:|\n");
        foreach (ThreadScalingResult path in report.Threads)
            text.Append(CultureInfo.InvariantCulture, $"| {path.Path} | {path.OneThread / 1e6:N1} | {path.TwoThreads / 1e6:N1} | {path.Ratio:N2} |\n");
        text.Append(CultureInfo.InvariantCulture, $"\n## Many keys\n\nRandom hits: best of {ManyKeysRun.Rounds} rounds over all keys, {ManyKeysRun.MsalRounds} for MSAL, in which no issuer was asked.\n\n| store | keys | bytes per key | of the key's object | random hit, ns |\n|---|--:|--:|--:|--:|\n");
        foreach (ManyKeysResult store in report.ManyKeys)
            text.Append(CultureInfo.InvariantCulture, $"| {store.Store} | {store.Keys:N0} | {store.BytesPerKey:N0} | {store.KeyObjectBytes:N0} | {store.HitNanoseconds:N0} |\n");
        return text.ToString();
    }
}
