using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>How one credential ended.</summary>
public sealed class LeaseOutcome
{
    internal LeaseOutcome(string target, string fingerprint, LeaseEnd end, DateTimeOffset unusableFrom, DateTimeOffset diesAt, string? reason, string? handle)
    {
        Target = target;
        Fingerprint = fingerprint;
        End = end;
        UnusableFrom = unusableFrom;
        DiesAt = diesAt;
        Reason = reason;
        Handle = handle;
    }

    /// <summary>The name of the target.</summary>
    public string Target { get; }

    /// <summary>The credential's fingerprint; empty where a killed job had sent for it and not got it yet, or an exchange failed that may have made it.</summary>
    public string Fingerprint { get; }

    /// <summary>What is known to be true of it.</summary>
    public LeaseEnd End { get; }

    /// <summary>From when it would have been handed out no more.</summary>
    public DateTimeOffset UnusableFrom { get; }

    /// <summary>When it dies by itself at the issuer; a guess, which <see cref="Reason"/> tells of, where the issuer did not say. The greatest instant there is of a static key, which does not.</summary>
    public DateTimeOffset DiesAt { get; }

    /// <summary>What the issuer or the network said last, and how often it was asked, where it did not end, and whether the credential it was got through did; else null.</summary>
    public string? Reason { get; }

    /// <summary>What ends it at its issuer without holding it, such as the id of a lease, an accessor or the name of a role: by which an operator revokes what could not be. Not secret. Null if there is none.</summary>
    public string? Handle { get; }

    /// <summary>One line for people.</summary>
    public override string ToString() => End switch
    {
        LeaseEnd.Revoked => $"{Target} {Shown}: revoked",
        LeaseEnd.AlreadyGone => $"{Target} {Shown}: already gone{(Reason is null ? "" : $" ({Reason})")}",
        LeaseEnd.CannotBeRevoked => string.Create(CultureInfo.InvariantCulture, $"{Target} {Shown}: cannot be revoked, dies at {DiesAt:u} ({Reason})"),
        LeaseEnd.LivesOn => $"{Target} {Shown}: lives on, static ({Reason})",
        _ => string.Create(CultureInfo.InvariantCulture, $"{Target} {Shown}: NOT revoked ({Reason}){ShownHandle}, dies at {DiesAt:u}"),
    };

    private string ShownHandle => Handle is null ? "" : $", handle {ExceptionText.Clean(Handle, 300)}";

    private string Shown => Fingerprint.Length > 0 ? Fingerprint : "(exchange in the air)";
}
