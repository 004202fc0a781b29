using System.CommandLine;

namespace Nhi.TokenExchange;

/// <summary>The options of <c>nhi exec</c> that name targets: one for each way in which programs get credentials.</summary>
internal static class ExecOptions
{
    public static Option<string[]> Target { get; } = Many("--target", "A target that the program may have, by OAuth token exchange; or, of AWS credentials, as those of a container. May come more than once.", "-t");

    public static Option<bool> Loopback { get; } = new("--loopback") { Description = "Listens on 127.0.0.1 for OAuth, too: for programs that know no Unix sockets." };

    public static Option<string[]> AwsProfile { get; } = Many("--aws-profile", "A target of AWS credentials that the program may have as a profile of that name, over a Unix socket (credential_process). May come more than once; the first is the default.");

    public static Option<string[]> Azure { get; } = Many("--azure", "target=resource[,client-id]: a target that the program may have as a managed identity of Azure. May come more than once.");

    public static Option<string?> Google { get; } = new("--google") { Description = "target=email,project: the target that the program may have as the default service account of Google Cloud." };

    public static Option<string?> GoogleAdc { get; } = new("--google-adc") { Description = "target[=project]: the target that the program may have as the application default credentials of Google Cloud (an executable source)." };

    public static Option<string[]> Psql { get; } = Many("--psql", "A target of database logins that the program may have as a service of PostgreSQL of that name. May come more than once; the first is the default.");

    public static Option<string[]> Git { get; } = Many("--git", "target=https://host[/path][,user]: a target that git may have for that address. May come more than once.");

    public static Option<string[]> Docker { get; } = Many("--docker", "target=registry[,user]: a target that docker may have for that registry. May come more than once.");

    public static Option<string[]> Kubectl { get; } = Many("--kubectl", "target=https://server[,authority.pem]: a target that kubectl may have for that cluster, as a context of the target's name. May come more than once; the first is the current one.");

    public static void AddTo(Command command)
    {
        foreach (Option option in (Option[])[Target, Loopback, AwsProfile, Azure, Google, GoogleAdc, Psql, Git, Docker, Kubectl])
            command.Options.Add(option);
    }

    private static Option<string[]> Many(string name, string description, params string[] aliases) => new(name, aliases) { Description = description, DefaultValueFactory = _ => [] };
}
