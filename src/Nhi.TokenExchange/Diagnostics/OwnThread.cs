namespace Nhi.TokenExchange;

/// <summary>Work that waits for a disk, or for a plug-in that blocks who calls it, on a thread of its own: the pool's are there for exchanges, and a few hundred slow disks must not take them all.</summary>
internal static class OwnThread
{
    /// <summary>Runs it; of nobody's flight.</summary>
    public static Task Run(Action work)
    {
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        return Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
    }
}
