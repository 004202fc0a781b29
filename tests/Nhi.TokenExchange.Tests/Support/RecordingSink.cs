using System.Collections.Concurrent;
using System.Globalization;

namespace Nhi.TokenExchange.Tests;

/// <summary>Keeps audit events; refuses those it is told to refuse.</summary>
internal sealed class RecordingSink : IAuditSink
{
    private readonly ConcurrentQueue<AuditEvent> _events = new();

    public Func<AuditEvent, Exception?>? Refuse { get; set; }

    /// <summary>What the recording of an event waits for.</summary>
    public Func<AuditEvent, Task>? Hold { get; set; }

    public IReadOnlyList<AuditEvent> Events => [.. _events];

    public IReadOnlyList<AuditEventKind> Kinds => [.. _events.Select(e => e.Kind)];

    /// <summary>All that the events say.</summary>
    public string Text => string.Join('\n', _events.Select(e => string.Join(' ', typeof(AuditEvent).GetProperties().Select(property => Convert.ToString(property.GetValue(e), CultureInfo.InvariantCulture)))));

    public async ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        if (Refuse?.Invoke(auditEvent) is { } refusal)
            throw refusal;
        if (Hold is { } hold)
            await hold(auditEvent);
        _events.Enqueue(auditEvent);
    }
}
