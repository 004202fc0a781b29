using Nhi.TokenExchange;

namespace QuickStart;

/// <summary>What administrators set up once: which proofs are believed, and for what. Nothing in here is secret.</summary>
internal sealed record Trust(string ServicePrincipalId)
{
    public const string ClientId = "orders-nightly";

    private const string Subject = "repo:octo@1001/orders@2002:ref:refs/heads/main";

    public static Trust SetUpOnce(IdentityEmulator emulator)
    {
        RegisteredClient client = emulator.Authorization.AddClient(ClientId, Subject, "dataset:orders");
        client.TokenLifetime = TimeSpan.FromSeconds(7);   // so that a refresh is seen within seconds
        string servicePrincipal = Guid.NewGuid().ToString();
        emulator.Databricks.AddServicePrincipal(servicePrincipal, Subject, "sql");

        // What the runner of a CI system gives to each run of a job.
        JobIdentity run = emulator.JobIdentity(ProofShape.GitHubImmutable, Subject);
        Environment.SetEnvironmentVariable("ACTIONS_ID_TOKEN_REQUEST_URL", run.RequestUrl.ToString());
        Environment.SetEnvironmentVariable("ACTIONS_ID_TOKEN_REQUEST_TOKEN", run.RequestToken);
        return new Trust(servicePrincipal);
    }

    /// <summary>Settings as they are found in the wild, with a secret made up on the spot.</summary>
    public static Dictionary<string, string?> SettingsWithASecret() => new()
    {
        ["TokenExchange:Identities:job:Source"] = "GitHubActions",
        ["TokenExchange:Targets:warehouse:Identity"] = "job",
        ["TokenExchange:Targets:warehouse:Exchange"] = "Databricks",
        ["TokenExchange:Targets:warehouse:Host"] = "https://workspace.example",
        ["TokenExchange:Targets:warehouse:ClientSecret"] = Guid.NewGuid().ToString("N"),
    };
}
