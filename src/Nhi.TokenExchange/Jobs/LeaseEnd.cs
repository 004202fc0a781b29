namespace Nhi.TokenExchange;

/// <summary>What is known to be true of a credential after the job.</summary>
public enum LeaseEnd
{
    /// <summary>Ended at its issuer.</summary>
    Revoked,

    /// <summary>Dead before, or unknown to its issuer.</summary>
    AlreadyGone,

    /// <summary>The issuer ends nothing before its time, or only by the credential itself, which went with a killed process; it lives on to <see cref="LeaseOutcome.DiesAt"/>, unused.</summary>
    CannotBeRevoked,

    /// <summary>The issuer could not be asked in time; it may live on to <see cref="LeaseOutcome.DiesAt"/>.</summary>
    Failed,

    /// <summary>A static key: it was let go, and lives on at its service until its owner ends it.</summary>
    LivesOn,
}
