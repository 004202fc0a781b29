namespace Nhi.TokenExchange;

/// <summary>The system's clock, both hands moved on by hand: a token expires without anybody waiting for it.</summary>
public sealed class ShiftedTime : TimeProvider
{
    private long _shiftTicks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _shiftTicks));

    public override long GetTimestamp() => System.GetElapsedTime(0, System.GetTimestamp()).Ticks + Volatile.Read(ref _shiftTicks);

    public void Advance(TimeSpan time) => Interlocked.Add(ref _shiftTicks, time.Ticks);
}
