using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Nhi.TokenExchange;

namespace AzureReadMe;

/// <summary>The code of the emulator's README, compiled; its tests run it.</summary>
internal static class Emulated
{
    public static async Task<LedgerIssue> ByHandAsync(TimeProvider clock, Func<Uri, string, Task> exchangeAsync)
    {
        #region by-hand
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.Time = clock);
        JobIdentity job = emulator.JobIdentity(ProofShape.GitHub);
        emulator.Authorization.AddClient("job", job.Subject, "dataset:orders");
        string proof = job.Mint(emulator.Authorization.Issuer.OriginalString);
        await exchangeAsync(emulator.Authorization.TokenEndpoint, proof);   // what is to be tested; then call emulator.Warehouse.Address with what you got
        LedgerIssue issued = emulator.Ledger.Issued.Single();
        #endregion
        return issued;
    }

    public static async Task<AccessToken> UnmodifiedAsync(IdentityEmulator emulator)
    {
        #region unmodified
        JobIdentity job = emulator.JobIdentity(ProofShape.GitHub);
        EntraApplication application = emulator.Entra.AddApplication().Trust(job);
        var credential = new ClientAssertionCredential(emulator.Entra.TenantId, application.ClientId,
            _ => Task.FromResult(job.Mint("api://AzureADTokenExchange")),
            new ClientAssertionCredentialOptions { Transport = new HttpClientTransport(emulator.CreateHandler()) });
        #endregion
        return await credential.GetTokenAsync(new TokenRequestContext([$"{emulator.AzureResource.Resource}/.default"]), CancellationToken.None);
    }

    public static async Task<IReadOnlyList<LedgerUse>> TestYourJobAsync()
    {
        #region test-your-job
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        JobIdentity github = emulator.JobIdentity(ProofShape.GitHub);
        EntraApplication application = emulator.Entra.AddApplication().Trust(github);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(github.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("lake", Targets.Entra(emulator.Entra.TenantId, application.ClientId, o => o.AuthorityHost = emulator.Entra.Authority), target =>
            {
                target.Identity = "job";
                target.Scopes = ScopeSet.Of($"{emulator.AzureResource.Resource}/.default");
                target.AllowedOrigins.Add(new Uri(emulator.AzureResource.Address, "/"));
            })
            .TrustRoots([emulator.Certificate]).EndOnSignals(false));
        var options = new BlobClientOptions { Transport = new HttpClientTransport(emulator.CreateHandler()), Audience = new BlobAudience(emulator.AzureResource.Resource) };
        var orders = new BlobContainerClient(new Uri(emulator.AzureResource.Address, "orders"), options.AddCredential(job.Provider<BearerToken>("lake")));
        await orders.CreateIfNotExistsAsync();
        // emulator.Ledger.Issued and .Uses say what happened; emulator.Faults plans what goes wrong.
        #endregion
        return emulator.Ledger.Uses;
    }
}
