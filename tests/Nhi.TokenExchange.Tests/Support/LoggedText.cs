using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests;

/// <summary>Keeps all log lines with the values and exceptions in them. Lighter than <see cref="Overheard"/>: for thousands of jobs in one test.</summary>
internal sealed class LoggedText : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();

    public string Text => string.Join('\n', _lines);

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        _lines.Enqueue(state.ToString() ?? "");
        return null;
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _lines.Enqueue(formatter(state, exception));
        if (state is IEnumerable<KeyValuePair<string, object?>> values)
        {
            foreach (KeyValuePair<string, object?> value in values)
                _lines.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{value.Key}={value.Value}"));
        }
        if (exception is not null)
            _lines.Enqueue(exception.ToString());
    }

    public void Dispose()
    {
    }
}
