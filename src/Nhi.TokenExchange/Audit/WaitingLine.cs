namespace Nhi.TokenExchange;

/// <summary>A line of a chain that waits for the disk.</summary>
/// <param name="Json">The event; empty: there is none, and something else is to be done.</param>
/// <param name="Written">Told when it is on the disk; null: it is a line of the chain's own.</param>
/// <param name="Target">The event's.</param>
internal sealed record WaitingLine(byte[] Json, TaskCompletionSource? Written, string? Target = null)
{
    public void Tell(Exception? failure)
    {
        if (failure is null)
        {
            Written?.TrySetResult();
            return;
        }
        Written?.TrySetException(failure);
        _ = Written?.Task.Exception;   // nobody may wait any more; that is no unobserved failure
    }
}
