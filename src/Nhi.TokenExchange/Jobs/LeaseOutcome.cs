using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>How one credential ended.</summary>
/// <param name="Target">The name of the target.</param>
/// <param name="Fingerprint">The credential's fingerprint.</param>
/// <param name="End">What is known to be true of it.</param>
/// <param name="UnusableFrom">From when it would have been handed out no more.</param>
/// <param name="DiesAt">When it dies by itself at the issuer.</param>
/// <param name="Reason">What the issuer or the network said, where it did not end.</param>
public sealed record LeaseOutcome(string Target, string Fingerprint, LeaseEnd End, DateTimeOffset UnusableFrom, DateTimeOffset DiesAt, string? Reason)
{
    /// <summary>One line for people.</summary>
    public override string ToString() => End switch
    {
        LeaseEnd.Revoked => $"{Target} {Fingerprint}: revoked",
        LeaseEnd.AlreadyGone => $"{Target} {Fingerprint}: already gone",
        LeaseEnd.CannotBeRevoked => string.Create(CultureInfo.InvariantCulture, $"{Target} {Fingerprint}: cannot be revoked, dies at {DiesAt:u}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Target} {Fingerprint}: NOT revoked ({Reason}), dies at {DiesAt:u}"),
    };
}

/// <summary>What is known to be true of a credential after the job.</summary>
public enum LeaseEnd
{
    /// <summary>Ended at its issuer.</summary>
    Revoked,

    /// <summary>Dead before, or unknown to its issuer.</summary>
    AlreadyGone,

    /// <summary>The issuer ends nothing before its time; it lives on to <see cref="LeaseOutcome.DiesAt"/>, unused.</summary>
    CannotBeRevoked,

    /// <summary>The issuer could not be asked in time; it may live on to <see cref="LeaseOutcome.DiesAt"/>.</summary>
    Failed,
}
