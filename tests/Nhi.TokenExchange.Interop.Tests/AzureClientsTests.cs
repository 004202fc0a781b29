using System.Text.Json.Nodes;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange;

/// <summary>The emulator of Entra ID, seen by Azure's clients as they are published, over HTTPS.</summary>
internal sealed class AzureClientsTests
{
    private static async Task<(IdentityEmulator Emulator, JobIdentity Job, EntraApplication Application)> StartAsync()
    {
        IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        JobIdentity job = emulator.JobIdentity(ProofShape.GitHub);
        return (emulator, job, emulator.Entra.AddApplication().Trust(job));
    }

    // The public authority goes through instance discovery; the emulator's own address does not, as with any private cloud.
    [TestCase(true)]
    [TestCase(false)]
    public async Task ClientAssertionCredential_gets_a_token(bool byPublicName)
    {
        (IdentityEmulator emulator, JobIdentity job, EntraApplication application) = await StartAsync();
        await using IdentityEmulator _ = emulator;
        var credential = new ClientAssertionCredential(
            emulator.Entra.TenantId, application.ClientId, _ => Task.FromResult(job.Mint(emulator.Entra.ExchangeAudience)),
            new ClientAssertionCredentialOptions
            {
                AuthorityHost = byPublicName ? AzureAuthorityHosts.AzurePublicCloud : emulator.Entra.Authority,
                DisableInstanceDiscovery = !byPublicName,
                Transport = new HttpClientTransport(emulator.CreateHandler()),
            });

        AccessToken token = await credential.GetTokenAsync(new TokenRequestContext([$"{emulator.AzureResource.Resource}/.default"]), default);

        Assert.That(emulator.Ledger.Issued.Select(i => (i.Fingerprint, i.ClientId)), Is.EqualTo([(Ledger.FingerprintOf(token.Token), application.ClientId)]));
        Assert.That(emulator.Ledger.Requests.Of(EmulatorEndpoint.EntraInstanceDiscovery), Is.EqualTo(byPublicName ? 1 : 0));
    }

    [Test]
    public async Task WorkloadIdentityCredential_gets_a_token_with_the_file_of_a_pod()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        JobIdentity pod = emulator.JobIdentity(ProofShape.Kubernetes);
        EntraApplication application = emulator.Entra.AddApplication().Trust(pod);
        DirectoryInfo folder = Directory.CreateTempSubdirectory("nhi-pod-");
        try
        {
            string file = Path.Combine(folder.FullName, "token");
            await File.WriteAllTextAsync(file, pod.Mint(emulator.Entra.ExchangeAudience));
            var credential = new WorkloadIdentityCredential(new WorkloadIdentityCredentialOptions
            {
                TenantId = emulator.Entra.TenantId, ClientId = application.ClientId, TokenFilePath = file, Transport = new HttpClientTransport(emulator.CreateHandler()),
            });

            AccessToken token = await credential.GetTokenAsync(new TokenRequestContext([$"{emulator.AzureResource.Resource}/.default"]), default);

            Assert.That(emulator.Ledger.Issued.Single().Fingerprint, Is.EqualTo(Ledger.FingerprintOf(token.Token)));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Test]
    public async Task MSAL_gets_a_token_and_reads_a_refusal_as_Entras()
    {
        (IdentityEmulator emulator, JobIdentity job, EntraApplication application) = await StartAsync();
        await using IdentityEmulator _ = emulator;
        using var http = new HttpClient(emulator.CreateHandler());
        IConfidentialClientApplication msal = ConfidentialClientApplicationBuilder.Create(application.ClientId)
            .WithAuthority("https://login.microsoftonline.com", emulator.Entra.TenantId)
            .WithClientAssertion((AssertionRequestOptions _) => Task.FromResult(job.Mint(emulator.Entra.ExchangeAudience)))
            .WithHttpClientFactory(new Factory(http)).Build();

        AuthenticationResult result = await msal.AcquireTokenForClient([$"{emulator.AzureResource.Resource}/.default"]).ExecuteAsync();
        application.FederatedCredentials.Clear();
        MsalServiceException refused = Assert.ThrowsAsync<MsalServiceException>(
            () => msal.AcquireTokenForClient([$"{emulator.AzureResource.Resource}/.default"]).WithForceRefresh(true).ExecuteAsync())!;

        Assert.That(emulator.Ledger.Issued.Single().Fingerprint, Is.EqualTo(Ledger.FingerprintOf(result.AccessToken)));
        Assert.That(result.ExpiresOn, Is.EqualTo(emulator.Ledger.Issued.Single().EndsAt).Within(TimeSpan.FromSeconds(5)));
        Assert.That((refused.ErrorCode, refused.StatusCode), Is.EqualTo(("invalid_client", 401)));
        Assert.That(refused.Message, Does.Contain("AADSTS70021"));
    }

