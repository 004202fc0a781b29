using System.Runtime.InteropServices;

namespace Nhi.TokenExchange;

/// <summary>Where the tool runs, and what of that a credential may leak by or fail for.</summary>
internal static class RuntimeLook
{
    // By variables that the platforms document; nothing is asked over the network.
    private static readonly (string Variable, string Place, string Source)[] Places =
    [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "GitHub Actions with id-token: write", "GitHubActions"),
        ("GITHUB_ACTIONS", "GitHub Actions without id-token: write", "GitHubActions, once the workflow has permissions: id-token: write"),
        ("GITLAB_CI", "GitLab CI", "OidcEnvironmentVariable, with id_tokens in .gitlab-ci.yml"),
        ("SYSTEM_OIDCREQUESTURI", "Azure DevOps", "OidcEnvironmentVariable, with idToken of AzureCLI@2 (addSpnToEnvironment)"),
        ("AZURE_FEDERATED_TOKEN_FILE", "Kubernetes with Azure workload identity", "AzureWorkloadIdentity"),
        ("IDENTITY_ENDPOINT", "an Azure host with a managed identity", "ManagedIdentity"),
        ("KUBERNETES_SERVICE_HOST", "Kubernetes", "OidcFile, with a projected service account token"),
    ];

    public static IEnumerable<StageResult> Take()
    {
        (string Variable, string Place, string Source) here = Places.FirstOrDefault(place => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(place.Variable)));
        yield return StageResult.Ok(Stage.Runtime, $"{RuntimeInformation.FrameworkDescription} on {RuntimeInformation.RuntimeIdentifier}; {(here.Place is null ? "no platform is known by its variables" : $"{here.Place} (variable {here.Variable}): the source for it is {here.Source}")}");
        if (Environment.GetEnvironmentVariable("DOTNET_EnableDiagnostics") is null or "1" && Environment.GetEnvironmentVariable("DOTNET_DiagnosticPorts") is { Length: > 0 })
            yield return StageResult.Warning(Stage.Runtime, "DOTNET_DiagnosticPorts opens the runtime's diagnostics to another process, which can read every request.", "Take it out, or set DOTNET_EnableDiagnostics=0.");
        if (Environment.GetEnvironmentVariable("DOTNET_DbgEnableMiniDump") is "1" || IsDumping())
            yield return StageResult.Warning(Stage.Runtime, "A crash writes a dump of the memory, and with it what the job holds.", "Set the limit of core files to 0 (ulimit -c 0), and take DOTNET_DbgEnableMiniDump out.");
    }

    private static bool IsDumping()
    {
        const string Limits = "/proc/self/limits";
        try
        {
            // "Max core file size         0                    unlimited            bytes": the soft limit comes first
            string? line = File.Exists(Limits) ? File.ReadLines(Limits).FirstOrDefault(one => one.StartsWith("Max core file size", StringComparison.Ordinal)) : null;
            return line is not null && line["Max core file size".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is not ["0", ..];
        }
        catch (IOException)
        {
            return false;   // no such file system here: nothing is known
        }
    }
}
