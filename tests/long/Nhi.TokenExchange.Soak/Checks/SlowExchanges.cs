namespace Nhi.TokenExchange.Soak;

/// <summary>Exchanges that took longer than what they brought was good for, as a machine that stands still makes them: then "dead on arrival" is the truth, and no fault of the plan is needed.</summary>
/// <remarks>Judged by the ledger and by when the audit got the intent and the failure, so a credential that is called dead too early is not excused.</remarks>
internal sealed class SlowExchanges
{
    private readonly Evidence _evidence;
    private readonly ILookup<(string, string), AuditRecord> _dead;
    private readonly ILookup<Guid, AuditRecord> _asked;

    public SlowExchanges(Evidence evidence)
    {
        _evidence = evidence;
        _dead = evidence.Audit.Where(record => record is { Kind: AuditEventKind.Failed, Code: "NHI5003" }).ToLookup(record => (record.Run, record.Target));
        HashSet<Guid> flights = [.. _dead.SelectMany(ofKey => ofKey).Select(record => record.Flight)];
        _asked = evidence.Audit.Where(record => record.Kind == AuditEventKind.Exchanging && flights.Contains(record.Flight)).ToLookup(record => record.Flight);
    }

    /// <summary>Whether an exchange of that target, or of the one that it goes through, came back too late between the two instants.</summary>
    public bool Any(string run, SoakTarget target, long from, long to) =>
        _dead[(run, target.Name)].Any(failed => failed.At >= from && failed.At <= to && IsLate(target, failed))
        || (target.Proof == ProofKind.Hop && Any(run, SoakTarget.Named(SoakTarget.HopThrough), from, to));

    private bool IsLate(SoakTarget target, AuditRecord failed)
    {
        if (_asked[failed.Flight].Where(asked => asked.At <= failed.At).MaxBy(asked => asked.At) is not { } asked)
            return false;
        long good = JobPlan.UsableLife(_evidence.Options, failed.Run, target).Ticks - Availability.Rounding;
        return failed.At - asked.At > good
            || (target.Proof == ProofKind.Hop && _evidence.IssueOf.TryGetValue(asked.Proof ?? "", out Issue? hop) && failed.At > hop.UnusableFrom - Availability.Rounding);
    }
}
