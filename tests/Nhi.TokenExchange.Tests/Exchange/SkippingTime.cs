using System.Collections.Concurrent;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>A clock that skips waits: whoever waits is woken at once, and the clock has moved by what was waited for. Deadlines only mark an instant.</summary>
internal sealed class SkippingTime : TimeProvider
{
    private readonly ManualTimeProvider _manual = new();
    private readonly ConcurrentQueue<TimeSpan> _waits = new();

    /// <summary>What was waited for, in order.</summary>
    public IReadOnlyList<TimeSpan> Waits => [.. _waits];

    public override long TimestampFrequency => _manual.TimestampFrequency;

    public override long GetTimestamp() => _manual.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => _manual.GetUtcNow();

    public void Advance(TimeSpan time) => _manual.Advance(time);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ITimer timer = _manual.CreateTimer(callback, state, dueTime, period);
        // A cancellation source's timer is a deadline, however short: that of a lease's end is one of 10 s. A watch waits for time to come, not through it.
        bool isDeadline = dueTime == Timeout.InfiniteTimeSpan || dueTime >= IssuerBackchannel.CallDeadline || callback.Method.DeclaringType is { } owner && ((owner.DeclaringType ?? owner) == typeof(CancellationTokenSource) || owner.Name == typeof(RenewalWatch<>).Name);
        if (!isDeadline)
        {
            _waits.Enqueue(dueTime);
            ThreadPool.QueueUserWorkItem(_ => _manual.Advance(dueTime));
        }
        return timer;
    }
}
