namespace Nhi.TokenExchange;

/// <summary>One version of a secret of the emulated Azure Key Vault.</summary>
/// <remarks>Its attributes may be changed while the emulator runs.</remarks>
public sealed class KeyVaultEntry
{
    internal KeyVaultEntry(string name, string version, string value, DateTimeOffset createdAt)
    {
        Name = name;
        Version = version;
        Value = value;
        CreatedAt = createdAt;
    }

    /// <summary>The secret's name.</summary>
    public string Name { get; }

    /// <summary>32 hexadecimal digits.</summary>
    public string Version { get; }

    /// <summary><c>attributes.enabled</c>. Default true; false is answered by 403, SecretDisabled.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary><c>attributes.nbf</c>; null, the default: it has none. The real vault gives the secret all the same.</summary>
    public DateTimeOffset? NotBefore { get; set; }

    /// <summary><c>attributes.exp</c>; null, the default: it has none. The real vault gives the secret all the same.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }

    /// <summary><c>contentType</c>; null, the default: it has none.</summary>
    public string? ContentType { get; set; }

    internal string Value { get; }

    internal DateTimeOffset CreatedAt { get; }
}
