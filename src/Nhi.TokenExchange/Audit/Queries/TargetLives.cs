using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>How long the credentials of one target lived, against what settings and policy allow.</summary>
public sealed class TargetLives
{
    internal TargetLives(string target) => Target = target;

    /// <summary>The target's name.</summary>
    public string Target { get; }

    /// <summary>How many were issued, refreshed or renewed.</summary>
    public long Grants { get; private set; }

    /// <summary>The longest time that one was to be handed out.</summary>
    public TimeSpan LongestHandOut { get; private set; }

    /// <summary>The longest time from when one was issued to the end of its hand-out after it was renewed, as often as it was; zero where none was. Each renewal is decided and counted anew, so this may be longer than is allowed at once.</summary>
    public TimeSpan LongestRenewed { get; private set; }

    /// <summary>The longest time that one lives at its issuer by itself; of those that never die, none.</summary>
    public TimeSpan LongestLife { get; private set; }

    /// <summary>The longest hand-out that was ever allowed; null where nothing says.</summary>
    public TimeSpan? LongestAllowed { get; private set; }

    /// <summary>How many were to be handed out longer than was allowed: always 0, or something is wrong.</summary>
    public long HandedOutBeyond { get; private set; }

    /// <summary>How many live at their issuer longer than was allowed to hand them out: the issuer can't be asked for less.</summary>
    public long LivingBeyond { get; private set; }

    /// <summary>One line for people.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{AuditText.Shown(Target)}: {Grants} grants, longest hand-out {LongestHandOut:c} of {LongestAllowed?.ToString("c", CultureInfo.InvariantCulture) ?? "unknown"} allowed ({HandedOutBeyond} beyond){(LongestRenewed > TimeSpan.Zero ? $", {LongestRenewed.ToString("c", CultureInfo.InvariantCulture)} with renewals" : "")}, longest life at the issuer {LongestLife:c} ({LivingBeyond} longer than the hand-out that is allowed)");

    /// <param name="granted">A grant.</param>
    /// <param name="first">When its credential was issued, as far as the trail goes back.</param>
    internal void Add(AuditEvent granted, DateTimeOffset first)
    {
        Grants++;
        if (granted.Kind == AuditEventKind.Renewed)
            LongestRenewed = Max(LongestRenewed, (granted.UnusableFrom - first) ?? TimeSpan.Zero);
        TimeSpan handOut = (granted.UnusableFrom - granted.At) ?? TimeSpan.Zero;
        TimeSpan life = (granted.DiesAt - granted.At) ?? TimeSpan.Zero;
        LongestHandOut = Max(LongestHandOut, handOut);
        LongestLife = Max(LongestLife, life);
        if (granted.MaxLifetime is not { } allowed)
            return;
        LongestAllowed = Max(LongestAllowed ?? allowed, allowed);
        HandedOutBeyond += handOut > allowed ? 1 : 0;
        LivingBeyond += life > allowed ? 1 : 0;
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
}
