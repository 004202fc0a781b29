namespace Nhi.TokenExchange;

/// <summary>A proof that was looked at once, and what it says. Its signature is the issuer's to verify.</summary>
internal sealed record AttestedProof
{
    private TargetRuntime? _hop;
    private BearerToken? _hopToken;

    public required SubjectToken Token { get; init; }

    /// <summary>Who acts for the subject, if anybody.</summary>
    public SubjectToken? Actor { get; init; }

    /// <summary><c>iss</c>; empty for an opaque proof.</summary>
    public required string Issuer { get; init; }

    /// <summary><c>sub</c>; empty for an opaque proof.</summary>
    public required string Subject { get; init; }

    public required IReadOnlyDictionary<string, string> Claims { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Only the configuration says that this is a workload's.</summary>
    public bool WorkloadIsAsserted { get; init; }

    /// <summary>Where the proof is a credential of ours: from when that is handed out no more.</summary>
    public DateTimeOffset? HopUnusableFrom { get; init; }

    /// <summary>The credential of another target as the proof for the next.</summary>
    public static AttestedProof OfHop(TargetRuntime hop, BearerToken token) => new()
    {
        Token = new SubjectToken(token.Reveal(), SubjectTokenType.AccessToken, token.ExpiresAt),
        Issuer = hop.Plan.Exchanger.Issuer.AbsoluteUri,
        Subject = $"target:{hop.Target}",
        Claims = new Dictionary<string, string>(),
        ExpiresAt = token.ExpiresAt,
        HopUnusableFrom = hop.Session.Clock.InstantOf(token.Lease.WallEnd),
        _hop = hop,
        _hopToken = token,
    };

    /// <summary>The issuer refused it as expired: a credential of ours is handed out no more.</summary>
    public void Reject()
    {
        if (_hop is not null)
            _hop.RejectFromNextHop(_hopToken!);
    }

    /// <summary>Issuer and subject; never the token.</summary>
    public override string ToString() => $"{Issuer} says {Subject}";
}
