using Azure.Core;
using Azure.Storage.Blobs;
using Nhi.TokenExchange;

namespace AzureReadMe;

/// <summary>The code of docs/azure, compiled.</summary>
internal static class After
{
    private static readonly Uri Lake = new("https://lake.blob.core.windows.net");

    public static async Task FromGitHubAsync(string tenantId, string clientId)
    {
        #region after
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.GitHubActions())   // or ManagedIdentity(), AzureWorkloadIdentity(), OidcFile(path)
            .Target("lake", Targets.Entra(tenantId, clientId), target =>
            {
                target.Identity = "job";
                target.Scopes = ScopeSet.Of("https://storage.azure.com/.default");
                target.AllowedOrigins.Add(new Uri("https://lake.blob.core.windows.net"));
            }));
        var blobs = new BlobServiceClient(Lake, new BlobClientOptions().AddCredential(job.Provider<BearerToken>("lake")));
        #endregion
        await blobs.GetPropertiesAsync();
    }

    public static async Task ManagedIdentityAsync(string tenantId, string clientId, string identity)
    {
        #region managed-identity
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("machine", IdentitySources.ManagedIdentity(AzureManagedIdentityId.FromClientId(identity)))
            // As a proof: exchanged for an application's token, in this tenant or another.
            .Target("orders-api", Targets.Entra(tenantId, clientId), identity: "machine", "api://orders/.default")
            // Used directly: the platform's token is the credential. Nothing can end it before its time.
            .Target("vault", Targets.ManagedIdentity("https://vault.azure.net"), identity: "machine"));
        #endregion
        await job.Provider<BearerToken>("vault").GetAsync();
    }

    public static async Task WorkloadIdentityAsync()
    {
        #region workload-identity
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("pod", IdentitySources.AzureWorkloadIdentity())
            .Target("lake", Targets.EntraWorkloadIdentity(), identity: "pod", "https://storage.azure.com/.default"));
        #endregion
        await job.Provider<BearerToken>("lake").GetAsync();
    }

    public static void Clients(JobSession job)
    {
        CredentialProvider<BearerToken> lake = job.Provider<BearerToken>("lake");
        #region clients
        var asks = new BlobServiceClient(Lake, new BlobClientOptions().AddCredential(lake));   // asks for each request, rejects on 401
        var keeps = new BlobServiceClient(Lake, lake.AsTokenCredential());                     // where a client insists: it keeps a copy
        #endregion
        _ = (asks, keeps);
    }

    public static async Task DevelopmentAsync(TokenCredential cli)
    {
        #region development
        await using JobSession job = await JobSession.StartAsync(b => b
            .Job(new JobContext { Pipeline = "orders-nightly", Environment = "Development" })
            .Identity("me", IdentitySources.From(cli, allowPersonInDevelopment: true), ActsFor.PersonInDevelopment)
            .Target("warehouse", Targets.Databricks(new Uri("https://workspace.example")), identity: "me", "sql"));
        #endregion
        await job.CompleteAsync();
    }
}
