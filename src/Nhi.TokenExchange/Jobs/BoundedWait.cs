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

    /// <summary>Waits for work of a user's seam until the caller gives it up. What the work throws after that reaches nobody, as an unobserved exception neither.</summary>
    public static ValueTask<T> OrLeftBehindAsync<T>(this ValueTask<T> work, CancellationToken cancellationToken) =>
        work.IsCompletedSuccessfully ? work : new ValueTask<T>(OrLeftBehindAsync(work.AsTask(), cancellationToken));

    /// <summary>Takes note of how a task ends that nobody waits for any more.</summary>
    public static void Forget(this Task task) =>
        _ = task.ContinueWith(static left => _ = left.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private static async Task<T> OrLeftBehindAsync<T>(Task<T> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            work.Forget();
            throw;
        }
    }
}
