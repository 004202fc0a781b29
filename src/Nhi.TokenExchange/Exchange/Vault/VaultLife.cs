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
}
