using Azure.Core;
using Azure.Security.KeyVault.Secrets;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Configuration;
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
            .Identity("job", IdentitySources.GitHubActions())   // or AzureWorkloadIdentity(), OidcFile(path), ManagedIdentity(AzureManagedIdentityId.FromClientId(id))
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
            .Target("orders-api", Targets.Entra(tenantId, clientId), target =>
            {
                target.Identity = "machine";
                target.Scopes = ScopeSet.Of("api://orders/.default");
                target.AllowedOrigins.Add(new Uri("https://orders.example"));
            })
            // Used directly: the platform's token is the credential. Nothing can end it before its time.
            .Target("lake", Targets.ManagedIdentity("https://storage.azure.com"), target =>
            {
                target.Identity = "machine";
                target.AllowedOrigins.Add(new Uri("https://lake.blob.core.windows.net"));
            }));
        using var orders = new HttpClient(job.CreateHandler("orders-api"));
        var blobs = new BlobServiceClient(Lake, new BlobClientOptions().AddCredential(job.Provider<BearerToken>("lake")));
        #endregion
        await blobs.GetPropertiesAsync();
    }

    public static async Task WorkloadIdentityAsync()
    {
        #region workload-identity
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("pod", IdentitySources.AzureWorkloadIdentity())
            .Target("lake", Targets.EntraWorkloadIdentity(), target =>
            {
                target.Identity = "pod";
                target.Scopes = ScopeSet.Of("https://storage.azure.com/.default");
                target.AllowedOrigins.Add(new Uri("https://lake.blob.core.windows.net"));
            }));
        var blobs = new BlobServiceClient(Lake, new BlobClientOptions().AddCredential(job.Provider<BearerToken>("lake")));
        #endregion
        await blobs.GetPropertiesAsync();
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

    public static async Task DatabricksAsync(string tenantId, string clientId)
    {
        #region databricks
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.GitHubActions())
            .Target("warehouse", Targets.Entra(tenantId, clientId), target =>
            {
                target.Identity = "job";
                target.Scopes = ScopeSet.Of("2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default");   // Azure Databricks, in every tenant
                target.AllowedOrigins.Add(new Uri("https://adb-1234567890123456.7.azuredatabricks.net"));
            }));
        using var workspace = new HttpClient(job.CreateHandler("warehouse"));
        #endregion
        await workspace.GetStringAsync(new Uri("https://adb-1234567890123456.7.azuredatabricks.net/api/2.0/sql/warehouses"));
    }

    public static async Task VaultAsync(string identity)
    {
        #region vault
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("machine", IdentitySources.ManagedIdentity(AzureManagedIdentityId.FromClientId(identity)))
            .Target("vault", Targets.ManagedIdentity("https://vault.azure.net"), target =>
            {
                target.Identity = "machine";
                target.AllowedOrigins.Add(new Uri("https://orders.vault.azure.net"));
            }));
        var secrets = new SecretClient(new Uri("https://orders.vault.azure.net"), job.Provider<BearerToken>("vault").AsTokenCredential("https://vault.azure.net/.default"));
        #endregion
        await secrets.GetSecretAsync("partner-key");
    }

    public static async Task SettingsAsync(IConfigurationSection section)
    {
        #region settings
        await using JobSession job = await JobSession.StartAsync(b => b.Azure().Configuration(section));
        #endregion
        await job.CompleteAsync();
    }

    public static async Task<BearerToken> SettleAsync(CredentialProvider<BearerToken> lake, TimeProvider time, CancellationToken cancellationToken)
    {
        #region settle
        // Right after the trust was made. Ends by itself: after the budget the same refusal is NHI4014, which is final.
        while (true)
        {
            try
            {
                return await lake.GetAsync(cancellationToken);
            }
            catch (TokenExchangeException refused) when (refused.Code == "NHI4015")
            {
                await Task.Delay(refused.RetryAfter ?? TimeSpan.FromSeconds(10), time, cancellationToken);
            }
        }
        #endregion
    }

    public static BlobServiceClient OnALaptop(TokenCredential cli)
    {
        #region laptop
        CredentialProvider<BearerToken> lake = CredentialProvider.From("lake", async cancellationToken =>
        {
            AccessToken mine = await cli.GetTokenAsync(new TokenRequestContext(["https://storage.azure.com/.default"]), cancellationToken);
            return new BearerToken(mine.Token, mine.ExpiresOn);
        });
        var blobs = new BlobServiceClient(Lake, new BlobClientOptions().AddCredential(lake, Lake));   // the origin is named here: no target does
        #endregion
        return blobs;
    }

    public static async Task PackageAsync(string tenantId, string clientId, string identity)
    {
        #region package
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("machine", IdentitySources.ManagedIdentity(AzureManagedIdentityId.FromClientId(identity)))   // user-assigned: no other can be a proof
            .Target("lake", Targets.Entra(tenantId, clientId), target =>
            {
                target.Identity = "machine";
                target.Scopes = ScopeSet.Of("https://storage.azure.com/.default");
                target.AllowedOrigins.Add(new Uri("https://lake.blob.core.windows.net"));
            }));
        var blobs = new BlobServiceClient(new Uri("https://lake.blob.core.windows.net"), new BlobClientOptions().AddCredential(job.Provider<BearerToken>("lake")));
        #endregion
        await blobs.GetPropertiesAsync();
    }
}
