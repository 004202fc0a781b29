using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Nhi.TokenExchange;

/// <summary>Calls what may block who calls it, such as a log whose console nobody reads: one call after the other, on a thread of its own while there is something to call, and for a second more. Who waits for a call may stop waiting.</summary>
/// <remarks>The thread is none of the pool, which may be full of callers that wait for a credential. To start one costs ten times what it costs to wake one that waits.</remarks>
/// <param name="mostWaiting">How many calls wait at most.</param>
/// <param name="start">Starts the thread.</param>
[SuppressMessage("Reliability", "CA1001", Justification = "A collection whose wait handles nobody takes holds nothing that has to be released.")]
internal sealed class InTurn(int mostWaiting = InTurn.MostWaiting, Func<Action, Task>? start = null)
{
    // What a log that blocks for minutes leaves behind.
    private const int MostWaiting = 1 << 14;
    // An exchange has some lines, with an issuer's answer between them: they need one thread.
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);
    // What calls as quickly as logs do is done when the caller goes on, on a busy machine, too. These are milliseconds of a thread, which no clock of a session moves.
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    private readonly BlockingCollection<Call> _waiting = new(mostWaiting);
    private readonly Turns _turn = new(1);

    /// <summary>Adds a call, and waits a moment for it. It sees the caller's activity and scopes.</summary>
    /// <param name="call">The call.</param>
    /// <param name="isLast">Whether the thread is to wait for none after it. One that is added nevertheless has another.</param>
    /// <returns>Completes with the call.</returns>
    /// <exception cref="IOException">Too many wait.</exception>
    public Task Add(Action call, bool isLast = false)
    {
        var added = new Call(call, isLast, ExecutionContext.Capture());
        if (!_waiting.TryAdd(added))
            throw new IOException("too many lines wait for the log");
        if (_turn.TryTake())
            Start();
        if (_waiting.Count <= 1)   // else it is slow already
            Blocking.WaitAtMost(Moment, added.Task);
        return added.Task;
    }

    // Where no thread can be had, the call waits for the next one's; who waits for it stops waiting.
    private void Start()
    {
        try
        {
            (start ?? OwnThread.Run)(Run).Forget();
        }
        catch (Exception noThread) when (noThread is TaskSchedulerException or OutOfMemoryException)
        {
            _turn.GiveBack();
        }
    }

    // Looks again when the turn is given back: who added a call just before found it taken.
    private void Run()
    {
        do
        {
            TimeSpan patience = Linger;
            while (_waiting.TryTake(out Call? call, patience))
            {
                call.Make();
                patience = call.IsLast ? TimeSpan.Zero : Linger;
            }
            _turn.GiveBack();
        }
        while (_waiting.Count > 0 && _turn.TryTake());
    }

    private sealed class Call(Action made, bool isLast, ExecutionContext? context) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public bool IsLast => isLast;

        public void Make()
        {
            try
            {
                if (context is null)
                    made();
                else
                    ExecutionContext.Run(context, static state => ((Action)state!)(), made);
                TrySetResult();
            }
            catch (Exception failed)   // it is the waiter's
            {
                TrySetException(failed);
            }
        }
    }
}
