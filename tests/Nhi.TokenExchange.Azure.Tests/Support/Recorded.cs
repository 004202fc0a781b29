using System.Collections.Concurrent;

namespace Nhi.TokenExchange.Tests;

/// <summary>Keeps audit events.</summary>
internal sealed class Recorded : IAuditSink
{
    private readonly ConcurrentQueue<AuditEvent> _events = new();

    public AuditEvent[] Of(AuditEventKind kind) => [.. _events.Where(e => e.Kind == kind)];

    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        _events.Enqueue(auditEvent);
        return default;
    }
}
