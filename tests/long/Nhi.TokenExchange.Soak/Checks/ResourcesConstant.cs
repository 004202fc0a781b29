namespace Nhi.TokenExchange.Soak;

/// <summary>10. Handles are constant, and in a run of minutes the working set too, which is measured after collector and allocator gave back what is free.</summary>
internal sealed class ResourcesConstant() : SoakInvariant(10, "handles and memory constant")
{
    private const int MoreHandles = 40;
    private const double MostMebibytesPerMinute = 1;

    // Without two minutes to settle, what a process pays for once comes while it is measured: only a gross leak shows.
    private const double MostBeforeSettled = 150;
    private const int FewestSamples = 5;

    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(2);

    /// <summary>How fast the working set grows, in MiB a minute, after the first two minutes, or after a third of a run that is shorter; null in a run that is too short to say.</summary>
    public static double? SlopeOf(Evidence evidence) => SlopeOf(evidence, resource => resource.WorkingSet);

    /// <summary>How fast what the collector holds grows, in the same way: where the working set grows without it, the allocator keeps what is free.</summary>
    public static double? ManagedSlopeOf(Evidence evidence) => SlopeOf(evidence, resource => resource.Managed);

    private static double? SlopeOf(Evidence evidence, Func<ResourceRecord, long> measured)
    {
        (double Minutes, double Mebibytes)[] samples = SamplesOf(evidence, measured);
        if (!evidence.Options.IsLong || samples.Length < FewestSamples)
            return null;
        double minutes = samples.Average(sample => sample.Minutes);
        double mebibytes = samples.Average(sample => sample.Mebibytes);
        return samples.Sum(sample => (sample.Minutes - minutes) * (sample.Mebibytes - mebibytes)) / samples.Sum(sample => (sample.Minutes - minutes) * (sample.Minutes - minutes));
    }

    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        int before = evidence.Resources.Single(resource => resource.When == "baseline").Handles;
        int after = evidence.Resources.Single(resource => resource.When == "drained").Handles;
        if (after > before + MoreHandles)
            yield return Breach($"{after} handles at the end, {before} after the first job");
        if (!evidence.Options.IsLong)
            yield break;
        if (SlopeOf(evidence) is not { } slope)
            yield return Breach($"the memory was measured {SamplesOf(evidence, resource => resource.WorkingSet).Length} times, which says nothing of it");
        else if (slope > (SettledAfter(evidence) < Settled ? MostBeforeSettled : MostMebibytesPerMinute))
            yield return Breach(FormattableString.Invariant($"the working set grows by {slope:0.00} MiB a minute"));
    }

    // While jobs run, which begin when the baseline is measured.
    private static (double Minutes, double Mebibytes)[] SamplesOf(Evidence evidence, Func<ResourceRecord, long> measured)
    {
        long began = evidence.Resources.Single(resource => resource.When == "baseline").At;
        long settled = began + SettledAfter(evidence).Ticks;
        long over = began + TimeSpan.FromSeconds(evidence.Options.Seconds).Ticks;
        return
        [
            .. evidence.Resources.Where(resource => resource.When == "running" && resource.At >= settled && resource.At <= over)
                .Select(resource => (TimeSpan.FromTicks(resource.At).TotalMinutes, measured(resource) / (1024.0 * 1024))),
        ];
    }

    private static TimeSpan SettledAfter(Evidence evidence) => evidence.Options.Seconds >= SoakOptions.LongFrom ? Settled : TimeSpan.FromSeconds(evidence.Options.Seconds / 3.0);
}
