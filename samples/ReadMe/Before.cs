using System.Net.Http.Headers;
using Microsoft.Extensions.Configuration;

namespace ReadMe;

/// <summary>What is found in the wild.</summary>
internal static class Before
{
    public static HttpClient Client(IConfiguration configuration)
    {
        #region before
        var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", configuration["Databricks:Token"]);   // lives for months, for whoever reads the settings
        #endregion
        return http;
    }
}
