namespace Nhi.TokenExchange;

/// <summary>A token of the emulated Vault and where it stands. Guarded by <see cref="VaultBooks"/>.</summary>
internal sealed class VaultToken
{
    public required string Text { get; init; }

    public required string Fingerprint { get; init; }

    /// <summary>Null: a batch token.</summary>
    public required string? Accessor { get; init; }

    public required string Namespace { get; init; }

    public required string Role { get; init; }

    public required string Subject { get; init; }

    public required IReadOnlyList<string> Paths { get; init; }

    public required bool HasDefaultPolicy { get; init; }

    public required VaultToken? Parent { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    public required TimeSpan Ttl { get; init; }

    /// <summary>What its role allows now.</summary>
    public required Func<TimeSpan> MaxTtl { get; init; }

    public required bool IsRoot { get; init; }

    public int UsesLeft { get; set; }

    public DateTimeOffset EndsAt { get; set; }

    public bool IsGone { get; set; }

    public DateTimeOffset LastPossibleEnd => IsRoot ? DateTimeOffset.MaxValue : IssuedAt + MaxTtl();

    public bool IsBatch => Accessor is null;
}
