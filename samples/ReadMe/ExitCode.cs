using Nhi.TokenExchange;

namespace ReadMe;

/// <summary>A program that ends with a number of its own.</summary>
internal static class ExitCode
{
    public static async Task<int> RunAsync(Action<TokenExchangeBuilder> compose, Func<JobSession, Task> work)
    {
        await using JobSession job = await JobSession.StartAsync(compose);
        await work(job);
        #region exit-code
        JobReport report = await job.CompleteAsync();
        return report.AllEnded ? 0 : 69;
        #endregion
    }
}
