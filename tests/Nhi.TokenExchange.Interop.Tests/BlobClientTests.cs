using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Nhi.TokenExchange;

/// <summary>Azure.Storage.Blobs as it is published against the emulator's store, which verifies each token.</summary>
internal sealed class BlobClientTests
{
    [Test]
    public async Task A_blob_is_written_read_and_deleted_and_after_a_refusal_the_client_comes_with_another_token()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        JobIdentity job = emulator.JobIdentity(ProofShape.GitHub);
        EntraApplication application = emulator.Entra.AddApplication().Trust(job);
        var transport = new HttpClientTransport(emulator.CreateHandler());
        var credential = new ClientAssertionCredential(emulator.Entra.TenantId, application.ClientId, _ => Task.FromResult(job.Mint(emulator.Entra.ExchangeAudience)), new ClientAssertionCredentialOptions { Transport = transport });
        var container = new BlobContainerClient(new Uri(emulator.AzureResource.Address, "orders"), credential, new BlobClientOptions { Transport = transport, Audience = new BlobAudience(emulator.AzureResource.Resource) });

        await container.CreateIfNotExistsAsync();
        BlobClient blob = container.GetBlobClient("2026/01/01.csv");
        await blob.UploadAsync(BinaryData.FromString("1;217.64"));
        Response<BlobDownloadResult> got = await blob.DownloadContentAsync();
        bool existed = await blob.DeleteIfExistsAsync();
        bool exists = await blob.ExistsAsync();
        emulator.AzureResource.Revoke(emulator.Ledger.Issued.Single().Fingerprint);

        Assert.That(got.Value.Content.ToString(), Is.EqualTo("1;217.64"));
        Assert.That((existed, exists), Is.EqualTo((true, false)));
        Assert.That(() => blob.DownloadContentAsync(), Throws.TypeOf<RequestFailedException>().With.Property("ErrorCode").EqualTo("BlobNotFound"));
        Assert.That(emulator.Ledger.Uses.Select(use => use.Verdict).TakeLast(2), Is.EqualTo([UseVerdict.Revoked, UseVerdict.Accepted]));
    }
}
