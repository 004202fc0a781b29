using Nhi.TokenExchange;

namespace ReadMe;

/// <summary>The same with this library, and a few things beside.</summary>
internal static class After
{
    public static HttpClient Client(JobSession job)
    {
        #region after
        var http = new HttpClient(job.CreateHandler("warehouse"));   // proves who the job is, lives an hour at most, ends with the job
        #endregion
        return http;
    }

    public static async Task SettingsAsync(Microsoft.Extensions.Configuration.IConfigurationSection section, CancellationToken cancellationToken)
    {
        #region settings
        await using JobSession job = await JobSession.StartAsync(b => b.Configuration(section), cancellationToken);
        #endregion
    }

    public static async Task ReportAsync(JobSession job)
    {
        #region report
        JobReport report = await job.CompleteAsync();
        Console.WriteLine(report);              // a line per credential: revoked, already gone, or "cannot be revoked, dies at …"
        #endregion
    }
}
