namespace Nhi.TokenExchange;

/// <summary>One version of a secret in a key-value engine of the emulated Vault. Guarded by <see cref="VaultKeyValue"/>.</summary>
internal sealed class VaultKeyValueVersion(int number, IReadOnlyDictionary<string, string> fields, DateTimeOffset createdAt)
{
    private static readonly Dictionary<string, string> Nothing = [];

    public int Number => number;

    public IReadOnlyDictionary<string, string> Fields { get; private set; } = fields;

    public DateTimeOffset CreatedAt => createdAt;

    /// <summary>When it was, or will be, deleted.</summary>
    public DateTimeOffset? DeletedAt { get; set; }

    public bool IsDestroyed { get; private set; }

    /// <summary>Whether it can't be read.</summary>
    public bool IsGone { get; private init; }

    public void Destroy()
    {
        IsDestroyed = true;
        Fields = Nothing;
    }

    /// <summary>What is seen of it at an instant: a copy.</summary>
    public VaultKeyValueVersion AsOf(DateTimeOffset now) => new(number, Fields, createdAt) { DeletedAt = DeletedAt, IsDestroyed = IsDestroyed, IsGone = IsDestroyed || DeletedAt <= now };
}
