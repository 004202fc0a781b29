using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Nhi.TokenExchange;

/// <summary>A program that is run in this one's place: its arguments as they are and no shell between, its input and output, its signals and its exit code.</summary>
internal static class ChildProgram
{
    /// <summary>It was not started, by a fault of ours. As <c>env</c>, <c>timeout</c> and <c>docker</c> have it, like the next two.</summary>
    public const int NotStarted = 125;

    private const int NotExecutable = 126;
    private const int NotFound = 127;
    private const int NoSuchFile = 2;   // ENOENT, ERROR_FILE_NOT_FOUND

    private static readonly (PosixSignal Signal, int Number)[] PassedOn = [(PosixSignal.SIGTERM, 15), (PosixSignal.SIGHUP, 1), (PosixSignal.SIGINT, 2), (PosixSignal.SIGQUIT, 3)];

    /// <param name="command">The program and its arguments.</param>
    /// <param name="client">What its environment needs; null: there is no broker for it.</param>
    /// <param name="prepare">Adds to its environment what else it needs.</param>
    /// <param name="error">Where it is told why it was not started.</param>
    /// <returns>What it ended with.</returns>
    public static async Task<int> RunAsync(string[] command, BrokerClient? client, Action<IDictionary<string, string?>> prepare, TextWriter error)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { UseShellExecute = false };
        client?.ApplyTo(start.Environment);
        prepare(start.Environment);
        // Before it is started: a signal that comes then is kept for it, and does not end this program.
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        PosixSignalRegistration[] signals = [.. PassedOn.Select(one => PosixSignalRegistration.Create(one.Signal, context => PassOn(context, started.Task, one.Number)))];
        try
        {
            using Process child = Process.Start(start)!;
            client?.BindTo(child.Id);
            started.SetResult(child);
            await child.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            return child.ExitCode;   // of one that a signal ended, 128 and its number
        }
        catch (Win32Exception refused)
        {
            bool isMissing = refused.NativeErrorCode == NoSuchFile;
            await error.WriteLineAsync($"command: '{ExceptionText.Clean(command[0])}' {(isMissing ? "is not there. Name a file, or a program that PATH leads to" : "can't be executed. Look at its mode")}.").ConfigureAwait(false);
            return isMissing ? NotFound : NotExecutable;
        }
        finally
        {
            foreach (PosixSignalRegistration signal in signals)
                signal.Dispose();
        }
    }

    private static void PassOn(PosixSignalContext context, Task<Process> started, int number)
    {
        context.Cancel = true;
        // What is pressed on a terminal goes to the child from there: it is of the same group.
        if (context.Signal is PosixSignal.SIGINT or PosixSignal.SIGQUIT && !Console.IsInputRedirected)
            return;
        _ = SendAsync(started, number);
    }

    private static async Task SendAsync(Task<Process> started, int number)
    {
        if (OperatingSystem.IsWindows())
            return;
        try
        {
            Process child = await started.ConfigureAwait(false);
            _ = NativeMethods.kill(child.Id, number);
        }
        catch (InvalidOperationException)
        {
            // It has ended, and is waited for.
        }
    }

    private static class NativeMethods
    {
        [DllImport("libc", ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int kill(int process, int signal);
    }
}
