using System.Diagnostics;

namespace Nhi.TokenExchange.Tests;

/// <summary>The program of tests/Nhi.TokenExchange.ChildBroker in a process of its own.</summary>
internal sealed class ChildBroker : IAsyncDisposable
{
    private static readonly string Program = typeof(ChildBroker).Assembly.Location.Replace("Nhi.TokenExchange.Broker.Tests", "Nhi.TokenExchange.ChildBroker", StringComparison.Ordinal);

    private ChildBroker(Process process) => Process = process;

    public Process Process { get; }

    public static ChildBroker Start(params string[] arguments) => new(Begin("dotnet", [Program, .. arguments]));

    /// <summary>As another user: needs to be root.</summary>
    public static ChildBroker StartAs(uint user, params string[] arguments) => new(Begin("setpriv", [$"--reuid={user}", $"--regid={user}", "--clear-groups", "dotnet", Program, .. arguments]));

    public async Task<string> LineAsync() => await Process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System) ?? await Process.StandardError.ReadToEndAsync();

    public static async Task SignalAsync(int process, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{process}"]);
        await kill.WaitForExitAsync();
        Assert.That(kill.ExitCode, Is.Zero);
    }

    public async ValueTask DisposeAsync()
    {
        if (!Process.HasExited)
            Process.Kill();
        await Process.WaitForExitAsync();
        Process.Dispose();
    }

    private static Process Begin(string program, string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOTNET_CLI_HOME"] = Path.GetTempPath();
        return Process.Start(start)!;
    }
}
