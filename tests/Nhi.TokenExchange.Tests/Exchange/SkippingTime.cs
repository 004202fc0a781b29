using System.Collections.Concurrent;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>A clock that skips waits: whoever waits is woken at once, and the clock has moved by what was waited for. Deadlines only mark an instant; one that ends a wait finds the clock there.</summary>
internal sealed class SkippingTime : TimeProvider
{
    // As finely as deadlines are told apart from what comes after them.
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly ManualTimeProvider _manual = new();
    private readonly ConcurrentQueue<TimeSpan> _waits = new();
    private readonly ConcurrentQueue<TimeSpan> _deadlines = new();

    /// <summary>What was waited for, in order.</summary>
    public IReadOnlyList<TimeSpan> Waits => [.. _waits];

    /// <summary>What is not skipped, in order: whoever moves the clock past one waits first until it runs.</summary>
    public IReadOnlyList<TimeSpan> Deadlines => [.. _deadlines];

    /// <summary>Whether waits are skipped; else the clock stands, so that no limit for a disk is overtaken.</summary>
    public bool Skips { get; set; } = true;

    /// <summary>Whether delays are skipped that are as long as a call's deadline. While a job runs they are its watches'; when it ends, an issuer asked for so much patience.</summary>
    public bool SkipsLongDelays { get; set; }

    public override long TimestampFrequency => _manual.TimestampFrequency;

    public override long GetTimestamp() => _manual.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => _manual.GetUtcNow();

    public void SetWall(DateTimeOffset wall) => _manual.SetWall(wall);

    public void Advance(TimeSpan time) => _manual.Advance(time);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        // A cancellation source's timer is a deadline, however short: that of a lease's end is one of 10 s. A watch waits for time to come, not through it.
        Type? owner = callback.Method.DeclaringType;
        bool isDeadline = dueTime == Timeout.InfiniteTimeSpan || (owner?.DeclaringType ?? owner) == typeof(CancellationTokenSource) || owner?.Name == typeof(RenewalWatch<>).Name
            || (dueTime >= IssuerBackchannel.CallDeadline && !(SkipsLongDelays && owner?.DeclaringType == typeof(Task)));
        if (isDeadline || !Skips)
        {
            ITimer timer = _manual.CreateTimer(callback, state, dueTime, period);
            _deadlines.Enqueue(dueTime);
            return timer;
        }
        _waits.Enqueue(dueTime);
        var wait = new Wait(_manual.CreateTimer(callback, state, dueTime, period));
        ThreadPool.QueueUserWorkItem(_ => Skip(wait, dueTime));
        return wait;
    }

    private void Skip(Wait wait, TimeSpan left)
    {
        for (; !wait.IsOver && left > TimeSpan.Zero; left -= Step)
            _manual.Advance(left < Step ? left : Step);
    }

    /// <summary>A wait's timer, which its owner takes away when something else ends the wait.</summary>
    private sealed class Wait(ITimer timer) : ITimer
    {
        public volatile bool IsOver;

        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

        public void Dispose()
        {
            IsOver = true;
            timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
