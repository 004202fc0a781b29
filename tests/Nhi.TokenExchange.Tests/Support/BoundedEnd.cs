using NUnit.Framework.Interfaces;

namespace Nhi.TokenExchange.Tests;

/// <summary>The end of a test's job, which a test that failed must not wait for for ever.</summary>
internal static class BoundedEnd
{
    // No measure of speed. Where the job's clock is a manual one, its own deadlines never come: what a test did not let go, its issuer waits for.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    // Known of what was asserted; what else came out of the test is not known before its end.
    private static bool HasFailed => TestContext.CurrentContext.Result.Assertions.Any(one => one.Status is AssertionStatus.Failed or AssertionStatus.Error);

    /// <summary>Ends a job. What is thrown here would take the place of what a failed test says: of such, it is written beside that.</summary>
    /// <exception cref="InvalidOperationException">It does not come to its end, and the test has not failed before.</exception>
    public static async Task EndAsync(JobSession session, RecordingSink audit)
    {
        try
        {
            await session.DisposeAsync().AsTask().WaitAsync(Limit, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            string what = $"The job does not come to its end; its clock may stand still. The audit: {audit.Text}";
            if (!HasFailed)
                throw new InvalidOperationException(what);
            await TestContext.Error.WriteLineAsync(what);
        }
    }
}
