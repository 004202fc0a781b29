namespace Nhi.TokenExchange;

/// <summary>What a dynamic secret of the emulated Vault looks like.</summary>
public enum VaultSecretShape
{
    /// <summary><c>username</c> and <c>password</c>.</summary>
    Database,

    /// <summary><c>access_key</c>, <c>secret_key</c>, <c>security_token</c>.</summary>
    Aws,

    /// <summary><c>client_id</c> and <c>client_secret</c>.</summary>
    Azure,

    /// <summary><c>token</c> and <c>expires_at_seconds</c>; it has no lease.</summary>
    GoogleToken,

    /// <summary>An entry of a key-value store: it has no lease and no end.</summary>
    KeyValue,
}
