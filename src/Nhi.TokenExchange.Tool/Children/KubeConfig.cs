using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Tokens as kubectl finds them: a kubeconfig with a context for each cluster, whose user is an exec plugin. Page: "client-go credential plugins".</summary>
internal static class KubeConfig
{
    private const string ApiVersion = "client.authentication.k8s.io/v1";

    // Set by kubectl and by client libraries.
    private const string Asked = "KUBERNETES_EXEC_INFO";

    /// <summary>Writes the file, and sets the variable that leads to it. JSON is YAML.</summary>
    public static void Apply(HelperFolder folder, IReadOnlyList<KubeCluster> clusters, IDictionary<string, string?> environment)
    {
        if (clusters.Count == 0)
            return;
        var file = new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "Config", ["current-context"] = clusters[0].Target,
            ["clusters"] = Named(clusters, "cluster", one => one.Authority is null ? new JsonObject { ["server"] = Server(one) } : new JsonObject { ["server"] = Server(one), ["certificate-authority"] = one.Authority }),
            ["users"] = Named(clusters, "user", one => new JsonObject { ["exec"] = Exec(one) }),
            ["contexts"] = Named(clusters, "context", one => new JsonObject { ["cluster"] = one.Target, ["user"] = one.Target }),
        };
        environment["KUBECONFIG"] = folder.Write("kubeconfig", file.ToJsonString());
    }

    /// <summary>Answers one call of kubectl.</summary>
    /// <exception cref="HelperRefusal">There is none, or another version is asked for.</exception>
    public static async Task<string> AnswerAsync(BrokerConnection broker, string target, CancellationToken cancellationToken)
    {
        if (AskedVersion() is { } asked && asked != ApiVersion)
            throw new HelperRefusal($"{Asked} asks for {ExceptionText.Clean(asked)}; the plugin speaks {ApiVersion}.");
        JsonObject got = await broker.TokenAsync(target, cancellationToken).ConfigureAwait(false);
        DateTimeOffset expires = TimeProvider.System.GetUtcNow().AddSeconds((long)got["expires_in"]!);
        return new JsonObject
        {
            ["apiVersion"] = ApiVersion, ["kind"] = "ExecCredential",
            ["status"] = new JsonObject { ["expirationTimestamp"] = expires.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture), ["token"] = (string?)got["access_token"] },
        }.ToJsonString();
    }

    private static string? AskedVersion()
    {
        try
        {
            return Environment.GetEnvironmentVariable(Asked) is { Length: > 0 } text ? (string?)JsonNode.Parse(text)?["apiVersion"] : null;
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            throw new HelperRefusal($"{Asked} is no ExecCredential.");
        }
    }

    private static string Server(KubeCluster cluster) => cluster.Server.AbsoluteUri.TrimEnd('/');

    private static JsonObject Exec(KubeCluster cluster)
    {
        string[] words = OwnCommand.Words;
        return new JsonObject
        {
            ["apiVersion"] = ApiVersion, ["command"] = words[0], ["args"] = new JsonArray([.. words[1..].Concat(["helper", "kubectl", cluster.Target]).Select(word => (JsonNode)word)]), ["interactiveMode"] = "Never",
        };
    }

    private static JsonArray Named(IReadOnlyList<KubeCluster> clusters, string what, Func<KubeCluster, JsonObject> make) => new([.. clusters.Select(one => new JsonObject { ["name"] = one.Target, [what] = make(one) })]);
}
