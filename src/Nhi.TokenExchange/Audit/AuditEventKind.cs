namespace Nhi.TokenExchange;

/// <summary>What an audit event tells.</summary>
public enum AuditEventKind
{
    /// <summary>The job proved who it is.</summary>
    Attested,

    /// <summary>The policy permitted.</summary>
    Permitted,

    /// <summary>The policy denied.</summary>
    Denied,

    /// <summary>The intent to exchange: written before a credential exists.</summary>
    Exchanging,

    /// <summary>A first credential was issued.</summary>
    Issued,

    /// <summary>A credential was issued that replaces another.</summary>
    Refreshed,

    /// <summary>A credential was ended at its issuer.</summary>
    Revoked,

    /// <summary>A credential reached its end.</summary>
    Expired,

    /// <summary>A credential lives on that nobody uses any more: it could not be ended. Says when it dies.</summary>
    Orphaned,

    /// <summary>A flight failed.</summary>
    Failed,

    /// <summary>Something that a crash left behind was dealt with.</summary>
    Recovered,

    /// <summary>The life of a credential was lengthened at its issuer: the same one, with a later end.</summary>
    Renewed,

    /// <summary>The job was revoked, by code or by its kill switch, or had run as long as it may: one event for the job, whether or not it held a credential. <see cref="AuditEvent.Code"/> is what callers are told from then on, <see cref="AuditEvent.Reason"/> says why.</summary>
    JobCutShort,

    /// <summary>A broker of the job refused somebody who proved nothing: another user, a wrong token, a browser. The first of a minute by itself, then how many more there were. <see cref="AuditEvent.Caller"/> is who asked, as far as the kernel told.</summary>
    CallerRefused,
}
