namespace Nhi.TokenExchange.Tests;

/// <summary>Somebody else's clock: its wall hand is off by a time, all else as in the given one.</summary>
internal sealed class OffsetTime(TimeProvider inner, TimeSpan offset) : TimeProvider
{
    public override long TimestampFrequency => inner.TimestampFrequency;

    public override long GetTimestamp() => inner.GetTimestamp();

    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + offset;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => inner.CreateTimer(callback, state, dueTime, period);
}
