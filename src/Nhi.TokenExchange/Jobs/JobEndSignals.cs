using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Nhi.TokenExchange;

/// <summary>Ends the job when the process is told to end. What the signal does by default is not changed, only delayed until the credentials are ended.</summary>
internal sealed class JobEndSignals : IDisposable
{
    private static readonly PosixSignal[] Signals = [PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGHUP];

    // The runtime calls the handlers of a signal one after another: the first one ends all jobs of the process in parallel.
    private static readonly ConcurrentDictionary<JobSession, bool> Running = new();

    // Environment.Exit unwinds no "await using": it ends the jobs here.
    static JobEndSignals() => AppDomain.CurrentDomain.ProcessExit += (_, _) => EndAll();

    private readonly JobSession _session;
    private readonly PosixSignalRegistration[] _registrations;

    public JobEndSignals(JobSession session)
    {
        _session = session;
        Running.TryAdd(session, true);
        _registrations = [.. Signals.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];
    }

    public void Dispose()
    {
        Running.TryRemove(_session, out _);
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
    }

    // Runs on a thread of its own; the default action follows when it returns. Nothing is cancelled: a host that handles the signal still does.
    private static void OnSignal(PosixSignalContext context) => EndAll();

    private static void EndAll() => Blocking.Wait(Task.WhenAll(Running.Keys.Select(session => session.CompleteAsync())));
}
