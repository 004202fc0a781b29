using System.Runtime.CompilerServices;

namespace Nhi.TokenExchange;

/// <summary>Ends the jobs of a process that ends without unwinding: <see cref="Environment.Exit"/>, and an exception that nobody caught.</summary>
/// <remarks>Sessions are held weakly: one that was let go without its disposal keeps nothing alive. A <see cref="Environment.FailFast(string)"/>, an overflow of the stack and a kill run no code; the journal is for those.</remarks>
internal static class ProcessEnd
{
    // A clock of a test's, or a callback that hangs, must not keep the process from its end.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private static readonly ConditionalWeakTable<JobSession, object> Running = [];
    private static readonly object Present = new();

    static ProcessEnd()
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => EndAll(EndCause.Exited, _ => true);
        AppDomain.CurrentDomain.UnhandledException += (_, thrown) => EndAll(EndCause.Unhandled(thrown.ExceptionObject), _ => true);
    }

    public static void Add(JobSession session) => Running.AddOrUpdate(session, Present);

    public static void Remove(JobSession session) => Running.Remove(session);

    /// <summary>Ends jobs of the process in parallel, each within its own deadline, and blocks until they have ended.</summary>
    /// <param name="cause">Why.</param>
    /// <param name="which">Which of them.</param>
    public static void EndAll(EndCause cause, Func<JobSession, bool> which)
    {
        JobSession[] sessions = [.. Running.Select(running => running.Key).Where(which)];
        if (sessions.Length == 0)
            return;
        Task ending = Task.WhenAll(sessions.Select(session => session.EndInOrderAsync(cause)));
        TimeSpan limit = sessions.Max(session => session.Plan.EndWithin) + Grace;
        Blocking.Wait(Task.WhenAny(ending, Task.Delay(limit, TimeProvider.System)));
    }
}
