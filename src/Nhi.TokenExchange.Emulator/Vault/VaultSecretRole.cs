namespace Nhi.TokenExchange;

/// <summary>A path of the emulated Vault at which each read makes a new secret.</summary>
/// <remarks>Set up before the first request that needs it, unless a setting says otherwise.</remarks>
public sealed class VaultSecretRole
{
    internal VaultSecretRole(string path, VaultSecretShape shape)
    {
        Path = path;
        Shape = shape;
    }

    /// <summary>The path, below <c>/v1/</c> and the namespace.</summary>
    public string Path { get; }

    /// <summary>What it makes.</summary>
    public VaultSecretShape Shape { get; }

    /// <summary><c>default_ttl</c>. Default 1 hour.</summary>
    public TimeSpan Ttl { get; set; } = TimeSpan.FromHours(1);

    /// <summary><c>max_ttl</c>: how long a lease can be renewed, counted from its issue. Default 24 hours.</summary>
    public TimeSpan MaxTtl { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Whether its leases can be renewed. Default true, but for AWS.</summary>
    public bool IsRenewable { get; set; } = true;

    /// <summary>Whether the secrets engine fails to end what it made, as when the database behind it is down. Default false. May be changed at any time.</summary>
    public bool CannotEnd { get; set; }

    /// <summary>Whether it takes POST alone. Default false: GET, and of AWS and Google Cloud POST, too.</summary>
    public bool TakesPostOnly { get; set; }

    internal bool Takes(string method) => method switch
    {
        "GET" => !TakesPostOnly,
        "POST" => TakesPostOnly || Shape is VaultSecretShape.Aws or VaultSecretShape.GoogleToken,
        _ => false,
    };
}
