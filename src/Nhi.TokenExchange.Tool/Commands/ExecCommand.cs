using System.CommandLine;

namespace Nhi.TokenExchange;

/// <summary><c>nhi exec</c>: runs a program that can't exchange tokens, beside a broker of its own.</summary>
internal static class ExecCommand
{
    public const string Name = "exec";

    public static Command Make(Screen screen)
    {
        var program = new Argument<string[]>("command") { Description = "The program and its arguments, behind --.", Arity = ArgumentArity.OneOrMore };
        var command = new Command(Name, """
            Runs a program that can't exchange tokens, beside a broker of its own. Its environment leads to that, or to files in memory; what it gets is revoked when it ends, killed or not, if its issuer can.
            AWS, Databricks, Entra ID and Google can't: what they gave lives on until it dies by itself, which is told on the standard error at the end. MaxLifetime of the target makes it short.

            Exit code: the program's own; 128 and the signal that ended it; 124 if the job was ended while it ran (kill switch, MaxDuration); 125 if it was not started, 126 if it can't be, 127 if there is none.

            Examples:
              nhi exec --target archive -- aws s3 ls
              nhi exec --aws-profile archive --aws-profile backup -- terraform apply
              nhi exec --azure lake=https://storage.azure.com -- python load.py
              nhi exec --psql orders -- psql
              nhi exec --git code=https://git.example -- git push
              nhi exec --target warehouse -- sh -c 'curl --unix-socket "${NHI_BROKER#unix:}" ...'
            """) { program };
        ExecOptions.AddTo(command);
        JobSettings.AddTo(command);
        command.SetAction((line, cancellationToken) =>
        {
            string[] words = line.GetRequiredValue(program);
            return CommandLineFault.BeforeProgram(line, words) is { } fault ? throw new UsageException(fault) : RunAsync(line, ExecTargets.Read(line), words, screen, cancellationToken);
        });
        return command;
    }

    // Until the program starts all that fails is one code: others are the program's.
    private static async Task<int> RunAsync(ParseResult line, ExecTargets wanted, string[] program, Screen screen, CancellationToken cancellationToken)
    {
        using var signals = new ChildSignals();
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, signals.GivenUp);
        try
        {
            RequireCurrentFolder();
            JobSettings settings = JobSettings.Read(line);
            // The program ends first: a signal is passed on to it, and the job ends behind it.
            JobSession session = await JobSession.StartAsync(builder =>
            {
                settings.Compose(builder);
                builder.EndOnSignals(false);
            }, both.Token).ConfigureAwait(false);
            await using (session.ConfigureAwait(false))
            {
                try
                {
                    return await new ExecRun(session, settings, wanted, program, signals, screen).RunAsync(both.Token).ConfigureAwait(false);
                }
                finally
                {
                    signals.BeginEnd();
                }
            }
        }
        catch (OperationCanceledException) when (signals.Early is { } number)
        {
            return ChildProgram.BySignal + number;
        }
        catch (Exception failed) when (failed is TokenExchangeException or IOException or UnauthorizedAccessException)
        {
            await screen.Error.WriteLineAsync(failed is TokenExchangeException ? failed.Message : ExceptionText.Clean(failed.Message, 300)).ConfigureAwait(false);
            return ChildProgram.NotStarted;
        }
    }

    // Else whatever is looked for first would be what is not found.
    private static void RequireCurrentFolder()
    {
        try
        {
            _ = Directory.GetCurrentDirectory();
        }
        catch (IOException)
        {
            throw new IOException("The current folder is not there any more. Change to one that is.");
        }
    }
}
