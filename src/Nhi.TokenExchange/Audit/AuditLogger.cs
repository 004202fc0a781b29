using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>Adds to each line of the log that is written through it the whole audit event, as attributes: see <see cref="AuditLine{TState}"/>.</summary>
internal sealed class AuditLogger(ILogger inner, AuditEvent auditEvent) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        inner.Log(logLevel, eventId, new AuditLine<TState>(state, formatter, auditEvent), exception, static (line, failed) => line.Text(failed));
}
