namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>A clock that runs something, once, where it is read next: between what somebody has seen and what he makes of it.</summary>
internal sealed class HookedTime(TimeProvider inner) : TimeProvider
{
    public Action? WhenRead { get; set; }

    public override long TimestampFrequency => inner.TimestampFrequency;

    public override long GetTimestamp()
    {
        Action? hook = WhenRead;
        WhenRead = null;
        hook?.Invoke();
        return inner.GetTimestamp();
    }

    public override DateTimeOffset GetUtcNow() => inner.GetUtcNow();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => inner.CreateTimer(callback, state, dueTime, period);
}
