using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>A program that is run in this one's place: its arguments as they are and no shell between, its input and output, its signals and its exit code.</summary>
internal static class ChildProgram
{
    /// <summary>The job was ended while it ran, and so it was told to end. As <c>timeout</c> has it.</summary>
    public const int JobEnded = 124;

    /// <summary>It was not started, by a fault of ours. As <c>env</c>, <c>timeout</c> and <c>docker</c> have it, like the next two.</summary>
    public const int NotStarted = 125;

    /// <summary>What is added to the number of a signal that ended it, as shells have it.</summary>
    public const int BySignal = 128;

    private const int NoSuchFile = 2, TooLong = 7, Denied = 13;   // ENOENT, E2BIG, EACCES
    private const int NotExecutable = 126;
    private const int NotFound = 127;

    /// <param name="command">The program and its arguments.</param>
    /// <param name="client">What its environment needs; null: there is no broker for it.</param>
    /// <param name="prepare">Adds to its environment what else it needs.</param>
    /// <param name="signals">Those of this process.</param>
    /// <param name="error">Where it is told why it was not started.</param>
    /// <returns>What it ended with.</returns>
    public static async Task<int> RunAsync(string[] command, BrokerClient? client, Action<IDictionary<string, string?>> prepare, ChildSignals signals, TextWriter error)
    {
        var start = new ProcessStartInfo { UseShellExecute = false };
        foreach (string argument in command.Skip(1))
            start.ArgumentList.Add(argument);
        client?.ApplyTo(start.Environment);
        prepare(start.Environment);
        if (ProgramPath.Find(command[0], start.Environment.TryGetValue("PATH", out string? path) ? path : null) is not { } program)
            return await RefusedAsync(NotFound, command[0], "is not there. Name a file (./name in the current folder), or a program that PATH leads to", error).ConfigureAwait(false);
        if (!program.MayRun)
            return await RefusedAsync(NotExecutable, program.File, Directory.Exists(program.File) ? "can't be executed: it is a folder" : "can't be executed. Look at its mode", error).ConfigureAwait(false);
        start.FileName = program.File;   // as a whole path: a bare name would be looked for beside nhi and in the current folder first
        if (signals.Early is { } early)
            return BySignal + early;
        Process child;
        try
        {
            child = Process.Start(start)!;
        }
        catch (Win32Exception failed)
        {
            return await RefusedAsync(NotExecutable, program.File, $"can't be executed. {ReasonOf(failed)}", error).ConfigureAwait(false);
        }
        using (child)
        {
            try
            {
                client?.BindTo(child.Id);
                signals.PassTo(child.Id);
                await child.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
                return child.ExitCode;   // of one that a signal ended, 128 and its number
            }
            catch (IOException)
            {
                child.Kill();   // it can't be served, and nobody would end it
                throw;
            }
            finally
            {
                signals.BeginEnd();
            }
        }
    }

    private static string ReasonOf(Win32Exception failed) => OperatingSystem.IsWindows() ? "Look at its format" : failed.NativeErrorCode switch
    {
        NoSuchFile => "The interpreter that its first line names is not there",
        TooLong => "Its arguments and its environment are too long together",
        Denied => "This user may not run it, or the interpreter that its first line names",
        var code => string.Create(CultureInfo.InvariantCulture, $"The system's error is {code}; 8 is a format that it does not know"),
    };

    private static async Task<int> RefusedAsync(int code, string program, string why, TextWriter error)
    {
        await error.WriteLineAsync($"command: '{ExceptionText.Clean(program, 300)}' {why}.").ConfigureAwait(false);
        return code;
    }
}
