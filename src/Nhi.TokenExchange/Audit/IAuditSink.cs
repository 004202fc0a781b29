namespace Nhi.TokenExchange;

/// <summary>Records audit events.</summary>
/// <remarks>Called from any number of threads. An exchange waits two seconds for a record; a sink that blocks the thread it is called on, instead of awaiting, holds its exchange up for as long as it does.</remarks>
public interface IAuditSink
{
    /// <summary>Records one event. When it returns, the event is recorded; when it throws, nothing that depends on it is handed out.</summary>
    /// <param name="auditEvent">What happened. Holds no token.</param>
    /// <param name="cancellationToken">Cancelled at the flight's deadline.</param>
    ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken);
}
