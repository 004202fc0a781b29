namespace Nhi.TokenExchange.Soak;

/// <summary>9. Nobody waits longer than his own deadline and a second, less what the machine stood still; no exception goes unobserved; no thread is left.</summary>
internal sealed class NoWaiterLost() : SoakInvariant(9, "no waiter lost, no exception unobserved, no thread left")
{
    private const int MoreThreads = 8;

    private static readonly long Grace = TimeSpan.FromSeconds(1).Ticks;

    /// <summary>The calls that came back too late, or never, and by how much in ticks.</summary>
    public static IEnumerable<(LateRecord Call, long Over)> LostOf(Evidence evidence) =>
        evidence.Late.Select(late => (late, late.End - late.Deadline - evidence.StalledWithin(late.Deadline, late.End))).Where(late => late.Item2 > Grace);

    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        foreach ((LateRecord late, long over) in LostOf(evidence))
            yield return Breach(FormattableString.Invariant($"{late.Target}: a call {(late.CameBack ? "came back" : "had not come back")} {TimeSpan.FromTicks(over).TotalSeconds:0.0} s after its deadline"), late.End, late.Run);

        if (evidence.Summary.UnobservedExceptions > 0)
            yield return Breach($"{evidence.Summary.UnobservedExceptions} exceptions of tasks went unobserved");
        int before = OwnThreads(evidence, "baseline");
        int after = OwnThreads(evidence, "drained");
        if (after > before + MoreThreads)
            yield return Breach($"{after} threads beside the pool's at the end, {before} after the first job");
    }

    private static int OwnThreads(Evidence evidence, string when)
    {
        ResourceRecord record = evidence.Resources.Single(resource => resource.When == when);
        return record.Threads - record.PoolThreads;
    }
}
