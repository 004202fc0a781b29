using System.Diagnostics;

namespace Nhi.TokenExchange;

/// <summary>Runs a program to its end, with variables of its own.</summary>
internal static class ChildProgram
{
    /// <returns>The exit code, and all that it wrote, what went to standard error last.</returns>
    public static async Task<(int ExitCode, string Said)> RunAsync(TimeSpan deadline, IReadOnlyDictionary<string, string> environment, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        // What the build that runs these tests says to itself is not meant for a build inside them.
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToArray())
            start.Environment.Remove(name);
        using Process child = Process.Start(start)!;
        using var end = new CancellationTokenSource(deadline);
        try
        {
            Task<string> errors = child.StandardError.ReadToEndAsync(end.Token);
            string output = await child.StandardOutput.ReadToEndAsync(end.Token);
            await child.WaitForExitAsync(end.Token);
            return (child.ExitCode, output + await errors);
        }
        finally
        {
            if (!child.HasExited)
                child.Kill(entireProcessTree: true);
        }
    }
}
