namespace Nhi.TokenExchange;

/// <summary>Reads the lives that Vault says, in seconds from the instant of the question.</summary>
internal static class VaultLife
{
    // A server that says nothing of use: short enough to do no harm.
    private static readonly TimeSpan Assumed = TimeSpan.FromMinutes(5);
    private const long LongestSeconds = 10L * 365 * 24 * 60 * 60;

    /// <summary>Whether a life is one at all. A root token has 0: it never ends.</summary>
    public static bool IsSaid(VaultAnswer answer) => answer.LeaseDuration is > 0 and <= LongestSeconds;

    public static DateTimeOffset EndOf(VaultAnswer answer) => answer.AskedAt + (IsSaid(answer) ? TimeSpan.FromSeconds(answer.LeaseDuration!.Value) : Assumed);

    /// <summary>Seconds to ask for, rounded up.</summary>
    public static long Seconds(TimeSpan life) => (long)Math.Ceiling(life.TotalSeconds);

    /// <summary>Begins a renewal that could give more. One that could not is not asked for: a server cuts a life to what is asked, and the held credential is handed out still.</summary>
    /// <returns>False: it is not to be asked for.</returns>
    public static async ValueTask<bool> TryBeginAsync(Credential held, ExchangeRequest request, CancellationToken cancellationToken)
    {
        DateTimeOffset now = request.Time.GetUtcNow();
        return Renewals.GivesMore(held.UnusableFrom, now + request.MaxLifetime, now) && (request.Renewal is null || await request.Renewal.TryBeginAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Whether a renewal takes the place of the held credential: it moves the end from which that would be of no use, or it has cut the life, as after the role's maximum was lowered, and what is left is of use.</summary>
    public static bool TakesThePlace(VaultAnswer renewed, Credential held, ExchangeRequest request, TimeSpan margin)
    {
        if (!IsSaid(renewed))
        {
            if (renewed.LeaseDuration <= 0)
                request.Renewal?.GaveNoMore(renewed.AskedAt);
            return false;
        }
        DateTimeOffset usable = EndOf(renewed) - margin;
        DateTimeOffset longest = renewed.AskedAt + request.MaxLifetime;
        usable = usable < longest ? usable : longest;
        if (Renewals.GivesMore(held.UnusableFrom, usable, renewed.AskedAt) || Renewals.EndsSooner(held.ExpiresAt, EndOf(renewed), usable, renewed.AskedAt))
            return true;
        request.Renewal?.GaveNoMore(EndOf(renewed));
        return false;
    }
}
