using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>The log as a broker's own code uses it: one that hangs in a line, or throws, keeps no credential alive, no request unanswered and no broker from stopping. Lines are said in their order, on a thread of their own.</summary>
/// <param name="log">The log of the options.</param>
internal sealed class BrokerLog(ILogger log) : ILogger
{
    private readonly QuietLogger _log = new(log);
    private readonly InTurn _turns = new();
    private readonly Tally _lost = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => _log.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => _log.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        // The state may be one that is filled anew for the next line: what it says is read before this returns.
        string text = formatter(state, exception);
        KeyValuePair<string, object?>[] values = state is IEnumerable<KeyValuePair<string, object?>> given ? [.. given] : [];
        if (!IsAdded(() => _log.Log(logLevel, eventId, values, exception, (_, _) => text)))
            _lost.Add();
    }

    /// <summary>The broker has no more to say: the thread waits for nothing.</summary>
    public void SayNoMore() => IsAdded(static () => { }, isLast: true);

    private bool IsAdded(Action say, bool isLast = false)
    {
        try
        {
            _turns.Add(Say, isLast).Forget();
            return true;
        }
        catch (Exception)   // as much waits as may, or no thread can be started: who says it goes on
        {
            return false;
        }

        void Say()
        {
            if (_lost.Take() is > 0 and var lost)
                _log.LinesLost(lost);
            say();
        }
    }
}
