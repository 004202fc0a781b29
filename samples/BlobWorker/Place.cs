using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using Nhi.TokenExchange;

namespace BlobWorker;

/// <summary>Where the sample runs: in Azure, or offline on the emulator.</summary>
internal sealed record Place(Uri Container, string Resource, BlobClientOptions Options, TimeSpan Pause, int Count, IdentityEmulator? Emulator) : IAsyncDisposable
{
    public static Place InAzure(Uri container) => new(container, "https://storage.azure.com", new BlobClientOptions(), TimeSpan.FromMinutes(1), int.MaxValue, null);

    /// <summary>A metadata service that gives the identity, and a store of blobs that verifies each token.</summary>
    public static async Task<Place> EmulatedAsync()
    {
        IdentityEmulator emulator = await IdentityEmulator.StartAsync(options => options.EntraAlgorithm = "ES256");
        foreach ((string name, string value) in emulator.ManagedIdentity.EnvironmentOf(ManagedIdentityHost.Imds))
            Environment.SetEnvironmentVariable(name, value);   // as a host in Azure has it
        var options = new BlobClientOptions { Transport = new HttpClientTransport(emulator.CreateHandler()) };
        return new Place(new Uri(emulator.AzureResource.Address, "orders"), emulator.AzureResource.Resource, options, TimeSpan.FromMilliseconds(200), 3, emulator);
    }

    public ValueTask DisposeAsync() => Emulator?.DisposeAsync() ?? default;
}
