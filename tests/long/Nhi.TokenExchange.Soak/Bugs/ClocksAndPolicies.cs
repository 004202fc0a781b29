using Microsoft.Extensions.Primitives;

namespace Nhi.TokenExchange.Soak;

internal enum Hand
{
    Monotonic,
    Wall,
}

/// <summary>A clock whose two hands are one: what only the other would see, nobody sees.</summary>
internal sealed class OneHand(TimeProvider inner, Hand hand) : TimeProvider
{
    private readonly DateTimeOffset _wall = inner.GetUtcNow();
    private readonly long _timestamp = inner.GetTimestamp();

    public override long TimestampFrequency => inner.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => hand == Hand.Wall ? inner.GetUtcNow() : _wall + inner.GetElapsedTime(_timestamp);

    public override long GetTimestamp() => hand == Hand.Monotonic ? inner.GetTimestamp()
        : _timestamp + (long)((inner.GetUtcNow() - _wall).TotalSeconds * inner.TimestampFrequency);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => inner.CreateTimer(callback, state, dueTime, period);
}

/// <summary>Hears that rules changed, and permits all the same.</summary>
internal sealed class DeafPolicy(IAccessPolicy inner) : IAccessPolicy
{
    public string Revision => inner.Revision;

    public ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken) => new(AccessDecision.Permit("open"));

    public IChangeToken GetChangeToken() => inner.GetChangeToken();
}
