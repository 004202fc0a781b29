namespace Nhi.TokenExchange;

/// <summary>A lease of the emulated Vault and where it stands. Guarded by <see cref="VaultBooks"/>.</summary>
internal sealed class VaultLease
{
    public required string Id { get; init; }

    public required string Fingerprint { get; init; }

    public required VaultToken Token { get; init; }

    public required VaultSecretRole Role { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    public DateTimeOffset? RenewedAt { get; set; }

    public DateTimeOffset EndsAt { get; set; }

    public bool IsGone { get; set; }

    /// <summary>Its token has ended, or somebody asked for its end and not for the answer: it ends after that.</summary>
    public bool IsQueued { get; set; }

    /// <summary>How often it was tried to end it since it was queued.</summary>
    public int Tries { get; set; }

    public DateTimeOffset LastPossibleEnd => IssuedAt + Role.MaxTtl;
}
