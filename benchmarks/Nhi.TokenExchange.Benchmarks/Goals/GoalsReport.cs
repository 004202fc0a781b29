namespace Nhi.TokenExchange;

/// <summary>All that one run of the goals found, or several runs in a row of the same program on one machine.</summary>
/// <param name="Runs">How many runs.</param>
/// <param name="Origin">Of the newest run.</param>
/// <param name="ColdStart">Of the run of its own that the goals of the first token come from.</param>
/// <param name="Goals">The verdicts.</param>
/// <param name="Hits">Each row's time the best of all runs, its bytes the newest run's.</param>
/// <param name="Stampede">The newest run's: counts have no noise.</param>
/// <param name="Threads">All rows of one run.</param>
/// <param name="ManyKeys">All times of one run, the bytes of the newest.</param>
public sealed record GoalsReport(
    int Runs,
    RunOrigin Origin,
    RunOrigin ColdStart,
    IReadOnlyList<Goal> Goals,
    IReadOnlyList<HitResult> Hits,
    IReadOnlyList<StampedeResult> Stampede,
    IReadOnlyList<ThreadScalingResult> Threads,
    IReadOnlyList<ManyKeysResult> ManyKeys)
{
    /// <summary>Puts this run to those before it.</summary>
    /// <remarks>
    /// A ratio of threads or of stores is of two numbers that were measured in turns, so these come whole from one run. Which one, is asked of the yardsticks alone, which know nothing of ours:
    /// the run in which the floor, or the bare dictionary, was disturbed least.
    /// </remarks>
    /// <param name="before">Of the same program on the same machine.</param>
    /// <exception cref="RefusedReportException">The numbers don't compare.</exception>
    public GoalsReport After(GoalsReport before)
    {
        ArgumentNullException.ThrowIfNull(before);
        RefuseUnlessComparable(before.Origin, Origin);
        GoalsReport calmKeys = before.Bare < Bare ? before : this;
        return this with
        {
            Runs = before.Runs + Runs,
            Hits = [.. Hits.Select(hit => before.Hits.Where(other => (other.Method, other.Job) == (hit.Method, hit.Job)).Append(hit).MinBy(one => one.Best)! with { Bytes = hit.Bytes })],
            Threads = before.Floor > Floor ? before.Threads : Threads,
            ManyKeys = [.. ManyKeys.Select(store => store with { HitNanoseconds = calmKeys.ManyKeys.First(other => (other.Store, other.Keys) == (store.Store, store.Keys)).HitNanoseconds })],
        };
    }

    /// <exception cref="RefusedReportException">One of the two is of another commit, other packages or another machine.</exception>
    public static void RefuseUnlessComparable(RunOrigin before, RunOrigin now)
    {
        ArgumentNullException.ThrowIfNull(now);
        if (now.DiffersFrom(before) is { } what)
            throw new RefusedReportException($"goals.json doesn't compare with this program here ({what}): run without --again.");
    }

    private double Floor => Threads.Where(path => path.Path == ThreadScaling.Floor).Sum(path => path.OneThread + path.TwoThreads);

    private double Bare => ManyKeys.First(store => store.Store == ManyKeysRun.Bare).HitNanoseconds;
}
