using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>A static key that a target uses for now, as policy and audit are told of it: whose it is, until when, where it is kept. Never the key.</summary>
public sealed class StaticKeyUse
{
    /// <summary>Who answers for it, and for its replacement.</summary>
    public required string Owner { get; init; }

    /// <summary>From this instant on it is refused (NHI3004).</summary>
    public required DateTimeOffset Until { get; init; }

    /// <summary>Where it is kept: the path in Vault with its field, or the address in Azure Key Vault.</summary>
    public required string Secret { get; init; }

    /// <summary>Which version of it was read, in the vault's words. Null: none yet, or the vault keeps no versions.</summary>
    public string? Version { get; init; }

    /// <summary>The same with the version that was read.</summary>
    internal StaticKeyUse As(Credential? read) => read is StaticKey { Version: { } version } ? new StaticKeyUse { Owner = Owner, Until = Until, Secret = Secret, Version = version } : this;

    /// <summary>All of it in one line.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Secret}{(Version is null ? "" : $", version {Version}")}, of {Owner}, until {Until.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}");
}
