using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Azure's clients in a process of their own, whose environment the test makes.</summary>
internal static class ChildAzure
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    private static readonly string Program = typeof(ChildAzure).Assembly.Location.Replace("Nhi.TokenExchange.Interop.Tests", "Nhi.TokenExchange.ChildAzure", StringComparison.Ordinal);

    // What a machine in Azure, or a developer's, has set of its own.
    internal static readonly string[] Signposts =
        ["IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET", "AZURE_POD_IDENTITY_AUTHORITY_HOST", "DEFAULT_IDENTITY_CLIENT_ID"];

    /// <returns>What the program prints: a JSON object.</returns>
    public static async Task<JsonNode> RunAsync(IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string name in Signposts)
            start.Environment.Remove(name);
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        using Process child = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            Task<string> errors = child.StandardError.ReadToEndAsync(deadline.Token);
            string said = await child.StandardOutput.ReadToEndAsync(deadline.Token);
            await child.WaitForExitAsync(deadline.Token);
            Assert.That(child.ExitCode, Is.Zero, await errors);
            return JsonNode.Parse(said)!;
        }
        finally
        {
            if (!child.HasExited)
                child.Kill(entireProcessTree: true);
        }
    }
}
