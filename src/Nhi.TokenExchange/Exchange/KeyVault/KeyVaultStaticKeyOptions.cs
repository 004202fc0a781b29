namespace Nhi.TokenExchange;

/// <summary>Options of a static key in Azure Key Vault.</summary>
public sealed class KeyVaultStaticKeyOptions
{
    /// <summary>The version to read: 32 hexadecimal digits. Null, the default: the newest, so that a rotation is followed.</summary>
    public string? Version { get; set; }

    /// <summary>Where a handler puts the key. Default: nowhere; a connection opener uses it.</summary>
    public StaticKeyHeaderOptions Header { get; } = new();
}
