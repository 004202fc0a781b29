namespace Nhi.TokenExchange.Soak;

/// <summary>When a credential was asked for, and with which proof: the last intent of its flight that was recorded before it was issued.</summary>
internal sealed class AskingTimes
{
    private readonly Dictionary<string, Guid> _flights = new(StringComparer.Ordinal);
    private readonly ILookup<Guid, AuditRecord> _asked;

    public AskingTimes(Evidence evidence)
    {
        foreach (AuditRecord record in evidence.Told.Where(record => record.Fingerprint is not null))
            _flights.TryAdd(record.Fingerprint!, record.Flight);
        _asked = evidence.Told.Where(record => record.Kind == AuditEventKind.Exchanging).ToLookup(record => record.Flight);
    }

    /// <summary>Null for a credential that the audit does not know.</summary>
    public long? Of(Issue issue) => IntentOf(issue)?.At;

    /// <summary>The fingerprint of the proof; null for a credential that the audit does not know.</summary>
    public string? ProofOf(Issue issue) => IntentOf(issue)?.Proof;

    private AuditRecord? IntentOf(Issue issue) =>
        _flights.TryGetValue(issue.Fingerprint, out Guid flight) ? _asked[flight].Where(asked => asked.At <= issue.IssuedAt).MaxBy(asked => asked.At) : null;
}
