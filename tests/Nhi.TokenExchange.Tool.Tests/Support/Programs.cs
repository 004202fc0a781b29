using System.Diagnostics;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>Programs of others, run to their end in an environment of their own.</summary>
internal static class Programs
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    /// <returns>The exit code, and all that it wrote.</returns>
    public static async Task<(int ExitCode, string Said)> RunAsync(string program, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Clear();
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        using var late = new CancellationTokenSource(Deadline, TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} did not end.");
        }
        return (process.ExitCode, await output + await error);
    }
}
