namespace Nhi.TokenExchange.Soak;

/// <summary>Exchanges that took longer than what they brought was good for, as a machine that stands still makes them: then "dead on arrival" is the truth, and no fault of the plan is needed.</summary>
/// <remarks>Judged by when the audit got the intent and the issuer had delivered its answer. What the process does with an answer that it has is its own affair: neither what it calls dead too early is excused, nor what it lets die for more than a second.</remarks>
internal sealed class SlowExchanges
{
    private const string Dead = "NHI5003";

    // From the wire to the look at the clock, a dozen turns in a pool that has a thread for each, on a machine that can just carry the run. Of a pool that has none for long another invariant tells.
    private static readonly long Handling = TimeSpan.FromSeconds(1).Ticks;

    private readonly Evidence _evidence;
    private readonly ILookup<(string, string), AuditRecord> _failed;
    private readonly ILookup<Guid, AuditRecord> _asked;
    private readonly ILookup<(string, string), Issue> _issues;

    public SlowExchanges(Evidence evidence)
    {
        _evidence = evidence;
        _failed = evidence.Told.Where(record => record.Kind == AuditEventKind.Failed).ToLookup(record => (record.Run, record.Target));
        HashSet<Guid> flights = [.. _failed.SelectMany(ofKey => ofKey).Where(record => record.Code == Dead).Select(record => record.Flight)];
        _asked = evidence.Told.Where(record => record.Kind == AuditEventKind.Exchanging && flights.Contains(record.Flight)).ToLookup(record => record.Flight);
        _issues = evidence.Issues.Where(issue => issue.DeliveredAt is not null).ToLookup(issue => (issue.Run, issue.Target.Name));
    }

    /// <summary>Whether an exchange of that target, or of the one that it goes through, came back too late for a call between the two instants: one that failed meanwhile, or the last that had failed before, which is remembered.</summary>
    public bool Explain(string run, SoakTarget target, long from, long to)
    {
        AuditRecord? remembered = _failed[(run, target.Name)].Where(failed => failed.At <= from && failed.At > from - Availability.Memory).MaxBy(failed => failed.At);
        return _failed[(run, target.Name)].Any(failed => failed.Code == Dead && (failed == remembered || (failed.At > from && failed.At <= to)) && IsLate(target, failed))
            || (target.Proof == ProofKind.Hop && Explain(run, SoakTarget.Named(target.Through), from, to));
    }

    // There is one flight at a time: what was issued between a flight's intent and its end is its own.
    private bool IsLate(SoakTarget target, AuditRecord failed) => _issues[(failed.Run, target.Name)].Any(issue =>
        issue.IssuedAt <= failed.At && _asked[failed.Flight].Where(asked => asked.At <= issue.IssuedAt).MaxBy(asked => asked.At) is { } asked
        && IsLate(target, asked, issue.DeliveredAt!.Value, failed));

    private bool IsLate(SoakTarget target, AuditRecord asked, long delivered, AuditRecord failed)
    {
        long good = JobPlan.UsableLife(_evidence.Options, failed.Run, target).Ticks - Availability.Rounding;
        long arrived = Math.Min(failed.At, delivered + Handling + _evidence.HeldUpWithin(delivered, failed.At));
        return arrived - asked.At > good
            || (target.Proof == ProofKind.Hop && _evidence.IssueOf.TryGetValue(asked.Proof ?? "", out Issue? hop) && arrived > hop.UnusableFrom - Availability.Rounding);
    }
}
