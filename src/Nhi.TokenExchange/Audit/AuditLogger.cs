using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>Adds to each line of the log that is written through it the whole audit event, as attributes: see <see cref="AuditLine"/>.</summary>
/// <remarks>A line has no type parameter: a logger of lines of lines of lines would be more than native code can be made of.</remarks>
internal sealed class AuditLogger(ILogger inner, AuditEvent auditEvent) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        inner.Log(logLevel, eventId, new AuditLine(state, failed => formatter(state, failed), auditEvent), exception, static (line, failed) => line.Text(failed));
}
