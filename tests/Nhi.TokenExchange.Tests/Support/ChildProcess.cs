using System.Diagnostics;

namespace Nhi.TokenExchange.Tests;

/// <summary>Runs the job of tests/Nhi.TokenExchange.ChildJob in a process of its own.</summary>
internal static class ChildProcess
{
    private static readonly string Job = typeof(ChildProcess).Assembly.Location.Replace("Nhi.TokenExchange.Tests", "Nhi.TokenExchange.ChildJob", StringComparison.Ordinal);

    // One that hangs is a failed test, not one that never ends.
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    /// <summary>Runs it to its end.</summary>
    /// <param name="how">What it does.</param>
    /// <param name="variables">Set in its environment.</param>
    /// <returns>All that it said, and its exit code.</returns>
    public static Task<(string Said, int ExitCode)> RunAsync(string how, params (string Name, string Value)[] variables) => EndAsync(new ProcessStartInfo("dotnet", [Job, how]), variables);

    /// <summary>Runs a sample that is built with these tests.</summary>
    /// <param name="sample">Its name.</param>
    /// <param name="args">Its arguments.</param>
    /// <returns>All that it said, and its exit code.</returns>
    public static Task<(string Said, int ExitCode)> RunSampleAsync(string sample, params string[] args)
    {
        string built = typeof(ChildProcess).Assembly.Location.Replace($"tests{Path.DirectorySeparatorChar}Nhi.TokenExchange.Tests", $"samples{Path.DirectorySeparatorChar}{sample}", StringComparison.Ordinal);
        return EndAsync(new ProcessStartInfo("dotnet", [built.Replace("Nhi.TokenExchange.Tests", sample, StringComparison.Ordinal), .. args]));
    }

    /// <summary>Starts it.</summary>
    public static Process Start(params string[] how) => Start(new ProcessStartInfo("dotnet", [Job, .. how]));

    /// <summary>Starts it with no signal ignored, whatever these tests were started with: <c>nohup</c>, and <c>&amp;</c> of a script, leave some ignored to all that comes after.</summary>
    public static Process StartForSignals(params string[] how) =>
        OperatingSystem.IsLinux() ? Start(new ProcessStartInfo("env", ["--default-signal=HUP,INT,TERM", "dotnet", Job, .. how])) : Start(how);

    /// <summary>Starts it in a shell that says something first, such as <c>ulimit -f 64</c>.</summary>
    public static Process StartIn(string shell, params string[] how)
    {
        var start = new ProcessStartInfo("sh", ["-c", $"{shell}; exec dotnet \"$@\"", "sh", Job, .. how]);
        return Start(start);
    }

    /// <summary>Waits for what it says next.</summary>
    /// <returns>Null: it has ended.</returns>
    /// <exception cref="AssertionException">It lives, and said nothing more for minutes; it is killed.</exception>
    public static async Task<string?> ReadLineAsync(Process child)
    {
        try
        {
            return await child.StandardOutput.ReadLineAsync().WaitAsync(Deadline, TimeProvider.System);
        }
        catch (TimeoutException)
        {
            child.Kill(entireProcessTree: true);
            throw new AssertionException($"The child process said nothing more within {Deadline}. Its errors: {await child.StandardError.ReadToEndAsync()}");
        }
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>What it said since the last line that was read, and its exit code.</returns>
    /// <exception cref="AssertionException">It lives on after minutes; it is killed.</exception>
    public static async Task<(string Said, string Errors, int ExitCode)> EndAsync(Process child)
    {
        Task<string> errors = child.StandardError.ReadToEndAsync();
        Task<string> output = child.StandardOutput.ReadToEndAsync();
        bool ended = await Task.WhenAny(output, Task.Delay(Deadline, TimeProvider.System, CancellationToken.None)) == output;
        if (!ended)
            child.Kill(entireProcessTree: true);
        (string said, string wrong) = (await output, await errors);
        await child.WaitForExitAsync();
        return ended ? (said, wrong, child.ExitCode) : throw new AssertionException($"The child process did not end within {Deadline}. It said: {said}{wrong}");
    }

    private static async Task<(string Said, int ExitCode)> EndAsync(ProcessStartInfo start, params (string Name, string Value)[] variables)
    {
        using Process child = Start(start, variables);
        (string said, string errors, int exitCode) = await EndAsync(child);
        return (said + errors, exitCode);
    }

    private static Process Start(ProcessStartInfo start, params (string Name, string Value)[] variables)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        foreach ((string name, string value) in variables)
            start.Environment[name] = value;
        return Process.Start(start)!;
    }
}
