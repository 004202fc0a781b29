namespace Nhi.TokenExchange;

/// <summary>The targets of one recovery, side by side: an issuer that hangs holds up no other's.</summary>
/// <param name="session">Whose targets they are.</param>
/// <param name="own">What they ask with credentials of the job.</param>
/// <param name="stop">Cancelled when the recovery stops.</param>
internal sealed class RecoveryLanes(JobSession session, OwnWork own, CancellationToken stop)
{
    private readonly Dictionary<TargetRuntime, RecoveryLane> _lanes = session.Targets.ToDictionary(target => target, target => new RecoveryLane(target, stop));

    /// <summary>The targets, those that go through others before those.</summary>
    public IEnumerable<RecoveryLane> ChildrenFirst => session.Targets.Reverse().Select(target => _lanes[target]);

    /// <summary>What they ask with credentials of the job.</summary>
    public OwnWork Own => own;

    /// <summary>Of what no declared target can be asked about.</summary>
    public RecoveryLane OfNoTarget { get; } = new(null, stop);

    /// <summary>Where an entry belongs: to the target of its name, if that has its issuer still.</summary>
    public RecoveryLane Of(JournalEntry entry) =>
        session.Targets.FirstOrDefault(one => one.Target == entry.Target && one.Plan.Exchanger.Issuer.AbsoluteUri == entry.Issuer) is { } target ? _lanes[target] : OfNoTarget;
}
