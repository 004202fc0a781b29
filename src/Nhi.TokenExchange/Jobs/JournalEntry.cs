namespace Nhi.TokenExchange;

/// <summary>What a job's journal knows of one exchange and of the credential that came of it. Holds no secret.</summary>
internal sealed record JournalEntry
{
    /// <summary>Its number in the journal.</summary>
    public required long Number { get; init; }

    /// <summary>When the exchange was begun.</summary>
    public required DateTimeOffset At { get; init; }

    public required Guid FlightId { get; init; }

    public required string Target { get; init; }

    /// <summary>The issuer, as the exchanger names it.</summary>
    public required string Issuer { get; init; }

    public bool IsPlatformIssued { get; init; }

    /// <summary>The job with what the proof attests of it; null: as the journal's first line says it.</summary>
    public JobContext? Job { get; init; }

    public JobFacts AttestedFacts { get; init; }

    /// <summary>The credential's fingerprint; null while its exchange is in the air.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>What ends the credential without holding it, if anything does; known before the credential where the exchanger chose it.</summary>
    public string? Handle { get; init; }

    public DateTimeOffset UnusableFrom { get; init; }

    public DateTimeOffset DiesAt { get; init; }

    /// <summary>An exchange in the air of whose credential nothing is known.</summary>
    public bool IsUnknown => Fingerprint is null && Handle is null;

    /// <summary>A static key, which never dies by itself.</summary>
    public bool IsStatic => DiesAt == DateTimeOffset.MaxValue;

    /// <summary>Whether it may live on after <see cref="DiesAt"/>.</summary>
    public bool EndIsUncertain { get; init; }

    /// <summary>How it ended, where the audit has not taken that; null: it has not ended.</summary>
    public JournalUntold? Untold { get; init; }

    /// <summary>What the audit is told of it.</summary>
    /// <param name="kind">How it ended.</param>
    /// <param name="when">When, and who tells it.</param>
    /// <param name="job">The job of the journal.</param>
    /// <param name="revision">The policy in force; null where none decides.</param>
    /// <param name="reason">Why.</param>
    /// <param name="code">The error's, if it should have been ended and could not be.</param>
    /// <param name="staticKey">The static key that its target reads, as that is declared now; null: none, or no such target is.</param>
    public AuditEvent ToEvent(AuditEventKind kind, AuditMoment when, JobContext job, string? revision, string reason, string? code = null, StaticKeyUse? staticKey = null) => new()
    {
        Kind = kind,
        At = when.At,
        Elapsed = when.Elapsed,
        SessionId = when.SessionId,
        FlightId = FlightId,
        Target = Target,
        Job = Job ?? job,
        AttestedFacts = AttestedFacts,
        Issuer = Issuer,
        IsPlatformIssued = IsPlatformIssued,
        StaticKey = staticKey,
        PolicyRevision = revision,
        Fingerprint = Fingerprint,
        RevocationHandle = Handle,
        UnusableFrom = IsUnknown ? null : UnusableFrom,
        DiesAt = IsUnknown || IsStatic ? null : DiesAt,
        Reason = reason,
        Code = code,
    };
}
