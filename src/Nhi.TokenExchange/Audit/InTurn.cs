namespace Nhi.TokenExchange;

/// <summary>Calls what may block who calls it, such as a log whose console nobody reads: one call after the other, on one thread of the pool while there is something to call. Who waits for a call may stop waiting.</summary>
internal sealed class InTurn
{
    // What a log that blocks for minutes leaves behind.
    private const int MostWaiting = 1 << 14;

    private readonly Lock _gate = new();
    private readonly Queue<Call> _waiting = new();
    private bool _isRunning;

    /// <summary>Adds a call. It sees the caller's activity and scopes.</summary>
    /// <returns>Completes with the call.</returns>
    /// <exception cref="IOException">Too many wait.</exception>
    public Task Add(Action call)
    {
        var added = new Call(call, ExecutionContext.Capture(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_gate)
        {
            if (_waiting.Count == MostWaiting)
                throw new IOException("too many events wait for the log");
            _waiting.Enqueue(added);
            if (_isRunning)
                return added.Done.Task;
            _isRunning = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(static turns => turns.Run(), this, preferLocal: false);
        return added.Done.Task;
    }

    private void Run()
    {
        while (TryTake(out Call? call))
        {
            try
            {
                if (call!.Context is { } context)
                    ExecutionContext.Run(context, static state => ((Call)state!).Made(), call);
                else
                    call.Made();
                call.Done.TrySetResult();
            }
            catch (Exception failed)   // it is the waiter's
            {
                call!.Done.TrySetException(failed);
            }
        }
    }

    private bool TryTake(out Call? call)
    {
        lock (_gate)
            return _isRunning = _waiting.TryDequeue(out call);
    }

    private sealed record Call(Action Made, ExecutionContext? Context, TaskCompletionSource Done);
}
