using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Nhi.TokenExchange;

/// <summary>Calls what may block who calls it, such as a log whose console nobody reads: one call after the other, on a thread of its own while there is something to call. Who waits for a call may stop waiting.</summary>
/// <remarks>The thread is none of the pool, which may be full of callers that wait for a credential.</remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "A collection whose wait handles nobody takes holds nothing that has to be released.")]
internal sealed class InTurn(int mostWaiting = InTurn.MostWaiting)
{
    // What a log that blocks for minutes leaves behind.
    private const int MostWaiting = 1 << 14;
    // What calls as quickly as logs do is done when the caller goes on, on a busy machine, too. These are milliseconds of a thread, which no clock of a session moves.
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    private readonly BlockingCollection<Call> _waiting = new(mostWaiting);
    private readonly Turns _turn = new(1);

    /// <summary>Adds a call, and waits a moment for it. It sees the caller's activity and scopes.</summary>
    /// <returns>Completes with the call.</returns>
    /// <exception cref="IOException">Too many wait.</exception>
    public Task Add(Action call)
    {
        var added = new Call(call, ExecutionContext.Capture(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        if (!_waiting.TryAdd(added))
            throw new IOException("too many lines wait for the log");
        if (_turn.TryTake())
            OwnThread.Run(Run).Forget();
        if (_waiting.Count <= 1)   // else it is slow already
            Blocking.WaitAtMost(Moment, added.Done.Task);
        return added.Done.Task;
    }

    // Looks again when the turn is given back: who added a call just before found it taken.
    private void Run()
    {
        do
        {
            while (_waiting.TryTake(out Call? call))
                Make(call);
            _turn.GiveBack();
        }
        while (_waiting.Count > 0 && _turn.TryTake());
    }

    private static void Make(Call call)
    {
        try
        {
            if (call.Context is { } context)
                ExecutionContext.Run(context, static state => ((Call)state!).Made(), call);
            else
                call.Made();
            call.Done.TrySetResult();
        }
        catch (Exception failed)   // it is the waiter's
        {
            call.Done.TrySetException(failed);
        }
    }

    private sealed record Call(Action Made, ExecutionContext? Context, TaskCompletionSource Done);
}
