namespace Nhi.TokenExchange.Soak;

/// <summary>One thing that must hold in every run. The numbers are those of tests/README.md.</summary>
internal abstract class SoakInvariant(int number, string name)
{
    public int Number => number;

    public string Name => name;

    /// <summary>All there are. Jobs that are killed, and what their journals leave to the next start, have long/kills; a broker's clients have its own tests and its own load.</summary>
    public static IReadOnlyList<SoakInvariant> All { get; } =
    [
        new OneFlightPerKey(), new NoDeadCredential(), new EveryIssueRecorded(), new EveryLeaseEnded(), new NoSecretSaid(), new TrailWhole(),
        new Availability(), new RequestsBounded(), new NoWaiterLost(), new ResourcesConstant(), new PoolNotStarved(), new NothingCrossed(), new NothingTwice(),
    ];

    /// <summary>What did not hold.</summary>
    public abstract IEnumerable<Breach> Check(Evidence evidence);

    protected Breach Breach(string what, long? at = null, string? run = null) => new(number, what, at, run);
}

/// <summary>An invariant did not hold.</summary>
/// <param name="Invariant">Its number.</param>
/// <param name="What">What was seen.</param>
/// <param name="At">When, in ticks since the run's start; null where it is no matter of an instant.</param>
/// <param name="Run">In which job, if in one.</param>
internal sealed record Breach(int Invariant, string What, long? At, string? Run);
