using System.Globalization;
using System.Runtime.InteropServices;

namespace Nhi.TokenExchange;

/// <summary>The signals of a run of <c>nhi exec</c>, from before its job starts until all is ended: before the program starts they give the run up, while it runs they are the program's, and afterwards they wait for the end of what it got.</summary>
internal sealed class ChildSignals : IDisposable
{
    private const int Terminate = 15;
    private const int Pipe = 13;

    // Whoever asks again after this long, while credentials are being ended, means it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private static readonly (PosixSignal Signal, int Number)[] Known = [(PosixSignal.SIGTERM, Terminate), (PosixSignal.SIGHUP, 1), (PosixSignal.SIGINT, 2), (PosixSignal.SIGQUIT, 3)];

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _givenUp = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int? _child;
    private bool _isOver;
    private bool _isToEnd;
    private long? _askedAt;

    public ChildSignals() => _registrations = [.. Known.Select(one => PosixSignalRegistration.Create(one.Signal, context => On(context, one.Number))), .. HandlePipes()];

    /// <summary>Cancelled by a signal that comes before the program starts.</summary>
    public CancellationToken GivenUp => _givenUp.Token;

    /// <summary>The first signal that came before the program started; null: none did.</summary>
    public int? Early { get; private set; }

    /// <summary>From now on signals are the program's. One that came while it started is, too.</summary>
    public void PassTo(int process)
    {
        lock (_gate)
        {
            (_child, _askedAt) = (process, null);
            if (Early is { } early)
                Send(process, early);
            else if (_isToEnd)
                Send(process, Terminate);
        }
    }

    /// <summary>Tells the program to end, as a SIGTERM to this process does; one that is just being started, when it is.</summary>
    public void TellToEnd()
    {
        lock (_gate)
        {
            _isToEnd = true;
            if (_child is { } process)
                Send(process, Terminate);
        }
    }

    /// <summary>The program has ended, or is not started: its number may be another's by now.</summary>
    public void BeginEnd()
    {
        lock (_gate)
            (_child, _isOver) = (null, true);
    }

    public void Dispose()
    {
        BeginEnd();
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        if (!OperatingSystem.IsWindows())
            _ = NativeMethods.signal(Pipe, NativeMethods.Ignored);
        _givenUp.Dispose();
    }

    // .NET has SIGPIPE ignored, and a program inherits what is ignored, for good; what is handled is the default's in it. Here a write to a closed pipe is an IOException all the same. .NET handles no signal that it finds ignored.
    private static IEnumerable<PosixSignalRegistration> HandlePipes()
    {
        if (OperatingSystem.IsWindows())
            yield break;
        _ = NativeMethods.signal(Pipe, NativeMethods.Default);
        yield return PosixSignalRegistration.Create((PosixSignal)Pipe, context => context.Cancel = true);
    }

    private void On(PosixSignalContext context, int number)
    {
        lock (_gate)
        {
            context.Cancel = true;
            if (_isOver || (Early is not null && _child is null))
            {
                context.Cancel = _askedAt is not { } asked || TimeProvider.System.GetElapsedTime(asked) < Patience;
                _askedAt ??= TimeProvider.System.GetTimestamp();
                return;
            }
            if (_child is { } process)
            {
                // What is pressed on a terminal goes to the child from there: it is of the same group.
                if (!(context.Signal is PosixSignal.SIGINT or PosixSignal.SIGQUIT && IsInForeground()))
                    Send(process, number);
                return;
            }
            (Early, _askedAt) = (number, TimeProvider.System.GetTimestamp());
            _ = _givenUp.CancelAsync();   // not in this place: what is given up may ask for the lock
        }
    }

    // proc(5), stat: fields 5 (our group) and 8 (the group in the foreground of our terminal), counted from behind the program's name.
    private static bool IsInForeground()
    {
        if (!OperatingSystem.IsLinux())
            return !Console.IsInputRedirected;
        string stat;
        try
        {
            stat = File.ReadAllText("/proc/self/stat");
        }
        catch (IOException)
        {
            return false;   // no handle is left, perhaps: a signal that comes twice is better than none
        }
        string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return int.Parse(fields[2], CultureInfo.InvariantCulture) == int.Parse(fields[5], CultureInfo.InvariantCulture);
    }

    private static void Send(int process, int number)
    {
        if (!OperatingSystem.IsWindows())
            _ = NativeMethods.kill(process, number);
    }

    private static class NativeMethods
    {
        public const nint Default = 0, Ignored = 1;   // SIG_DFL, SIG_IGN

        [DllImport("libc", ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int kill(int process, int signal);

        [DllImport("libc", ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern nint signal(int signal, nint handler);
    }
}
