using System.Diagnostics;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>One run of <c>nhi</c>: in this process, or as a program of its own where variables of the process count.</summary>
internal sealed record ToolRun(int ExitCode, string Output, string Error)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    public string All => $"exit code {ExitCode}\n{Output}\n{Error}";

    public static async Task<ToolRun> HereAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await NhiCommand.RunAsync(args, new Screen(output, error, isTerminal: false), CancellationToken.None);
        return new ToolRun(code, output.ToString(), error.ToString());
    }

    public static Task<ToolRun> ProgramAsync(IReadOnlyDictionary<string, string> variables, params string[] args) => ProgramInAsync("", variables, args);

    /// <summary>As the other one, in a folder.</summary>
    public static Task<ToolRun> ProgramInAsync(string folder, IReadOnlyDictionary<string, string> variables, params string[] args) => OfAsync("dotnet", folder, variables, [typeof(NhiCommand).Assembly.Location, .. args]);

    /// <summary>A run of any program, such as an installed <c>nhi</c>.</summary>
    public static async Task<ToolRun> OfAsync(string file, string folder, IReadOnlyDictionary<string, string> variables, params string[] args)
    {
        var start = new ProcessStartInfo(file, args) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        foreach ((string name, string value) in variables)
            start.Environment[name] = value;
        using Process program = Process.Start(start)!;
        Task<string> output = program.StandardOutput.ReadToEndAsync(), error = program.StandardError.ReadToEndAsync();
        using var late = new CancellationTokenSource(Deadline, TimeProvider.System);
        try
        {
            await program.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            program.Kill(entireProcessTree: true);
            throw new TimeoutException($"{file} {string.Join(' ', args)} did not end.");
        }
        return new ToolRun(program.ExitCode, await output, await error);
    }
}
