using System.Runtime.InteropServices;

namespace Nhi.TokenExchange;

/// <summary>Ends the job when the process is told to end. What the signal does by default is not changed, only delayed until the credentials are ended.</summary>
internal sealed class JobEndSignals : IDisposable
{
    private static readonly PosixSignal[] Signals = [PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGHUP];

    private readonly PosixSignalRegistration[] _registrations = [.. Signals.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
    }

    // Runs on a thread of its own; the default action follows when it returns. Nothing is cancelled: a host that handles the signal still does.
    // The runtime calls the handlers of a signal one after another: the first one ends all jobs of the process in parallel.
    private static void OnSignal(PosixSignalContext context) => ProcessEnd.EndAll(EndCause.Signalled(context.Signal), session => session.Plan.EndOnSignals);
}
