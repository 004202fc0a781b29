using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>The log as a session's own code uses it: a line is said in its turn, and one that hangs in it keeps no flight from landing, no credential alive, no switch and no policy unseen.</summary>
/// <param name="inner">Says whether a line is wanted.</param>
/// <param name="log">Says it.</param>
internal sealed class UnwaitedLogger(ILogger inner, SessionLog log) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        Quietly.Do(() =>
        {
            // The state may be one that is filled anew for the next line: what it says is read before this returns.
            string text = formatter(state, exception);
            KeyValuePair<string, object?>[] values = state is IEnumerable<KeyValuePair<string, object?>> given ? [.. given] : [];
            log.SayLater(one => one.Log(logLevel, eventId, values, exception, (_, _) => text));
        });
    }
}
