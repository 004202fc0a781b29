namespace Nhi.TokenExchange;

/// <summary>All that one run of the goals found, or several runs in a row on one machine: a row is then the better of its rows.</summary>
public sealed record GoalsReport(
    int Runs,
    DateTimeOffset Date,
    string Machine,
    IReadOnlyDictionary<string, string> Packages,
    IReadOnlyList<Goal> Goals,
    IReadOnlyList<HitResult> Hits,
    IReadOnlyList<StampedeResult> Stampede,
    IReadOnlyList<ThreadScalingResult> Threads,
    IReadOnlyList<ManyKeysResult> ManyKeys)
{
    /// <summary>Puts this run to those before it.</summary>
    /// <param name="before">Of the same rows, on the same machine; the stampede's counts have no noise, and are this run's.</param>
    public GoalsReport After(GoalsReport before)
    {
        ArgumentNullException.ThrowIfNull(before);
        if (before.Machine != Machine)
            throw new InvalidOperationException($"goals.json is of another machine, and its numbers don't compare with these: run without --again. It says: {before.Machine}");
        return this with
        {
            Runs = before.Runs + Runs,
            Hits = [.. Hits.Select(hit => before.Hits.Where(other => (other.Method, other.Job) == (hit.Method, hit.Job)).Append(hit).MinBy(one => one.Best)!)],
            Threads = [.. Threads.Select(path => before.Threads.Where(other => other.Path == path.Path)
                .Aggregate(path, (best, other) => best with { OneThread = Math.Max(best.OneThread, other.OneThread), TwoThreads = Math.Max(best.TwoThreads, other.TwoThreads) }))],
            ManyKeys = [.. ManyKeys.Select(store => before.ManyKeys.Where(other => other.Store == store.Store).Append(store).MinBy(one => one.HitNanoseconds)!)],
        };
    }
}
