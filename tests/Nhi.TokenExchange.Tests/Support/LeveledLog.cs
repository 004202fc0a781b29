using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests;

/// <summary>A log that takes lines from a level on, and hangs in each while its gate is shut.</summary>
internal sealed class LeveledLog(LogLevel least) : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();
    private int _waiting;

    public LogLevel Least { get; set; } = least;

    /// <summary>What each line waits for.</summary>
    public ManualResetEventSlim Gate { get; } = new(initialState: true);

    /// <summary>How many wait.</summary>
    public int Waiting => _waiting;

    /// <summary>How many threads of the pool had to wait.</summary>
    public int HeldOfThePool { get; private set; }

    public IReadOnlyList<string> Lines => [.. _lines];

    public string Text => string.Join('\n', _lines);

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= Least && logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        Interlocked.Increment(ref _waiting);
        if (!Gate.IsSet && Thread.CurrentThread.IsThreadPoolThread)
            HeldOfThePool++;
        Gate.Wait();
        Interlocked.Decrement(ref _waiting);
        if (IsEnabled(logLevel))
            _lines.Enqueue(formatter(state, exception));
    }

    public void Dispose() => Gate.Dispose();
}
