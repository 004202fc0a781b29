namespace Nhi.TokenExchange.Soak;

/// <summary>10. When all jobs are over, handles and memory are what they were after the first one, and none of them is held by anything. It is measured after collector and allocator gave back what is free.</summary>
/// <remarks>While jobs run they hold what the jobs hold, and after a fault more jobs wait at once: the slopes of a long run are told, and say nothing for themselves.</remarks>
internal sealed class ResourcesConstant() : SoakInvariant(10, "handles, memory and jobs given back")
{
    private const int MoreHandles = 40;
    // What a process pays for once, whatever it does later: buffers in the pool of each thread and what was compiled on the way, 1 or 2 MiB after half a minute, up to 12 after ten, the more the more threads the pool had. A job that is held shows by itself.
    private const double MoreMebibytes = 16;
    // That, the allocator's arenas and the stacks of threads: some 25 MiB after half a minute, 130 after ten of two hundred jobs on a machine that had far too much to do. Only what is grossly leaked is told from it.
    private const double MoreWorkingSetMebibytes = 256;
    private const double Mebibyte = 1024 * 1024;
    private const int FewestSamples = 5;

    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(2);

    /// <summary>How fast the working set grows, in MiB a minute, after the first two minutes, or after a third of a run that is shorter; null in a run that is too short to say.</summary>
    public static double? SlopeOf(Evidence evidence) => SlopeOf(evidence, resource => resource.WorkingSet);

    /// <summary>How fast what the collector holds grows, in the same way: where the working set grows without it, the allocator keeps what is free.</summary>
    public static double? ManagedSlopeOf(Evidence evidence) => SlopeOf(evidence, resource => resource.Managed);

    /// <summary>What the collector holds more when all jobs are over than it held after the first, in MiB.</summary>
    public static double LeftOf(Evidence evidence) => (At(evidence, "drained").Managed - At(evidence, "baseline").Managed) / Mebibyte;

    /// <summary>By how much the working set is larger when all jobs are over than it was after the first, in MiB: what the collector does not know of is in it, too.</summary>
    public static double WorkingSetLeftOf(Evidence evidence) => (At(evidence, "drained").WorkingSet - At(evidence, "baseline").WorkingSet) / Mebibyte;

    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        int before = At(evidence, "baseline").Handles;
        int after = At(evidence, "drained").Handles;
        if (after > before + MoreHandles)
            yield return Breach($"{after} handles at the end, {before} after the first job");
        if (At(evidence, "drained").Jobs is > 0 and var held)
            yield return Breach($"{held} jobs that are over are held by something");
        if (LeftOf(evidence) is var left && left > MoreMebibytes)
            yield return Breach(FormattableString.Invariant($"the collector holds {left:0.0} MiB more when all jobs are over than after the first"));
        if (WorkingSetLeftOf(evidence) is var more && more > MoreWorkingSetMebibytes)
            yield return Breach(FormattableString.Invariant($"the working set is {more:0} MiB larger when all jobs are over than after the first"));
    }

    // Of all pairs of samples the median: what waits after a fault, and is gone a minute later, moves no line.
    private static double? SlopeOf(Evidence evidence, Func<ResourceRecord, long> measured)
    {
        (double Minutes, double Mebibytes)[] samples = SamplesOf(evidence, measured);
        if (!evidence.Options.IsLong || samples.Length < FewestSamples)
            return null;
        double[] slopes = [.. samples.SelectMany((first, i) => samples.Skip(i + 1).Select(second => (second.Mebibytes - first.Mebibytes) / (second.Minutes - first.Minutes))).Order()];
        return slopes[slopes.Length / 2];
    }

    private static ResourceRecord At(Evidence evidence, string when) => evidence.Resources.Single(resource => resource.When == when);

    // While jobs run, which begin when the baseline is measured.
    private static (double Minutes, double Mebibytes)[] SamplesOf(Evidence evidence, Func<ResourceRecord, long> measured)
    {
        long began = At(evidence, "baseline").At;
        long settled = began + SettledAfter(evidence).Ticks;
        long over = began + TimeSpan.FromSeconds(evidence.Options.Seconds).Ticks;
        return
        [
            .. evidence.Resources.Where(resource => resource.When == "running" && resource.At >= settled && resource.At <= over)
                .Select(resource => (TimeSpan.FromTicks(resource.At).TotalMinutes, measured(resource) / Mebibyte)),
        ];
    }

    private static TimeSpan SettledAfter(Evidence evidence) => evidence.Options.Seconds >= SoakOptions.LongFrom ? Settled : TimeSpan.FromSeconds(evidence.Options.Seconds / 3.0);
}
