using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace DatabricksWarehouse;

/// <summary>What is found in the wild. Compiled for the migration page, called by nobody.</summary>
internal static class Before
{
    public static HttpClient WithPat(IConfiguration configuration)
    {
        #region pat
        var http = new HttpClient { BaseAddress = new Uri("https://workspace.example") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", configuration["Databricks:Token"]);   // months, for whoever reads the settings
        #endregion
        return http;
    }

    public static async Task<HttpClient> WithSecretAsync(IConfiguration configuration)
    {
        #region oauth-secret
        var http = new HttpClient { BaseAddress = new Uri("https://workspace.example") };
        using var form = new FormUrlEncodedContent([
            new("grant_type", "client_credentials"), new("scope", "all-apis"),
            new("client_id", configuration["Databricks:ClientId"]), new("client_secret", configuration["Databricks:ClientSecret"])]);   // up to two years
        using HttpResponseMessage response = await http.PostAsync(new Uri("/oidc/v1/token", UriKind.Relative), form);
        using JsonDocument answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", answer.RootElement.GetProperty("access_token").GetString());   // dead after an hour
        #endregion
        return http;
    }
}
