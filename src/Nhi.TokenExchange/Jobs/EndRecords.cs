using System.Threading.Channels;

namespace Nhi.TokenExchange;

/// <summary>Records how leases ended, beside the ending: an audit that is slow, or hangs, holds up no revocation.</summary>
/// <remarks>
/// Some records at a time are on their way, begun in the order in which the leases ended. One task begins them all, so that a sink that blocks its caller blocks one thread of the pool. What is not recorded when the job's end
/// waits no longer is not said to be over in the journal either: the next start tells of it.
/// </remarks>
internal sealed class EndRecords
{
    private const int MostAtOnce = 16;

    private readonly Turns _turns = new(MostAtOnce);
    private readonly Channel<Waiting> _waiting = Channel.CreateUnbounded<Waiting>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lazy<Task> _loop;

    public EndRecords() => _loop = new Lazy<Task>(Begin);

    /// <summary>Adds a record.</summary>
    /// <param name="recordAsync">Makes it; never fails.</param>
    /// <returns>Completes when it is made.</returns>
    public Task Add(Func<Task> recordAsync)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!_waiting.Writer.TryWrite(new Waiting(recordAsync, done)))
            return recordAsync();   // the job's end has come already, and waits for this one's flight no longer
        _ = _loop.Value;
        return done.Task;
    }

    /// <summary>Waits until all that were added are made.</summary>
    /// <returns>False: they are not at the deadline. They go on, as long as the process does.</returns>
    public Task<bool> AreMadeBeforeAsync(CancellationToken deadline) => AllMadeAsync().IsDoneBeforeAsync(deadline);

    /// <summary>Completes when all that were added are made, however long that takes. Nothing is added any more.</summary>
    public Task AllMadeAsync()
    {
        _waiting.Writer.TryComplete();
        return _loop.Value;
    }

    private Task Begin()
    {
        // It is of nobody's flight.
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        return Task.Run(RunAsync);
    }

    private async Task RunAsync()
    {
        await foreach (Waiting one in _waiting.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            await _turns.TakeAsync(CancellationToken.None).ConfigureAwait(false);
            _ = MakeAsync(one);
        }
        await _turns.TakeAllAsync().ConfigureAwait(false);
    }

    private async Task MakeAsync(Waiting one)
    {
        await one.RecordAsync().ConfigureAwait(false);
        _turns.GiveBack();
        one.Done.TrySetResult();
    }

    /// <param name="RecordAsync">Makes a record; never fails.</param>
    /// <param name="Done">Completes when it is made.</param>
    private sealed record Waiting(Func<Task> RecordAsync, TaskCompletionSource Done);
}
