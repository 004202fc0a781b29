namespace Nhi.TokenExchange.Tests;

/// <summary>The end of a test's job, which a test that failed must not wait for for ever.</summary>
internal static class BoundedEnd
{
    // No measure of speed. Where the job's clock is a manual one, its own deadlines never come: what a test did not let go, its issuer waits for.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>Ends a job.</summary>
    /// <exception cref="InvalidOperationException">It does not come to its end.</exception>
    public static async Task EndAsync(JobSession session, RecordingSink audit)
    {
        try
        {
            await session.DisposeAsync().AsTask().WaitAsync(Limit, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException($"The job does not come to its end; its clock may stand still. The audit: {audit.Text}");
        }
    }
}
