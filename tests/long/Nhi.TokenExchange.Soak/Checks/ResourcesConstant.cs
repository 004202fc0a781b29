namespace Nhi.TokenExchange.Soak;

/// <summary>10. Handles are constant, and in a run of minutes the working set too, which is measured after collector and allocator gave back what is free.</summary>
internal sealed class ResourcesConstant() : SoakInvariant(10, "handles and memory constant")
{
    private const int MoreHandles = 40;
    private const double MostMebibytesPerMinute = 1;

    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(2);

    /// <summary>How fast the working set grows, in MiB a minute, after the first two minutes; null in a run that is too short to say.</summary>
    public static double? SlopeOf(Evidence evidence)
    {
        (double Minutes, double Mebibytes)[] samples = [.. evidence.Resources
            .Where(resource => resource.When == "running" && resource.At >= Settled.Ticks && resource.At <= TimeSpan.FromSeconds(evidence.Options.Seconds).Ticks)
            .Select(resource => (TimeSpan.FromTicks(resource.At).TotalMinutes, resource.WorkingSet / (1024.0 * 1024)))];
        if (!evidence.Options.IsLong || samples.Length < 10)
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
        if (SlopeOf(evidence) is { } slope && slope > MostMebibytesPerMinute)
            yield return Breach(FormattableString.Invariant($"the working set grows by {slope:0.00} MiB a minute"));
    }
}
