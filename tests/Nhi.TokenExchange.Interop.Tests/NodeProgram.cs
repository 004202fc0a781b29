using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange;

/// <summary>A program in a Node process of its own, made of the packages in the folder <c>node</c>. Ended by its handle.</summary>
/// <remarks>Installed beforehand: <c>npm ci --ignore-scripts --prefix tests/Nhi.TokenExchange.Interop.Tests/node</c>.</remarks>
internal sealed class NodeProgram : IAsyncDisposable
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopDeadline = TimeSpan.FromSeconds(5);

    private readonly Process _process;

    private NodeProgram(Process process) => _process = process;

    /// <summary>Starts a program and gives it what it reads from standard input.</summary>
    /// <param name="package">The package that it can't do without.</param>
    /// <param name="arguments">The program's path below the folder, and what it is called with.</param>
    /// <param name="input">A line of standard input, which stays open after it; null for none.</param>
    /// <param name="environment">Variables that differ from this process's.</param>
    public static async Task<NodeProgram> StartAsync(string package, IEnumerable<string> arguments, string? input = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var process = new Process
        {
            StartInfo = new ProcessStartInfo("node", arguments)
            {
                WorkingDirectory = RequireInstalled(package), RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false,
            },
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
            process.StartInfo.Environment[name] = value;
        process.ErrorDataReceived += (_, line) => TestContext.Progress.WriteLine(line.Data);
        process.Start();
        var program = new NodeProgram(process);
        try
        {
            process.BeginErrorReadLine();
            if (input is not null)
            {
                await process.StandardInput.WriteLineAsync(input);
                await process.StandardInput.FlushAsync();
            }
            return program;
        }
        catch
        {
            await program.DisposeAsync();
            throw;
        }
    }

    /// <summary>Reads its output up to a line that matches, and lets it write on unread.</summary>
    /// <returns>The match's first group.</returns>
    public async Task<string> WaitForAsync(Regex line)
    {
        using var deadline = new CancellationTokenSource(StartDeadline);
        while (await _process.StandardOutput.ReadLineAsync(deadline.Token) is { } said)
        {
            if (line.Match(said) is { Success: true } match)
            {
                _ = _process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);   // a full pipe would stop it
                return match.Groups[1].Value;
            }
        }
        throw new InvalidOperationException($"The program ended before it said '{line}'.");
    }

    /// <summary>Closes its input and reads all that it says until it ends.</summary>
    public async Task<string> RunToEndAsync()
    {
        _process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(StartDeadline);
        string said = await _process.StandardOutput.ReadToEndAsync(deadline.Token);
        await _process.WaitForExitAsync(deadline.Token);
        return _process.ExitCode == 0 ? said : throw new InvalidOperationException($"The program ended with code {_process.ExitCode}: {said}");
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (!_process.HasExited)
            {
                _process.StandardInput.Close();   // ours end when their input ends
                using var deadline = new CancellationTokenSource(StopDeadline);
                await _process.WaitForExitAsync(deadline.Token);
            }
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }
        finally
        {
            _process.Dispose();
        }
    }

    /// <summary>Ends a program that does not listen to its input.</summary>
    public async ValueTask KillAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await DisposeAsync();
    }

    // Where the checkout is built, its folder lies above the binaries.
    /// <summary>Skips the test unless the package is installed.</summary>
    /// <returns>The folder that has <c>node_modules</c> in it.</returns>
    internal static string RequireInstalled(string package)
    {
        string? folder = null;
        for (DirectoryInfo? above = new(AppContext.BaseDirectory); above is not null && folder is null; above = above.Parent)
        {
            string candidate = Path.Combine(above.FullName, "node");
            folder = File.Exists(Path.Combine(candidate, "oidc-provider.mjs")) ? candidate : null;
        }
        if (folder is null)
            Missing("the folder node was not found above the test binaries");
        if (!Directory.Exists(Path.Combine([folder!, "node_modules", .. package.Split('/')])))
            Missing($"{package} is not installed; run: npm ci --ignore-scripts --prefix tests/Nhi.TokenExchange.Interop.Tests/node");
        if (!IsOnPath("node"))
            Missing("Node.js 20 or newer is not on the path");
        return folder!;
    }

    internal static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, program)) || File.Exists(Path.Combine(folder, program + ".exe")));

    /// <summary>Skips the test for want of something. A skip that nobody reads proves nothing: under CI it is a failure.</summary>
    public static void Missing(string what)
    {
        if (Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail($"Under CI nothing is skipped: {what}.");
        Assert.Ignore($"Skipped: {what}.");
    }
}
