namespace Nhi.TokenExchange;

/// <summary>Something that speaks against an issuer's credentials and shows in them alone, once there is one. Where a policy denies all further ones for it, nobody would ever see that it was put right; so it can be forgotten after a while.</summary>
internal sealed class LearntFact
{
    // Each further look may cost one credential that nobody can end.
    private static readonly TimeSpan LookedAtAgainAfter = TimeSpan.FromMinutes(10);

    private Sight? _last;

    public bool IsSo => _last is not null;

    /// <summary>How long it is until it may be forgotten; null where there is nothing to forget.</summary>
    public TimeSpan? KeptFor => _last is not { } seen ? null : LookedAtAgainAfter - seen.Time.GetElapsedTime(seen.At) is { Ticks: > 0 } left ? left : TimeSpan.Zero;

    /// <summary>Notes what the newest credential shows.</summary>
    public void Note(bool isSo, TimeProvider time) => _last = isSo ? new Sight(time, time.GetTimestamp()) : null;

    /// <summary>Forgets it if its time is over: the next credential shows whether it is still so.</summary>
    public bool TryForget()
    {
        if (KeptFor != TimeSpan.Zero)
            return false;
        _last = null;
        return true;
    }

    private sealed record Sight(TimeProvider Time, long At);
}
