namespace Nhi.TokenExchange;

/// <summary>Records audit events.</summary>
public interface IAuditSink
{
    /// <summary>Records one event. When it returns, the event is recorded; when it throws, nothing that depends on it is handed out.</summary>
    /// <param name="auditEvent">What happened. Holds no token.</param>
    /// <param name="cancellationToken">Cancelled at the flight's deadline.</param>
    ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken);
}
