namespace Nhi.TokenExchange;

/// <summary>Waits that a deadline ends, without an exception for those who go on either way.</summary>
internal static class BoundedWait
{
    /// <summary>Waits for a task, at most until the deadline.</summary>
    /// <returns>Whether it came to its end before.</returns>
    public static async Task<bool> IsDoneBeforeAsync(this Task task, CancellationToken deadline)
    {
        try
        {
            await task.WaitAsync(deadline).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
