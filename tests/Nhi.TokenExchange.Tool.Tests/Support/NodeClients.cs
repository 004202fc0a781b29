using System.Text.Json.Nodes;
using Nhi.TokenExchange.Tests;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>Clients of npm under <c>nhi exec</c>, and once more in the same environment when the job is over.</summary>
internal static class NodeClients
{
    private static readonly string Folder = Path.Combine(Repository.Root, "tests/Nhi.TokenExchange.Interop.Tests/node");

    /// <param name="job">The job; its settings are written.</param>
    /// <param name="package">The package that the client is in.</param>
    /// <param name="options">Which targets it may have, and how.</param>
    /// <param name="client">The client in <c>exec.mjs</c>, and its arguments.</param>
    /// <param name="variables">Of the environment of nhi.</param>
    /// <returns>What it said within the job, and what after it.</returns>
    public static async Task<(JsonObject Within, JsonObject After)> RunAsync(DoctoredJob job, string package, string[] options, string[] client, IReadOnlyDictionary<string, string>? variables = null)
    {
        RequireInstalled(package);
        (ToolRun within, int code, string after) = await ExecClients.RunAsync(job, options, ["node", Path.Combine(Folder, "exec.mjs"), .. client], variables);
        Assert.That(within.ExitCode, Is.Zero, within.All);
        Assert.That(within.Error, Does.Not.Contain("eyJ"));
        Assert.That(code, Is.EqualTo(1), $"after the job nobody gets anything\n{after}");
        return (Last(within.Output), Last(after));
    }

    // Some clients warn of old versions of Node before.
    private static JsonObject Last(string said) => (JsonObject)JsonNode.Parse(said.Split('\n').Last(line => line.StartsWith('{')))!;

    // A skip that nobody reads proves nothing: under CI it is a failure.
    private static void RequireInstalled(string package)
    {
        if (Directory.Exists(Path.Combine([Folder, "node_modules", .. package.Split('/')])))
            return;
        string missing = $"{package} is not installed; run: npm ci --ignore-scripts --prefix tests/Nhi.TokenExchange.Interop.Tests/node";
        if (Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail($"Under CI nothing is skipped: {missing}.");
        Assert.Ignore($"Skipped: {missing}.");
    }
}
