namespace Nhi.TokenExchange;

/// <summary>What a vault, a secret and a version are called ("About keys, secrets, and certificates", "Azure national clouds").</summary>
internal static class KeyVaultNames
{
    public const string VaultRemedy = "Write the vault's address, such as https://acme-legacy.vault.azure.net.";
    public const string NameRemedy = "Write the secret's name: letters, digits and hyphens, at most 127.";
    public const string VersionRemedy = "Write the version's 32 hexadecimal digits, or leave it out to follow rotations.";

    // Public, China, US Government.
    private static readonly string[] Domains = [".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net"];

    private const string AllOfResource = "/.default";

    private const int LongestName = 127;

    /// <summary>What is wrong with a vault's address; null if nothing is. Elsewhere nobody may be shown a token for Key Vault.</summary>
    public static string? FaultOfVault(Uri vault) =>
        vault.AbsolutePath != "/" || vault.Query.Length > 0 ? "has a path or a query"
        : NetworkAddresses.IsLoopbackName(vault.IdnHost) || Domains.Any(domain => vault.IdnHost.EndsWith(domain, StringComparison.OrdinalIgnoreCase)) ? null
        : "is not an address of Key Vault";

    /// <summary>Whether the resource that a token is asked for is the one of the vault's cloud, and that alone: <c>https://vault.azure.net</c>, or that with <c>/.default</c>. A vault on loopback is of any. Words that are no addresses say nothing of it.</summary>
    public static bool IsForVault(Uri vault, IEnumerable<string> asked)
    {
        IEnumerable<string> resources = Domains.Where(domain => NetworkAddresses.IsLoopbackName(vault.IdnHost) || vault.IdnHost.EndsWith(domain, StringComparison.OrdinalIgnoreCase)).Select(domain => $"https://{domain[1..]}");
        string[] addresses = [.. asked.Where(one => Uri.TryCreate(one, UriKind.Absolute, out _)).Select(one => (one.EndsWith(AllOfResource, StringComparison.Ordinal) ? one[..^AllOfResource.Length] : one).TrimEnd('/'))];
        return addresses.Length > 0 && Array.TrueForAll(addresses, one => resources.Contains(one, StringComparer.OrdinalIgnoreCase));
    }

    public static string? FaultOfName(string name) =>
        name.Length is > 0 and <= LongestName && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') ? null : "is no name of a secret";

    public static string? FaultOfVersion(string version) => version.Length == 32 && version.All(char.IsAsciiHexDigit) ? null : "is no version of a secret";
}
