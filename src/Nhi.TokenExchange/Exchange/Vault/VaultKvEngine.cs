namespace Nhi.TokenExchange;

/// <summary>Which key-value secrets engine of Vault keeps a static key.</summary>
public enum VaultKvEngine
{
    /// <summary>"KV Secrets Engine - Version 2": keeps versions. The newest is read.</summary>
    Version2,

    /// <summary>"KV Secrets Engine - Version 1": keeps the last value alone.</summary>
    Version1,
}
