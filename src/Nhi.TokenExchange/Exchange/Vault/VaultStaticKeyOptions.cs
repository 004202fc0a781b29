namespace Nhi.TokenExchange;

/// <summary>Options of a static key in a key-value engine of Vault or OpenBao.</summary>
public sealed class VaultStaticKeyOptions
{
    /// <summary>The path that the engine is mounted at. Default <c>secret</c>.</summary>
    public string Mount { get; set; } = "secret";

    /// <summary>Which engine it is. Default version 2.</summary>
    public VaultKvEngine Engine { get; set; }

    /// <summary>Which field of the secret is the key. Default <c>value</c>.</summary>
    public string Field { get; set; } = "value";

    /// <summary>The namespace (<c>X-Vault-Namespace</c>): the login's, or one below it. Default: the root.</summary>
    public string? Namespace { get; set; }

    /// <summary>Where a handler puts the key. Default: nowhere; a connection opener uses it.</summary>
    public StaticKeyHeaderOptions Header { get; } = new();
}
