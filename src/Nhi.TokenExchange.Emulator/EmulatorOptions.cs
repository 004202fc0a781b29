using System.Net;

namespace Nhi.TokenExchange;

/// <summary>Settings of an emulator; read once at its start.</summary>
public sealed class EmulatorOptions
{
    /// <summary>The clock of all servers and of all planned delays. Default: the system's.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>The seed of planned faults. Default 1.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>The life of the authorization server's tokens. Default 1 hour; more than zero.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The life of the Databricks-style workspace's tokens. Default 1 hour, as documented; more than zero.</summary>
    public TimeSpan DatabricksTokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>What the authorization server's tokens look like. Default opaque.</summary>
    public TokenFormat TokenFormat { get; set; }

    /// <summary>
    /// The algorithm of proofs that name none of their own: RS256 (default, what the platforms use), PS256 or ES256.
    /// ES256 makes the first proof of a fresh emulator much quicker, since no RSA key has to be found.
    /// </summary>
    public string ProofAlgorithm { get; set; } = "RS256";

    /// <summary>The national cloud that the Entra directory lives in. Default public.</summary>
    public EntraCloud EntraCloud { get; set; }

    /// <summary>The algorithm of Entra's tokens: RS256 (default, the real one's) or ES256, which needs no RSA key to be found.</summary>
    public string EntraAlgorithm { get; set; } = "RS256";

    /// <summary>How far <c>exp</c>, <c>nbf</c> and <c>iat</c> of a proof may be off. Default 30 seconds.</summary>
    public TimeSpan ClockLeeway { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Where to listen. Only a loopback address is taken. Default 127.0.0.1.</summary>
    public IPAddress Address { get; set; } = IPAddress.Loopback;

    /// <summary>Refuses what would be dangerous or without sense.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    /// <exception cref="InvalidOperationException">The process says that it is production.</exception>
    internal void Check()
    {
        ArgumentNullException.ThrowIfNull(Time);
        if (!IPAddress.IsLoopback(Address))
            throw new ArgumentException($"The emulator listens on loopback only; {Address} is refused. Its keys and tokens protect nothing.", nameof(Address));
        if (ProofAlgorithm is not ("RS256" or "PS256" or "ES256"))
            throw new ArgumentException($"Proofs are signed by RS256, PS256 or ES256; '{ProofAlgorithm}' is refused.", nameof(ProofAlgorithm));
        if (EntraAlgorithm is not ("RS256" or "ES256"))
            throw new ArgumentException($"Entra's tokens are signed by RS256 or ES256; '{EntraAlgorithm}' is refused.", nameof(EntraAlgorithm));
        if (TokenLifetime <= TimeSpan.Zero || DatabricksTokenLifetime <= TimeSpan.Zero || ClockLeeway < TimeSpan.Zero)
            throw new ArgumentException("Lives must be more than zero, and the leeway not negative.");
        foreach (string name in new[] { "DOTNET_ENVIRONMENT", "ASPNETCORE_ENVIRONMENT" })
        {
            if (string.Equals(Environment.GetEnvironmentVariable(name), "Production", StringComparison.OrdinalIgnoreCase))
                throw new InvalidOperationException($"{name} is Production. The emulator is for tests and samples; it does not start there.");
        }
    }
}
