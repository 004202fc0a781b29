using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>Hears what the job tells its audit.</summary>
internal sealed class EventObserver : IAuditSink
{
    private readonly ConcurrentQueue<AuditEvent> _events = new();

    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        _events.Enqueue(auditEvent);
        return ValueTask.CompletedTask;
    }

    /// <summary>The last event of a kind about a target; null if there is none.</summary>
    public AuditEvent? Last(string target, params ReadOnlySpan<AuditEventKind> kinds)
    {
        AuditEvent? last = null;
        foreach (AuditEvent one in _events)
        {
            if (one.Target == target && kinds.Contains(one.Kind))
                last = one;
        }
        return last;
    }
}
