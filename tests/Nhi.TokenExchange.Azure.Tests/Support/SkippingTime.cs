using System.Collections.Concurrent;

namespace Nhi.TokenExchange.Tests;

/// <summary>A clock that skips waits: whoever waits is woken at once, and the clock has moved by what was waited for. Time limits only mark an instant.</summary>
internal sealed class SkippingTime : TimeProvider
{
    private readonly ManualTimeProvider _manual = new();
    private readonly ConcurrentQueue<TimeSpan> _waits = new();

    /// <summary>What was waited for, in order; without time limits.</summary>
    public IReadOnlyList<TimeSpan> Waits => [.. _waits];

    public override long TimestampFrequency => _manual.TimestampFrequency;

    public override long GetTimestamp() => _manual.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => _manual.GetUtcNow();

    public void Advance(TimeSpan time) => _manual.Advance(time);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = _manual.CreateTimer(callback, state, dueTime, period);
        // Task.Delay hands over its promise, a time limit its source.
        bool isLimit = dueTime == Timeout.InfiniteTimeSpan || state is CancellationTokenSource || state is null || !state.GetType().Name.Contains("Delay", StringComparison.Ordinal);
        if (!isLimit)
        {
            _waits.Enqueue(dueTime);
            ThreadPool.QueueUserWorkItem(_ => _manual.Advance(dueTime));
        }
        return timer;
    }
}
