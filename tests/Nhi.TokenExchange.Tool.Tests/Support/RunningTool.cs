using System.Diagnostics;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary><c>nhi</c> as a program of its own that goes on until it is told to end, or is killed.</summary>
internal sealed class RunningTool : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);   // a login of a minute is renewed within it

    private readonly Process _process;

    private RunningTool(Process process) => _process = process;

    /// <summary>The line that was waited for.</summary>
    public string Line { get; private set; } = "";

    /// <summary>Starts it, and waits until it has written a line that has this in it.</summary>
    public static Task<RunningTool> StartAsync(string until, params string[] args) => StartAsync(onError: false, until, Own(args));

    /// <summary>As the other one, in a folder.</summary>
    public static Task<RunningTool> StartInAsync(string folder, string until, params string[] args)
    {
        ProcessStartInfo start = Own(args);
        start.WorkingDirectory = folder;
        return StartAsync(start, until);
    }

    /// <summary>As the other one, of any program, such as an installed <c>nhi</c>.</summary>
    public static Task<RunningTool> StartAsync(ProcessStartInfo start, string until) => StartAsync(onError: false, until, start);

    /// <summary>As the other one, for a line on the standard error.</summary>
    public static Task<RunningTool> StartUntilErrorAsync(string until, params string[] args) => StartAsync(onError: true, until, Own(args));

    private static ProcessStartInfo Own(string[] args) => new("dotnet", [typeof(NhiCommand).Assembly.Location, .. args]);

    private static async Task<RunningTool> StartAsync(bool onError, string until, ProcessStartInfo start)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (!onError, onError);
        var running = new RunningTool(Process.Start(start)!);
        using var late = new CancellationTokenSource(Deadline, TimeProvider.System);
        string? line;
        do
            line = await (onError ? running._process.StandardError : running._process.StandardOutput).ReadLineAsync(late.Token);
        while (line is not null && !line.Contains(until, StringComparison.Ordinal));
        Assert.That(line, Is.Not.Null, $"it ended without writing '{until}'");
        running.Line = line!;
        return running;
    }

    /// <summary>SIGTERM, which lets it end in order.</summary>
    public async Task<int> TerminateAsync()
    {
        await SignalAsync("TERM");
        return await EndAsync();
    }

    public async Task SignalAsync(string signal)
    {
        using Process kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await EndAsync();
    }

    public async Task<bool> HasEndedWithinAsync(TimeSpan time)
    {
        using var late = new CancellationTokenSource(time, TimeProvider.System);
        try
        {
            await _process.WaitForExitAsync(late.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public async Task<int> EndAsync()
    {
        using var late = new CancellationTokenSource(Deadline, TimeProvider.System);
        await _process.WaitForExitAsync(late.Token);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }
}
