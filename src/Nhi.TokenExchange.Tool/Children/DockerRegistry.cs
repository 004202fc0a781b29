namespace Nhi.TokenExchange;

/// <summary>A registry of images, and the target that is for it.</summary>
/// <param name="Target">A target that gives bearer tokens.</param>
/// <param name="Host">Its name as docker has it: a host, perhaps with a port; or an address (<c>https://index.docker.io/v1/</c>).</param>
/// <param name="User">The user name beside the token. Registries know by it what the password is.</param>
internal sealed record DockerRegistry(string Target, string Host, string User)
{
    public const string Example = "images=registry.example";

    // Google's, which others ignore.
    private const string CommonUser = "oauth2accesstoken";

    /// <exception cref="UsageException">It has another form.</exception>
    public static DockerRegistry Read(NamedValue value) => value.Parts switch
    {
        [var host] when IsHost(host) => new DockerRegistry(value.Target, host, CommonUser),
        [var host, var user] when IsHost(host) && UserNames.IsPlain(user) => new DockerRegistry(value.Target, host, user),
        _ => throw value.Wrong($"{Example},{CommonUser}"),
    };

    /// <summary>Its host as it may be compared: docker asks by the name or by the address.</summary>
    public string BareHost => Bare(Host);

    /// <inheritdoc cref="BareHost"/>
    public static string Bare(string host) => (host.StartsWith("https://", StringComparison.Ordinal) ? host["https://".Length..] : host).TrimEnd('/').ToLowerInvariant();

    private static bool IsHost(string host) =>
        Uri.TryCreate(host.Contains("://", StringComparison.Ordinal) ? host : $"https://{host}", UriKind.Absolute, out Uri? address) && address is { UserInfo: "", Query: "", Fragment: "" } && address.Scheme == Uri.UriSchemeHttps
        && (address.AbsolutePath == "/" || host.Contains("://", StringComparison.Ordinal)) && host.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or ':' or '/' or '_' or '[' or ']');
}
