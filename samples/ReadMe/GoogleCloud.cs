using Nhi.TokenExchange;

namespace ReadMe;

/// <summary>A token of Google Cloud for one bucket, as a service account.</summary>
internal static class GoogleCloud
{
    public static async Task<string> ReadAsync()
    {
        #region google
        const string Provider = "projects/123456789012/locations/global/workloadIdentityPools/jobs/providers/github";
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.GitHubActions())
            .Target("archive", Targets.GoogleSts(Provider, o => o.ServiceAccount = "loader@my-project.iam.gserviceaccount.com"), target =>
            {
                target.Identity = "job";
                target.Scopes = ScopeSet.Of("https://www.googleapis.com/auth/devstorage.read_only");
                target.AllowedOrigins.Add(new Uri("https://storage.googleapis.com"));
            }));
        using var storage = new HttpClient(job.CreateHandler("archive"));   // sends the token to Cloud Storage, and nowhere else
        #endregion
        return await storage.GetStringAsync(new Uri("https://storage.googleapis.com/storage/v1/b/orders/o"));
    }
}
