namespace Nhi.TokenExchange.Soak;

/// <summary>Records audit events for the checker, and every text in them for the search for secrets.</summary>
internal sealed class AuditFile(string folder, SoakTime time) : IAuditSink, IDisposable
{
    private readonly RecordFile _events = new(Path.Combine(folder, "audit.jsonl"));
    private readonly SaidFile _texts = new(Path.Combine(folder, "audit-texts.txt"));

    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        _events.Add(new AuditRecord(
            time.Elapsed.Ticks, auditEvent.Kind, auditEvent.FlightId, auditEvent.Job.Run ?? "", auditEvent.Target, auditEvent.Fingerprint, auditEvent.Code,
            auditEvent.PolicyRevision, auditEvent.Scopes.IsEmpty ? null : auditEvent.Scopes.ToString(), auditEvent.DiesAt,
            auditEvent.Kind == AuditEventKind.Exchanging ? auditEvent.SubjectFingerprint : null));
        foreach (string? text in new[]
        {
            auditEvent.Job.ToString(), auditEvent.Issuer, auditEvent.SubjectIssuer, auditEvent.Subject, auditEvent.Audience, auditEvent.ActorIssuer, auditEvent.ActorSubject,
            auditEvent.Tenant, auditEvent.Rule, auditEvent.Reason, auditEvent.CorrelationId, auditEvent.SubjectFingerprint, auditEvent.ActorFingerprint,
        })
        {
            _texts.Say(text);
        }

        return default;
    }

    public void Dispose()
    {
        _events.Dispose();
        _texts.Dispose();
    }
}
