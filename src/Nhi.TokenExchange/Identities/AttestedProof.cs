namespace Nhi.TokenExchange;

/// <summary>A proof that was looked at once, and what it says. Its signature is the issuer's to verify.</summary>
internal sealed record AttestedProof
{
    private TargetRuntime? _hop;
    private BearerToken? _hopToken;

    public required SubjectToken Token { get; init; }

    /// <summary><c>iss</c>; empty for an opaque proof.</summary>
    public required string Issuer { get; init; }

    /// <summary><c>sub</c>; empty for an opaque proof.</summary>
    public required string Subject { get; init; }

    public required IReadOnlyDictionary<string, string> Claims { get; init; }

    /// <summary>The platform that is known to make such proofs of workloads; null if none is.</summary>
    public string? Platform { get; init; }

    /// <summary>Where leases come from that are got with this proof; null before job and proof were compared.</summary>
    public LeaseOrigin? Origin { get; init; }

    /// <summary>The job as configuration and proof say it together; null before they were compared.</summary>
    public JobAttestation? Job => Origin?.Attestation;

    /// <summary>Where the proof is a credential of ours: what the proof attested that this credential was got with.</summary>
    public JobAttestation? Inherited { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Only the configuration says that this is a workload's.</summary>
    public bool WorkloadIsAsserted { get; init; }

    /// <summary>It is a person's, let through for development.</summary>
    public bool IsAPersons { get; init; }

    /// <summary>Where the proof is a credential of ours: from when that is handed out no more.</summary>
    public DateTimeOffset? HopUnusableFrom { get; init; }

    /// <summary>The same by the monotonic hand.</summary>
    public long HopDeadTick { get; init; } = long.MaxValue;

    /// <summary>Where the proof is a credential of ours: the target whose it is.</summary>
    public string? Through => _hop?.Target;

    /// <summary>Whose it is in the end: where the proof is a credential of ours, who got that.</summary>
    public Workload Workload
    {
        get
        {
            Workload own = _hopToken?.Lease.Origin!.Workload ?? new Workload(Issuer.Length > 0 ? Issuer : null, Subject.Length > 0 ? Subject : null, IsAPersons, WorkloadIsAsserted);
            return Actor is { Workload.IsAPersons: true } ? own with { IsAPersons = true } : own;
        }
    }

    /// <summary>The proof of who acts for the subject, if anybody does.</summary>
    public AttestedProof? Actor { get; init; }

    /// <summary>The credential of another target as the proof for the next.</summary>
    public static AttestedProof OfHop(TargetRuntime hop, BearerToken token) => new()
    {
        Token = new SubjectToken(token.Reveal(), SubjectTokenType.AccessToken, token.ExpiresAt),
        Issuer = hop.Plan.Exchanger.Issuer.AbsoluteUri,
        Subject = $"target:{hop.Target}",
        Claims = new Dictionary<string, string>(),
        ExpiresAt = token.ExpiresAt,
        HopUnusableFrom = hop.Session.Clock.InstantOf(token.Lease.WallEnd),
        HopDeadTick = token.Lease.DeadTick,
        Inherited = token.Lease.Origin!.Attestation,
        _hop = hop,
        _hopToken = token,
    };

    /// <summary>
    /// Whether another proof may help where the issuer refused this one. A credential of ours that others use too is given up only if the
    /// issuer speaks of the token (<c>invalid_grant</c>), not of the request.
    /// </summary>
    public bool MayBeReplacedAfter(TokenExchangeException refused) => _hop is null || refused.IssuerError is null or "invalid_grant";

    /// <summary>Whether it is a credential of ours that is handed out no more: nothing that was got with it is, either.</summary>
    public bool IsHopOver(AgreedClock clock) => _hopToken is { } token && !clock.IsBefore(token.Lease.DeadTick, token.Lease.WallEnd);

    /// <summary>The issuer refused it: a credential of ours is handed out no more.</summary>
    public void Reject()
    {
        if (_hop is not null)
            _hop.RejectFromNextHop(_hopToken!);
    }

    /// <summary>Issuer and subject; never the token.</summary>
    public override string ToString() => $"{Issuer} says {Subject}";
}
