using System.Diagnostics;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary><c>nhi</c> as a program of its own that goes on until it is told to end, or is killed.</summary>
internal sealed class RunningTool : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    private readonly Process _process;

    private RunningTool(Process process) => _process = process;

    /// <summary>The line that was waited for.</summary>
    public string Line { get; private set; } = "";

    /// <summary>Starts it, and waits until it has written a line that has this in it.</summary>
    public static Task<RunningTool> StartAsync(string until, params string[] args) => StartAsync(onError: false, until, args);

    /// <summary>As the other one, for a line on the standard error.</summary>
    public static Task<RunningTool> StartUntilErrorAsync(string until, params string[] args) => StartAsync(onError: true, until, args);

    private static async Task<RunningTool> StartAsync(bool onError, string until, string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(NhiCommand).Assembly.Location, .. args]) { RedirectStandardOutput = !onError, RedirectStandardError = onError };
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
