namespace Nhi.TokenExchange.Soak;

/// <summary>11. The thread pool is not starved: work waits for one of its threads hardly longer than the machine keeps any thread waiting. So no other invariant has to excuse a pool whose threads the product blocks.</summary>
internal sealed class PoolNotStarved() : SoakInvariant(11, "the pool is not starved")
{
    // What is left for the machine is counted by a thread that oversleeps as the pool's threads do. A pool whose threads are all blocked grows by one or two a second.
    private static readonly long Most = TimeSpan.FromSeconds(1.5).Ticks;

    /// <summary>The longest wait for the pool, beyond what the machine stood still meanwhile.</summary>
    public static TimeSpan LongestOf(Evidence evidence) => TimeSpan.FromTicks(evidence.PoolWaits.Select(Beyond).DefaultIfEmpty().Max());

    public override IEnumerable<Breach> Check(Evidence evidence) =>
        from wait in evidence.PoolWaits
        where Beyond(wait) > Most
        select Breach(
            FormattableString.Invariant($"work waited {TimeSpan.FromTicks(wait.To - wait.From).TotalSeconds:0.0} s for a thread of the pool, and the machine stood still for {TimeSpan.FromTicks(wait.Overslept).TotalSeconds:0.0} s of it"),
            wait.To);

    private static long Beyond(PoolWaitRecord wait) => Math.Max(0, wait.To - wait.From - wait.Overslept);
}
