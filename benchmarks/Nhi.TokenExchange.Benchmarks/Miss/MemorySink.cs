namespace Nhi.TokenExchange;

/// <summary>An audit that only counts: what the events themselves cost stays in the measurement, a disk does not come into it.</summary>
public sealed class MemorySink : IAuditSink
{
    private int _events;

    /// <summary>How many were recorded.</summary>
    public int Events => Volatile.Read(ref _events);

    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _events);
        return default;
    }
}
