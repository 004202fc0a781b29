namespace Nhi.TokenExchange.Soak;

/// <summary>One of two sinks that both have to record, while the plan lets it fail or stall: then nothing is handed out.</summary>
internal sealed class ChaosSink(AuditFile inner, ChaosPlan plan, SoakTime time) : IAuditSink
{
    // Longer than anybody waits for a record.
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(2.5);

    public async ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        TimeSpan now = time.Elapsed;
        bool stalls = plan.Open(ChaosFault.AuditStalls, now) is not null;
        if (stalls)
            await Task.Delay(Stall, TimeProvider.System, CancellationToken.None);
        if (stalls || plan.Open(ChaosFault.AuditFails, now) is not null)
        {
            inner.Refused(auditEvent);
            throw new IOException("The audit takes nothing for a while.");
        }
        await inner.WriteAsync(auditEvent, cancellationToken);
    }
}
