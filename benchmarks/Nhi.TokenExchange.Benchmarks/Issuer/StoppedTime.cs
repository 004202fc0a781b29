namespace Nhi.TokenExchange;

/// <summary>A clock whose hands stand until somebody moves them on: who comes within a back-off comes within it, however long the machine takes.</summary>
/// <remarks>Timers run by the system's clock. Those of less than <see cref="Deadline"/> are waits between two tries and take a twentieth; longer ones are deadlines and take as long as they say, so that no slow machine runs into one.</remarks>
public sealed class StoppedTime : TimeProvider
{
    /// <summary>By how much a wait is shorter than it says.</summary>
    public const int Hurry = 20;

    /// <summary>All tries of a call have so long, and no wait for another goes beyond it.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly DateTimeOffset _start = System.GetUtcNow();
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _start.AddTicks(Volatile.Read(ref _ticks));

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new HurriedTimer(System.CreateTimer(callback, state, Hurried(dueTime), Hurried(period)));

    public void Advance(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);

    // Below zero: never.
    private static TimeSpan Hurried(TimeSpan time) => time > TimeSpan.Zero && time < Deadline ? time / Hurry : time;

    private sealed class HurriedTimer(ITimer timer) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(Hurried(dueTime), Hurried(period));

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