    private static readonly ManagedIdentityHost[] Hosts = [ManagedIdentityHost.Imds, ManagedIdentityHost.AppService, ManagedIdentityHost.AzureArc, ManagedIdentityHost.MachineLearning, ManagedIdentityHost.ServiceFabric];

    [Test]
    public async Task Managed_identity_clients_get_tokens_from_every_host([ValueSource(nameof(Hosts))] ManagedIdentityHost host, [Values("azure-identity", "msal")] string sdk)
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        using ArcFolder? arc = ArcFolder.For(host, emulator);

        JsonNode answer = await ChildAzure.RunAsync(emulator.ManagedIdentity.EnvironmentOf(host), sdk, emulator.AzureResource.Resource);

        LedgerIssue issued = emulator.Ledger.Issued.Single();
        Assert.That((string?)answer["fingerprint"], Is.EqualTo(issued.Fingerprint), answer.ToJsonString());
        Assert.That(issued.Subject, Is.EqualTo(emulator.ManagedIdentity.SystemAssigned.ObjectId));
    }

    [Test]
    public async Task A_user_assigned_identity_is_meant_by_its_client_id([Values(ManagedIdentityHost.Imds, ManagedIdentityHost.AppService)] ManagedIdentityHost host)
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        ManagedIdentity orders = emulator.ManagedIdentity.AddUserAssigned("orders");

        JsonNode answer = await ChildAzure.RunAsync(emulator.ManagedIdentity.EnvironmentOf(host), "msal", emulator.AzureResource.Resource, orders.ClientId);

        Assert.That((string?)answer["fingerprint"], Is.EqualTo(emulator.Ledger.Issued.Single().Fingerprint), answer.ToJsonString());
        Assert.That(emulator.Ledger.Issued.Single().Subject, Is.EqualTo(orders.ObjectId));
    }

    [TestCase("assertion")]
    [TestCase("workload")]
    [TestCase("managed")]
    public async Task Nodes_azure_identity_gets_a_token(string kind)
    {
        (IdentityEmulator emulator, JobIdentity job, EntraApplication application) = await StartAsync();
        await using IdentityEmulator _ = emulator;
        DirectoryInfo folder = Directory.CreateTempSubdirectory("nhi-node-");
        try
        {
            string authority = Path.Combine(folder.FullName, "authority.pem");
            string proof = Path.Combine(folder.FullName, "token");
            await File.WriteAllTextAsync(authority, emulator.CertificatePem);
            await File.WriteAllTextAsync(proof, job.Mint(emulator.Entra.ExchangeAudience));
            var asked = new JsonObject
            {
                ["kind"] = kind, ["authorityHost"] = emulator.Entra.Authority.OriginalString, ["disableInstanceDiscovery"] = true, ["tenantId"] = emulator.Entra.TenantId,
                ["clientId"] = kind == "managed" ? null : application.ClientId, ["assertion"] = kind == "assertion" ? job.Mint(emulator.Entra.ExchangeAudience) : null,
                ["file"] = proof, ["scope"] = $"{emulator.AzureResource.Resource}/.default",
            };
            var environment = new Dictionary<string, string>(emulator.ManagedIdentity.EnvironmentOf(ManagedIdentityHost.AppService)) { ["NODE_EXTRA_CA_CERTS"] = authority };

            await using NodeProgram node = await NodeProgram.StartAsync("@azure/identity", ["azure-identity.mjs"], asked.ToJsonString(), environment);
            JsonNode answer = JsonNode.Parse(await node.RunToEndAsync())!;

            Assert.That(answer["error"], Is.Null, answer["message"]?.ToString());
            Assert.That(Ledger.FingerprintOf((string)answer["token"]!), Is.EqualTo(emulator.Ledger.Issued.Single().Fingerprint));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private sealed class Factory(HttpClient client) : IMsalHttpClientFactory
    {
        public HttpClient GetHttpClient() => client;
    }
}
