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
    public static bool TryBegin(Credential held, ExchangeRequest request)
    {
        DateTimeOffset now = request.Time.GetUtcNow();
        return Renewals.GivesMore(held.UnusableFrom, now + request.MaxLifetime, now) && request.Renewal?.TryBegin() != false;
    }

    /// <summary>Whether a renewal moves the end from which the held credential would be of no use.</summary>
    public static bool GivesMore(VaultAnswer renewed, Credential held, ExchangeRequest request, TimeSpan margin)
    {
        if (!IsSaid(renewed))
            return false;
        DateTimeOffset usable = EndOf(renewed) - margin;
        DateTimeOffset longest = renewed.AskedAt + request.MaxLifetime;
        if (Renewals.GivesMore(held.UnusableFrom, usable < longest ? usable : longest, renewed.AskedAt))
            return true;
        request.Renewal?.GaveNoMore(EndOf(renewed));
        return false;
    }
}
