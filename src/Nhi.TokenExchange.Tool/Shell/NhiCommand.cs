using System.CommandLine;
using System.CommandLine.Invocation;

namespace Nhi.TokenExchange;

/// <summary>The command <c>nhi</c>, and one way for all of its commands to end.</summary>
internal static class NhiCommand
{
    // "@word" is a word like others: a program's argument, for one, such as curl's -d @body.
    private static readonly ParserConfiguration NoResponseFiles = new() { ResponseFileTokenReplacer = null };

    /// <summary>Runs a command line.</summary>
    /// <param name="args">What stands behind <c>nhi</c>.</param>
    /// <param name="screen">Where it writes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>One of <see cref="ExitCodes"/>, or what a child ended with.</returns>
    public static async Task<int> RunAsync(string[] args, Screen screen, CancellationToken cancellationToken)
    {
        RootCommand root = Make(screen);
        ParseResult line = root.Parse(args, NoResponseFiles);
        if (args.Length > 0 && line.Action is ParseErrorAction)
        {
            await screen.Error.WriteLineAsync(CommandLineFault.Of(line)).ConfigureAwait(false);
            return ExitCodes.Usage;
        }
        // Help without being asked for it is no output.
        (line, TextWriter helped) = args.Length > 0 ? (line, screen.Output) : (root.Parse("--help", NoResponseFiles), screen.Error);
        using var help = new StringWriter(System.Globalization.CultureInfo.InvariantCulture);
        // A job's end may take its time; whoever presses Ctrl-C twice means it.
        var how = new InvocationConfiguration { Output = help, Error = screen.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(30) };
        if (line.CommandResult.Command.Name == ExecCommand.Name)
            how.ProcessTerminationTimeout = null;   // signals are its child's
        try
        {
            int code = await line.InvokeAsync(how, cancellationToken).ConfigureAwait(false);
            // Help calls the program by its assembly, which nobody types.
            await helped.WriteAsync(help.ToString().Replace(RootCommand.ExecutableName, "nhi", StringComparison.Ordinal).Replace("exec <command>... [options]", "exec [options] -- <command>...", StringComparison.Ordinal)).ConfigureAwait(false);
            return args.Length > 0 ? code : ExitCodes.Usage;
        }
        catch (UsageException wrong)
        {
            await screen.Error.WriteLineAsync(wrong.Message).ConfigureAwait(false);
            return ExitCodes.Usage;
        }
        catch (TokenExchangeException failed)
        {
            await screen.Error.WriteLineAsync(failed.Message).ConfigureAwait(false);
            return failed.Code == ErrorCodes.UnknownTarget ? ExitCodes.Usage : ExitCodes.Of(failed);
        }
        catch (OperationCanceledException)
        {
            await screen.Error.WriteLineAsync("Given up.").ConfigureAwait(false);
            return ExitCodes.Unexpected;
        }
        catch (Exception unforeseen)
        {
            // Texts of the system name files; others might quote what they were given.
            string what = unforeseen is IOException or UnauthorizedAccessException ? ExceptionText.Clean(unforeseen.Message, 300) : unforeseen.GetType().Name;
            await TryTellAsync(screen, what).ConfigureAwait(false);
            return ExitCodes.Unexpected;
        }
    }

    private static async Task TryTellAsync(Screen screen, string what)
    {
        try
        {
            await screen.Error.WriteLineAsync(what).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // Nobody reads any more: a closed pipe is what failed.
        }
    }

    private static RootCommand Make(Screen screen)
    {
        var root = new RootCommand("""
            Short-lived credentials of jobs: finds out why an exchange fails, and what else is to be known of a job.

            Examples:
              nhi doctor                                     why does it fail?
              nhi whoami                                     who is this job to others?
              nhi policy test nhi.policy.json cases.json
              nhi audit verify /var/log/orders
              nhi exec --target archive -- aws s3 ls

            Exit codes: 0 well, 1 unforeseen, 2 command line, 3 settings, 4 denied by the policy, 5 proof or issuer refused, 6 may pass by itself, 7 audit, 8 not revoked, 9 the job was ended. exec has its program's.
            """);
        Command[] commands =
        [
            DoctorCommand.Make(screen), WhoamiCommand.Make(screen), TokenCommand.Make(screen), PolicyCommand.Make(screen), AuditCommand.Make(screen), LeasesCommand.Make(screen), ExecCommand.Make(screen),
            HelperCommand.Make(screen), EmulatorCommand.Make(screen), CompletionCommand.Make(screen),
        ];
        foreach (Command command in commands)
            root.Subcommands.Add(command);
        return root;
    }
}
