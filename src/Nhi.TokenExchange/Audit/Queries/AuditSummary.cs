namespace Nhi.TokenExchange;

/// <summary>What the events of a trail come to: who was used by whom, what was not ended, how long things lived, which rule granted what.</summary>
/// <remarks>Holds what it counts by: each identity, target and rule, each credential that nothing says the end of, and ten thousand permits that nothing came of yet: of further ones no grants are counted. Not for several threads at once.</remarks>
public sealed class AuditSummary
{
    // A trail may be anybody's work.
    private const int MostWaiting = 10_000;

    private readonly SortedDictionary<string, IdentityUse> _identities = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, TargetLives> _targets = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, RuleUse> _rules = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (AuditRecord Last, DateTimeOffset First)> _living = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, RuleUse> _permitted = [];
    private readonly HashSet<string> _endedBefore = new(StringComparer.Ordinal);

    /// <summary>The identities, and for what each was used.</summary>
    public IReadOnlyList<IdentityUse> Identities => [.. _identities.Values];

    /// <summary>Credentials that nothing says the end of: each as it was told of last. <see cref="AuditEventKind.Orphaned"/>: let go, it outlives its job up to <see cref="AuditEvent.DiesAt"/>; so may one that is <see cref="AuditEventKind.Recovered"/>, of which nobody knows how it ended; else its job still runs, or was killed.</summary>
    public IReadOnlyList<AuditRecord> NotEnded => [.. _living.Values.Select(living => living.Last)];

    /// <summary>How long credentials were handed out and lived, against what settings and policy allow.</summary>
    public IReadOnlyList<TargetLives> Lives => [.. _targets.Values];

    /// <summary>What each rule decided.</summary>
    public IReadOnlyList<RuleUse> Rules => [.. _rules.Values];

    /// <summary>Takes the next event: for <see cref="AuditTrail.Verify"/>.</summary>
    /// <param name="record">The event.</param>
    public void Add(AuditRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        AuditEvent told = record.Event;
        if (told.Subject is { Length: > 0 } subject)
            Of(_identities, $"{told.SubjectIssuer}\n{subject}", () => new IdentityUse(told.SubjectIssuer ?? "", subject)).Add(told);
        switch (told.Kind)
        {
            case AuditEventKind.Permitted or AuditEventKind.Denied:
                RuleUse rule = Of(_rules, $"{told.Rule}\n{told.PolicyRevision}", () => new RuleUse(told.Rule ?? "", told.PolicyRevision));
                rule.Add(told);
                if (told.Kind == AuditEventKind.Permitted && _permitted.Count < MostWaiting)
                    _permitted[told.FlightId] = rule;
                break;
            case AuditEventKind.Issued or AuditEventKind.Refreshed or AuditEventKind.Renewed:
                if (_permitted.Remove(told.FlightId, out RuleUse? by))
                    by.Grants++;
                Of(_targets, told.Target, () => new TargetLives(told.Target)).Add(told, Keep(record));
                break;
            case AuditEventKind.Orphaned:
            case AuditEventKind.Recovered when told.Fingerprint is not null:   // without one nobody has it
                Keep(record);
                break;
            case AuditEventKind.Revoked or AuditEventKind.Expired:
                bool isOfReadChain = _living.Remove(KeyOf(told), out (AuditRecord Last, DateTimeOffset) ended) && !ended.Last.Event.IsToldByAnotherSession;
                if (told.IsToldByAnotherSession && !isOfReadChain && _endedBefore.Count < MostWaiting)
                    _endedBefore.Add(KeyOf(told));
                break;
            case AuditEventKind.Failed:
                _permitted.Remove(told.FlightId);
                break;
        }
    }

    // When its credential was told of first. Whoever recovered may have a clock that is behind: its chain is read first then, and what it says is the later word all the same.
    private DateTimeOffset Keep(AuditRecord record)
    {
        string key = KeyOf(record.Event);
        bool isKnown = _living.TryGetValue(key, out (AuditRecord Last, DateTimeOffset First) known);
        DateTimeOffset first = record.Event.Kind is AuditEventKind.Issued or AuditEventKind.Refreshed || !isKnown ? record.Event.At : known.First;
        if (!_endedBefore.Contains(key))
            _living[key] = (isKnown && known.Last.Event.IsToldByAnotherSession && !record.Event.IsToldByAnotherSession ? known.Last : record, first);
        return first;
    }

    // A platform may give several jobs the same token; the first half of a flight's id is that of its session.
    private static string KeyOf(AuditEvent told) => $"{told.FlightId.ToString("N")[..16]}\n{told.Target}\n{told.Fingerprint ?? told.RevocationHandle}";

    private static T Of<T>(SortedDictionary<string, T> all, string key, Func<T> make)
    {
        if (!all.TryGetValue(key, out T? one))
            all.Add(key, one = make());
        return one;
    }
}
