namespace Nhi.TokenExchange;

/// <summary>The clock of one exchange: its wall hand goes on from the instant of the question as the monotonic one does. A wall clock that is set meanwhile, to and fro even, makes no life longer that an exchanger counts by it.</summary>
/// <param name="inner">The job's clock.</param>
internal sealed class FlightTime(TimeProvider inner) : TimeProvider
{
    // The monotonic hand first: a thread that is preempted between the two makes a life shorter.
    private readonly long _asked = inner.GetTimestamp();

    /// <summary>What the wall hand said at the question.</summary>
    public DateTimeOffset AskedAt { get; } = inner.GetUtcNow();

    public override long TimestampFrequency => inner.TimestampFrequency;

    public override TimeZoneInfo LocalTimeZone => inner.LocalTimeZone;

    public override DateTimeOffset GetUtcNow() => AskedAt + inner.GetElapsedTime(_asked);

    public override long GetTimestamp() => inner.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => inner.CreateTimer(callback, state, dueTime, period);
}
