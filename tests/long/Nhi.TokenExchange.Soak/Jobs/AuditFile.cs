namespace Nhi.TokenExchange.Soak;

/// <summary>Records audit events for the checker, and every text in them for the search for secrets.</summary>
internal sealed class AuditFile(string folder, SoakTime time) : IAuditSink, IDisposable
{
    private readonly RecordFile _events = new(Path.Combine(folder, "audit.jsonl"));
    private readonly RecordFile _refused = new(Path.Combine(folder, "audit-refused.jsonl"));
    private readonly SaidFile _texts = new(Path.Combine(folder, "audit-texts.txt"));

    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        _events.Add(AuditRecord.Of(auditEvent, time.Elapsed.Ticks));
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

    /// <summary>Notes an event that this sink was told to refuse: the job's trail has it.</summary>
    public void Refused(AuditEvent auditEvent) => _refused.Add(AuditRecord.Of(auditEvent, time.Elapsed.Ticks));

    public void Dispose()
    {
        _events.Dispose();
        _refused.Dispose();
        _texts.Dispose();
    }
}
