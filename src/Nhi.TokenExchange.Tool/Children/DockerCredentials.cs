using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Tokens as docker finds them: a configuration that names a credential helper for each registry, and that helper on the path. Page: docker-credential-helpers, "Usage".</summary>
internal static class DockerCredentials
{
    // The one text by which docker knows that there is none, and goes on without.
    private const string NotFound = "credentials not found in native keychain";

    // What stands behind docker-credential- in its name.
    private const string Name = "nhi";
    private const string Registries = "NHI_DOCKER_REGISTRIES";

    /// <summary>Writes the configuration and the helper, and sets the variables that lead there.</summary>
    /// <param name="folder">Of the configuration.</param>
    /// <param name="programs">A folder whose files may be run.</param>
    /// <param name="registries">The registries; may be none.</param>
    /// <param name="environment">The environment of the child.</param>
    public static void Apply(HelperFolder folder, HelperFolder? programs, IReadOnlyList<DockerRegistry> registries, IDictionary<string, string?> environment)
    {
        if (registries.Count == 0)
            return;
        var helpers = new JsonObject(registries.Select(one => KeyValuePair.Create<string, JsonNode?>(one.Host, Name)));
        folder.Write("config.json", new JsonObject { ["credHelpers"] = helpers }.ToJsonString());
        programs!.WriteProgram($"docker-credential-{Name}", [.. OwnCommand.Words, "helper", "docker"]);
        environment["DOCKER_CONFIG"] = folder.Path;
        environment["PATH"] = environment.TryGetValue("PATH", out string? path) && path is { Length: > 0 } ? $"{programs.Path}{Path.PathSeparator}{path}" : programs.Path;
        environment[Registries] = string.Join(' ', registries.Select(one => $"{one.Target}={one.Host},{one.User}"));
        environment.Remove("DOCKER_AUTH_CONFIG");   // it would go before the file
    }

    /// <summary>Answers one call of docker.</summary>
    /// <param name="connect">Finds the broker.</param>
    /// <param name="operation"><c>get</c>, <c>list</c>, <c>version</c>; <c>store</c> and <c>erase</c>, of which nothing is done.</param>
    /// <param name="input">The registry.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="HelperRefusal">There is none.</exception>
    public static async Task<string> AnswerAsync(Func<BrokerConnection> connect, string operation, TextReader input, CancellationToken cancellationToken)
    {
        DockerRegistry[] registries = [.. (Environment.GetEnvironmentVariable(Registries) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(one => DockerRegistry.Read(NamedValue.Read("--docker", one, DockerRegistry.Example)))];
        switch (operation)
        {
            case "get":
                string asked = (await input.ReadToEndAsync(cancellationToken).ConfigureAwait(false)).Trim();
                if (asked.Length == 0)
                    throw new HelperRefusal("no credentials server URL");
                DockerRegistry registry = registries.FirstOrDefault(one => one.BareHost == DockerRegistry.Bare(asked)) ?? throw new HelperRefusal(NotFound);
                using (BrokerConnection broker = connect())
                {
                    JsonObject got = await broker.TokenAsync(registry.Target, cancellationToken).ConfigureAwait(false);
                    return new JsonObject { ["ServerURL"] = asked, ["Username"] = registry.User, ["Secret"] = (string?)got["access_token"] }.ToJsonString();
                }
            case "list":
                return new JsonObject(registries.Select(one => KeyValuePair.Create<string, JsonNode?>(one.Host, one.User))).ToJsonString();
            case "version":
                return $"docker-credential-{Name} {typeof(DockerCredentials).Assembly.GetName().Version?.ToString(3)}";
            case "store":
                throw new HelperRefusal("nothing is stored: what docker gets here is issued when it asks. Log in outside of nhi exec.");
            default:
                return "";   // erase: there is nothing to be forgotten
        }
    }
}
