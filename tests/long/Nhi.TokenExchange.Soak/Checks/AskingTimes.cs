namespace Nhi.TokenExchange.Soak;

/// <summary>When a credential was asked for: the last intent of its flight that was recorded before it was issued.</summary>
internal sealed class AskingTimes
{
    private readonly Dictionary<string, Guid> _flights = new(StringComparer.Ordinal);
    private readonly ILookup<Guid, long> _asked;

    public AskingTimes(Evidence evidence)
    {
        foreach (AuditRecord record in evidence.Audit.Where(record => record.Fingerprint is not null))
            _flights.TryAdd(record.Fingerprint!, record.Flight);
        _asked = evidence.Audit.Where(record => record.Kind == AuditEventKind.Exchanging).ToLookup(record => record.Flight, record => record.At);
    }

    /// <summary>Null for a credential that the audit does not know.</summary>
    public long? Of(Issue issue)
    {
        long[] asked = _flights.TryGetValue(issue.Fingerprint, out Guid flight) ? [.. _asked[flight].Where(at => at <= issue.IssuedAt)] : [];
        return asked.Length == 0 ? null : asked.Max();
    }
}
