using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>Writes warnings and errors to the standard error, a line each: a run of <c>nhi exec</c> has no log of its own, and who is refused by its broker, or what could not be ended, is to be seen.</summary>
internal sealed class ScreenLogging(TextWriter error) : ILoggerFactory, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
        // There is the screen alone.
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Warning and < LogLevel.None;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Quietly.Do(() => error.WriteLine($"nhi: {ExceptionText.Clean(formatter(state, exception), 500)}"));
    }

    public void Dispose()
    {
        // The writer is another's.
    }
}
