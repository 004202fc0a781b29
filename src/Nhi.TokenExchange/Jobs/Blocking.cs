namespace Nhi.TokenExchange;

/// <summary>The one place where a thread waits for a task: synchronous APIs and signal handlers block their own thread, holding no lock.</summary>
/// <remarks>
/// Waiting for a task tells the pool that a thread of it is blocked, and it adds one; an event or a semaphore would not. It adds the first few at once and then one each 25 ms, 50 ms ... at most 250 ms, so a
/// hundred callers on a pool of two threads take some 22 s: the flight that they all wait for is queued behind them, and starts when the last of them has a thread to block. A thread of the flight's own
/// would not mend that: its first await (a connection, the caller's source, policy, audit) goes on in the same queue. What mends it is to have no such miss: the page "Concepts" says how.
/// </remarks>
internal static class Blocking
{
#pragma warning disable RS0030 // The wait that everybody else is banned from.
    public static void Wait(Task task) => task.GetAwaiter().GetResult();

    public static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    /// <summary>Waits for a moment of real time. How the task ended, if it did, is for who awaits it.</summary>
    public static void WaitAtMost(TimeSpan moment, Task task)
    {
        try
        {
            task.Wait(moment);
        }
        catch (AggregateException)
        {
            // It failed, and says so to who awaits it.
        }
    }
#pragma warning restore RS0030
}
