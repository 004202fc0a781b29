namespace Nhi.TokenExchange;

/// <summary>What a vault, a secret and a version are called ("About keys, secrets, and certificates", "Azure national clouds").</summary>
internal static class KeyVaultNames
{
    public const string VaultRemedy = "Write the vault's address, such as https://acme-legacy.vault.azure.net.";
    public const string NameRemedy = "Write the secret's name: letters, digits and hyphens, at most 127.";
    public const string VersionRemedy = "Write the version's 32 hexadecimal digits, or leave it out to follow rotations.";

    // Public, China, US Government.
    private static readonly string[] Domains = [".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net"];

    // The application that Key Vault is in every tenant, by its id.
    private const string ApplicationId = "cfa8b339-82a2-471a-a3c9-0fc0be7a4093";

    // What Entra ID is asked for of a resource: all that the workload has there, or what a signed-in user may do.
    private static readonly string[] OfResource = ["/.default", "/user_impersonation"];

    private const int LongestName = 127;

    /// <summary>What is wrong with a vault's address, which has no query; null if nothing is. Elsewhere nobody may be shown a token for Key Vault.</summary>
    public static string? FaultOfVault(Uri vault) =>
        vault.AbsolutePath != "/" ? "has a path"
        : NetworkAddresses.IsLoopbackName(vault.IdnHost) || Domains.Any(domain => vault.IdnHost.EndsWith(domain, StringComparison.OrdinalIgnoreCase)) ? null
        : "is not an address of Key Vault";

    /// <summary>Whether a token is asked for Key Vault, in the vault's cloud, and for nobody else: for <c>https://vault.azure.net</c> or the application's id, as an audience, or in a scope with <c>/.default</c> or <c>/user_impersonation</c>. A vault on loopback is of any cloud.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="scopes">Words without a slash say nothing of a resource.</param>
    /// <param name="audiences">Each names one.</param>
    public static bool IsForVault(Uri vault, IEnumerable<string> scopes, IEnumerable<string> audiences)
    {
        IEnumerable<string> resources = Domains.Where(domain => NetworkAddresses.IsLoopbackName(vault.IdnHost) || vault.IdnHost.EndsWith(domain, StringComparison.OrdinalIgnoreCase)).Select(domain => $"https://{domain[1..]}");
        string[] named = [.. scopes.Where(scope => scope.Contains('/', StringComparison.Ordinal)).Select(ResourceOf), .. audiences.Select(audience => audience.TrimEnd('/'))];
        return named.Length > 0 && Array.TrueForAll(named, one => one.Equals(ApplicationId, StringComparison.OrdinalIgnoreCase) || resources.Contains(one, StringComparer.OrdinalIgnoreCase));
    }

    private static string ResourceOf(string scope) =>
        (OfResource.FirstOrDefault(end => scope.EndsWith(end, StringComparison.Ordinal)) is { } end ? scope[..^end.Length] : scope).TrimEnd('/');

    public static string? FaultOfName(string name) =>
        name.Length is > 0 and <= LongestName && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') ? null : "is no name of a secret";

    public static string? FaultOfVersion(string version) => version.Length == 32 && version.All(char.IsAsciiHexDigit) ? null : "is no version of a secret";
}
