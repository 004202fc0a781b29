using System.Text.Json.Nodes;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;

namespace Nhi.TokenExchange;

/// <summary>Jobs of ours in Azure: every managed identity host, Entra ID, and Azure.Storage.Blobs against the emulator's store and against Azurite.</summary>
internal sealed class AzureJobTests
{
    private static readonly ManagedIdentityHost[] Hosts = [ManagedIdentityHost.Imds, ManagedIdentityHost.AppService, ManagedIdentityHost.AzureArc, ManagedIdentityHost.MachineLearning];

    [TestCaseSource(nameof(Hosts))]
    public async Task A_managed_identity_is_found_at_its_host_and_no_cache_stands_before_it(ManagedIdentityHost host)
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        using ArcFolder? arc = ArcFolder.For(host, emulator);
        emulator.ManagedIdentity.CachesTokens = false;

        JsonNode answer = await ChildAzure.RunAsync(emulator.ManagedIdentity.EnvironmentOf(host), "ours", emulator.AzureResource.Resource);

        Assert.That(emulator.Ledger.Issued, Has.Count.EqualTo(2));   // MSAL has one cache for the process: the second job would have had the first one's
        Assert.That((string?)answer["fingerprint"], Is.EqualTo(emulator.Ledger.Issued[^1].Fingerprint), answer.ToJsonString());
        Assert.That(emulator.Ledger.Issued.Select(issued => issued.Subject), Is.All.EqualTo(emulator.ManagedIdentity.SystemAssigned.ObjectId));
    }

    [Test]
    public async Task A_user_assigned_identity_is_meant_by_its_client_id()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        ManagedIdentity orders = emulator.ManagedIdentity.AddUserAssigned("orders");

        JsonNode answer = await ChildAzure.RunAsync(emulator.ManagedIdentity.EnvironmentOf(ManagedIdentityHost.Imds), "ours", emulator.AzureResource.Resource, orders.ClientId);

        Assert.That((string?)answer["fingerprint"], Is.EqualTo(emulator.Ledger.Issued[^1].Fingerprint), answer.ToJsonString());
        Assert.That(emulator.Ledger.Issued[^1].Subject, Is.EqualTo(orders.ObjectId));
    }

    [Test]
    public async Task The_identity_of_a_person_in_the_Cloud_Shell_is_refused_without_asking()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();

        JsonNode answer = await ChildAzure.RunAsync(emulator.ManagedIdentity.EnvironmentOf(ManagedIdentityHost.CloudShell), "ours", emulator.AzureResource.Resource);

        Assert.That((string?)answer["message"], Does.Contain("NHI2006"));
        Assert.That(emulator.Ledger.Issued, Is.Empty);
    }

    [Test]
    public async Task A_blob_is_written_and_read_by_policy_and_a_refused_token_is_rejected_and_replaced()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        await using JobSession job = await StartAsync(emulator, emulator.AzureResource.Resource, new Uri(emulator.AzureResource.Address, "/"));
        BlobContainerClient container = Container(job, new Uri(emulator.AzureResource.Address, "orders"), emulator.CreateHandler(), byPolicy: true, emulator.AzureResource.Resource);

        string written = await RoundTripAsync(container);
        emulator.AzureResource.Revoke(emulator.Ledger.Issued.Single().Fingerprint);
        string afterwards = await RoundTripAsync(container);

        Assert.That((written, afterwards), Is.EqualTo(("1;217.64", "1;217.64")));
        Assert.That(emulator.Ledger.Issued, Has.Count.EqualTo(2));
    }

    // What the table in docs/azure/clients.md says of AsTokenCredential: on a 401 the client comes again with what we hold, and nothing here hears of the refusal.
    [Test]
    public async Task A_blob_is_written_and_read_by_token_credential_and_a_refused_token_stays_refused()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        await using JobSession job = await StartAsync(emulator, emulator.AzureResource.Resource, new Uri(emulator.AzureResource.Address, "/"));
        BlobContainerClient container = Container(job, new Uri(emulator.AzureResource.Address, "orders"), emulator.CreateHandler(), byPolicy: false, emulator.AzureResource.Resource);

        string written = await RoundTripAsync(container);
        emulator.AzureResource.Revoke(emulator.Ledger.Issued.Single().Fingerprint);

        Assert.That(written, Is.EqualTo("1;217.64"));
        Assert.That(() => RoundTripAsync(container), Throws.TypeOf<Azure.RequestFailedException>().With.Property("Status").EqualTo(401));
        Assert.That(emulator.Ledger.Issued, Has.Count.EqualTo(1));
        Assert.That(emulator.Ledger.Uses[^1].Verdict, Is.EqualTo(UseVerdict.Revoked));
    }

    [Test]
    public async Task A_blob_is_written_to_Azurite_and_read_over_HTTPS_and_OAuth([Values] bool byPolicy, [Values] bool sync)
    {
        await using AzuriteServer azurite = await AzuriteServer.StartAsync();
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        await using JobSession job = await StartAsync(emulator, "https://storage.azure.com", azurite.Origin);
        BlobContainerClient container = Container(job, new Uri($"{azurite.Account}/orders"), azurite.CreateHandler(), byPolicy, "https://storage.azure.com");

        string read;
        if (sync)
        {
            container.Create();
            read = RoundTrip(container);
        }
        else
        {
            await container.CreateAsync();
            read = await RoundTripAsync(container);
        }

        Assert.That(read, Is.EqualTo("1;217.64"));
        Assert.That(emulator.Ledger.Issued, Has.Count.EqualTo(1));
    }

    private static Task<JobSession> StartAsync(IdentityEmulator emulator, string resource, Uri origin)
    {
        JobIdentity github = emulator.JobIdentity(ProofShape.GitHub);
        EntraApplication application = emulator.Entra.AddApplication().Trust(github);
        return JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(github.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("lake", Targets.Entra(emulator.Entra.TenantId, application.ClientId, o => o.AuthorityHost = emulator.Entra.Authority), target =>
            {
                target.Identity = "job";
                target.Scopes = ScopeSet.Of($"{resource}/.default");
                target.AllowedOrigins.Add(origin);
            })
            .TrustRoots([emulator.Certificate]).EndOnSignals(false));
    }

    private static BlobContainerClient Container(JobSession job, Uri address, HttpMessageHandler wire, bool byPolicy, string resource)
    {
        CredentialProvider<BearerToken> lake = job.Provider<BearerToken>("lake");
        var options = new BlobClientOptions { Transport = new HttpClientTransport(wire), Audience = new Azure.Storage.Blobs.Models.BlobAudience(resource), Retry = { MaxRetries = 0 } };
        return byPolicy ? new BlobContainerClient(address, options.AddCredential(lake)) : new BlobContainerClient(address, lake.AsTokenCredential(), options);
    }

    private static async Task<string> RoundTripAsync(BlobContainerClient container)
    {
        BlobClient blob = container.GetBlobClient("2026/01/01.csv");
        await blob.UploadAsync(BinaryData.FromString("1;217.64"), overwrite: true);
        return (await blob.DownloadContentAsync()).Value.Content.ToString();
    }

    private static string RoundTrip(BlobContainerClient container)
    {
        BlobClient blob = container.GetBlobClient("2026/01/01.csv");
        blob.Upload(BinaryData.FromString("1;217.64"), overwrite: true);
        return blob.DownloadContent().Value.Content.ToString();
    }
}
