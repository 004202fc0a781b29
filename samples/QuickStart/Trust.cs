using Nhi.TokenExchange;

namespace QuickStart;

/// <summary>What administrators set up once: which proofs are believed, and for what. Nothing in here is secret.</summary>
internal sealed record Trust(string ServicePrincipalId, string Folder) : IDisposable
{
    public const string ClientId = "orders-nightly";
    public const string ReportClientId = "orders-report";
    public const string VaultRole = "orders-nightly";
    public const string VaultPath = "database/creds/readonly";
    public const string Subject = "system:serviceaccount:jobs:orders-nightly";

    /// <summary>Where the job finds its proof for the authorization server.</summary>
    public string Proof => Path.Combine(Folder, "proof");

    /// <summary>Where the policy of the reporting job is.</summary>
    public string PolicyFile => Path.Combine(Folder, "nhi.policy.json");

    /// <summary>Where the first job records what it does.</summary>
    public string AuditFolder => Path.Combine(Folder, "audit");

    public string WorkspaceProof => Path.Combine(Folder, "workspace-proof");

    public static Trust SetUpOnce(IdentityEmulator emulator)
    {
        RegisteredClient client = emulator.Authorization.AddClient(ClientId, Subject, "dataset:orders");
        client.TokenLifetime = TimeSpan.FromSeconds(7);   // so that a refresh is seen within seconds
        emulator.Authorization.AddClient(ReportClientId, Subject, "dataset:orders", "dataset:customers");
        var trust = new Trust(ServicePrincipalId: Guid.NewGuid().ToString(), Directory.CreateTempSubdirectory("nhi-quick-start-").FullName);
        emulator.Databricks.AddServicePrincipal(trust.ServicePrincipalId, Subject, "sql");
        emulator.Vault.AddRole(VaultRole, Subject);
        emulator.Vault.AddSecret(VaultPath);

        // What Kubernetes does for each pod: a short-lived proof for each audience, in a file that is mounted.
        JobIdentity pod = emulator.JobIdentity(ProofShape.Kubernetes, Subject);
        pod.WriteProofFile(trust.Proof, emulator.Authorization.Issuer.OriginalString);
        pod.WriteProofFile(trust.WorkspaceProof, emulator.Databricks.TokenEndpoint.OriginalString);
        pod.WriteProofFile(KilledRun.ProofIn(trust.Folder), emulator.Vault.Address.GetLeftPart(UriPartial.Authority));
        return trust;
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

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
