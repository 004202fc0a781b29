namespace Nhi.TokenExchange;

/// <summary>A clock with two independent hands, moved by a test: the monotonic one drives timers, the wall one is what people read.</summary>
/// <remarks>
/// <see cref="Advance"/> moves both; <see cref="Suspend"/> moves the wall alone, as a suspended machine does;
/// <see cref="SetWall"/> sets the wall, as an administrator or NTP does. Timers fire inside <see cref="Advance"/>, on the caller's thread,
/// in the order they are due. Safe to use from any number of threads.
/// </remarks>
public sealed class ManualTimeProvider : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private DateTimeOffset _wall;
    private long _monotonicTicks;

    /// <summary>Starts at 1 January 2026, 00:00 UTC.</summary>
    public ManualTimeProvider()
        : this(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero))
    {
    }

    /// <summary>Starts at an instant.</summary>
    /// <param name="start">Where the wall hand stands at first.</param>
    public ManualTimeProvider(DateTimeOffset start) => _wall = start.ToUniversalTime();

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>How many timers are waiting.</summary>
    public int PendingTimers
    {
        get
        {
            lock (_gate)
                return _timers.Count;
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
            return _wall;
    }

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        lock (_gate)
            return _monotonicTicks;
    }

    /// <summary>Time goes by: moves both hands and fires the timers that come due on the way.</summary>
    /// <param name="time">Not negative.</param>
    public void Advance(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        long target;
        lock (_gate)
            target = _monotonicTicks + time.Ticks;
        while (TakeDue(target) is { } due)
            due.Fire();
        lock (_gate)
            MoveTo(target);
    }

    /// <summary>The machine sleeps: the wall hand moves, the monotonic one stands still, timers don't fire.</summary>
    /// <param name="time">Not negative.</param>
    public void Suspend(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        lock (_gate)
            _wall += time;
    }

    /// <summary>Sets the wall hand, forward or back.</summary>
    /// <param name="wall">Where it stands from now on.</param>
    public void SetWall(DateTimeOffset wall)
    {
        lock (_gate)
            _wall = wall.ToUniversalTime();
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private ManualTimer? TakeDue(long target)
    {
        lock (_gate)
        {
            ManualTimer? due = _timers.Where(timer => timer.DueTicks <= target).MinBy(timer => timer.DueTicks);
            if (due is null)
                return null;
            MoveTo(Math.Max(due.DueTicks, _monotonicTicks));
            if (due.PeriodTicks > 0)
                due.DueTicks += due.PeriodTicks;
            else
                _timers.Remove(due);
            return due;
        }
    }

    private void MoveTo(long ticks)
    {
        if (ticks <= _monotonicTicks)
            return;
        _wall += TimeSpan.FromTicks(ticks - _monotonicTicks);
        _monotonicTicks = ticks;
    }

    private sealed class ManualTimer(ManualTimeProvider provider, TimerCallback callback, object? state) : ITimer
    {
        public long DueTicks { get; set; }

        public long PeriodTicks { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (provider._gate)
            {
                provider._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                DueTicks = provider._monotonicTicks + dueTime.Ticks;
                PeriodTicks = period == Timeout.InfiniteTimeSpan ? 0 : period.Ticks;
                provider._timers.Add(this);
            }
            if (dueTime == TimeSpan.Zero)
                provider.Advance(TimeSpan.Zero);
            return true;
        }

        public void Dispose()
        {
            lock (provider._gate)
                provider._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
