namespace Nhi.TokenExchange;

/// <summary>An address of git servers, and the target that is for it.</summary>
/// <param name="Target">A target that gives bearer tokens.</param>
/// <param name="Address">Scheme and host, and perhaps a path, below which all repositories are meant.</param>
/// <param name="User">The user name beside the token. Servers ignore it, or know tokens by it.</param>
internal sealed record GitHost(string Target, Uri Address, string User)
{
    public const string Example = "code=https://git.example";

    // GitHub's; GitLab and Azure DevOps take any.
    private const string CommonUser = "x-access-token";

    /// <exception cref="UsageException">It has another form.</exception>
    public static GitHost Read(NamedValue value) => value.Parts switch
    {
        [var address] => new GitHost(value.Target, value.AddressOf(address, Example), CommonUser),
        [var address, var user] when UserNames.IsPlain(user) => new GitHost(value.Target, value.AddressOf(address, Example), user),
        _ => throw value.Wrong($"{Example},oauth2"),
    };
}
