using Azure.Identity;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Configuration;

namespace AzureReadMe;

/// <summary>What is found in the wild.</summary>
internal static class Before
{
    public static BlobServiceClient Client(IConfiguration configuration)
    {
        #region before
        var credential = new ClientSecretCredential(configuration["TenantId"], configuration["ClientId"], configuration["ClientSecret"]);
        var blobs = new BlobServiceClient(new Uri("https://lake.blob.core.windows.net"), credential);
        #endregion
        return blobs;
    }
}
