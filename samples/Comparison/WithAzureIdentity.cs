using System.Net.Http.Headers;
using Azure.Core;
using Azure.Identity;

namespace Comparison;

/// <summary>A pod in AKS reads the warehouses of an Azure Databricks workspace: with Azure.Identity.</summary>
internal static class WithAzureIdentity
{
    public static async Task<string> WarehousesAsync(Uri workspace, CancellationToken cancellationToken)
    {
        #region azure-identity
        var credential = new WorkloadIdentityCredential();   // AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE
        var scopes = new TokenRequestContext(["2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default"]);
        using var http = new HttpClient { BaseAddress = workspace };

        using var request = new HttpRequestMessage(HttpMethod.Get, "api/2.0/sql/warehouses");
        AccessToken token = await credential.GetTokenAsync(scopes, cancellationToken);   // before each request; it has a cache
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Token);
        using HttpResponseMessage response = await http.SendAsync(request, cancellationToken);
        string warehouses = await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(cancellationToken);
        #endregion
        return warehouses;
    }
}
