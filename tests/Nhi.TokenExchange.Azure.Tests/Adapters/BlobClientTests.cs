using System.Collections.Concurrent;
using System.Net;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Azure;
using Microsoft.Extensions.DependencyInjection;

namespace Nhi.TokenExchange.Tests.Adapters;

/// <summary>Azure.Storage.Blobs as it comes, with each form, and from a container of services.</summary>
[TestFixture(false)]
[TestFixture(true)]
internal sealed class BlobClientTests(bool sync)
{
    private readonly ConcurrentDictionary<string, byte[]> _blobs = new();

    [Test]
    public async Task The_policy_writes_and_reads_a_blob()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        using var wire = new Wire(Store);
        var service = new BlobServiceClient(new Uri(LakeJob.Origin), On(wire).AddCredential(job.Lake));

        Assert.That(await WriteAndReadAsync(service), Is.EqualTo("42 orders"));
        Assert.That((wire.Tokens.Distinct().Count(), wire.Tokens[0], job.Issuer.Requests.Count), Is.EqualTo((1, (await job.Lake.GetAsync()).Reveal(), 1)));
    }

    [Test]
    public async Task The_token_credential_writes_and_reads_a_blob()
    {
        await using LakeJob job = await LakeJob.StartAsync(start: TimeProvider.System.GetUtcNow());
        using var wire = new Wire(Store);
        var service = new BlobServiceClient(new Uri(LakeJob.Origin), job.Lake.AsTokenCredential(), On(wire));

        Assert.That(await WriteAndReadAsync(service), Is.EqualTo("42 orders"));
        Assert.That((wire.Tokens.Distinct().Count(), job.Issuer.Requests.Count), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task A_client_from_a_container_takes_either_form()
    {
        await using LakeJob job = await LakeJob.StartAsync(start: TimeProvider.System.GetUtcNow());
        using var wire = new Wire(Store);
        var services = new ServiceCollection();
        services.AddSingleton(job.Lake);
        services.AddAzureClients(clients =>
        {
            // Not AddBlobServiceClient(address): without WithCredential that one brings a DefaultAzureCredential.
            clients.AddClient<BlobServiceClient, BlobClientOptions>(options => new BlobServiceClient(new Uri(LakeJob.Origin), options)).WithName("policy")
                .ConfigureOptions((options, provider) =>
                {
                    options.Transport = On(wire).Transport;
                    options.AddCredential(provider.GetRequiredService<CredentialProvider<BearerToken>>());
                });
            clients.AddBlobServiceClient(new Uri(LakeJob.Origin)).WithName("credential")
                .WithCredential(provider => provider.GetRequiredService<CredentialProvider<BearerToken>>().AsTokenCredential())
                .ConfigureOptions(options => options.Transport = On(wire).Transport);
        });
        await using ServiceProvider container = services.BuildServiceProvider();
        IAzureClientFactory<BlobServiceClient> factory = container.GetRequiredService<IAzureClientFactory<BlobServiceClient>>();

        Assert.That(await WriteAndReadAsync(factory.CreateClient("policy")), Is.EqualTo("42 orders"));
        Assert.That(await WriteAndReadAsync(factory.CreateClient("credential")), Is.EqualTo("42 orders"));
        Assert.That(wire.Tokens.Distinct(), Is.EqualTo([(await job.Lake.GetAsync()).Reveal()]));
    }

    [Test]
    public async Task A_refused_credential_is_replaced_under_an_upload()
    {
        await using LakeJob job = await LakeJob.StartAsync();
        string refused = (await job.Lake.GetAsync()).Reveal();
        using var wire = new Wire(sent => sent.Token == refused ? new(HttpStatusCode.Unauthorized) : Store(sent));
        var service = new BlobServiceClient(new Uri(LakeJob.Origin), On(wire).AddCredential(job.Lake));

        Assert.That(await WriteAndReadAsync(service), Is.EqualTo("42 orders"));
        Assert.That((wire.All.Count, job.Issuer.Requests.Count), Is.EqualTo((3, 2)));
    }

    private static BlobClientOptions On(Wire wire) => new() { Transport = new HttpClientTransport(wire), Retry = { MaxRetries = 0 } };

    private async Task<string> WriteAndReadAsync(BlobServiceClient service)
    {
        BlobClient blob = service.GetBlobContainerClient("orders").GetBlobClient("today.txt");
        if (sync)
        {
            return await Task.Run(() =>
            {
                blob.Upload(BinaryData.FromString("42 orders"), overwrite: true);
                return blob.DownloadContent().Value.Content.ToString();
            });
        }
        await blob.UploadAsync(BinaryData.FromString("42 orders"), overwrite: true);
        return (await blob.DownloadContentAsync()).Value.Content.ToString();
    }

    private HttpResponseMessage Store(Wire.Sent sent)
    {
        HttpResponseMessage response;
        if (sent.Method == HttpMethod.Put)
        {
            _blobs[sent.Address.AbsolutePath] = sent.Body;
            response = new HttpResponseMessage(HttpStatusCode.Created) { Content = new ByteArrayContent([]) };
        }
        else
        {
            response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(_blobs[sent.Address.AbsolutePath]) };
            response.Headers.TryAddWithoutValidation("x-ms-blob-type", BlobType.Block + "Blob");
        }
        response.Headers.ETag = new("\"1\"");
        response.Content.Headers.LastModified = DateTimeOffset.UnixEpoch;
        return response;
    }
}
