using System.CommandLine;

namespace Nhi.TokenExchange;

/// <summary><c>nhi exec</c>: runs a program that can't exchange tokens, beside a broker of its own.</summary>
internal static class ExecCommand
{
    public const string Name = "exec";

    // What a killed run left is ended by now, unless its issuer is slow; the journal keeps it then for the next.
    private static readonly TimeSpan LongestRecovery = TimeSpan.FromSeconds(10);

    public static Command Make(Screen screen)
    {
        var target = new Option<string[]>("--target", "-t") { Description = "A target that the program may have, by OAuth token exchange; or, of AWS credentials, as those of a container. May come more than once.", DefaultValueFactory = _ => [] };
        var azure = new Option<string[]>("--azure") { Description = "target=resource[,client-id]: a target that the program may have as a managed identity of Azure.", DefaultValueFactory = _ => [] };
        var google = new Option<string?>("--google") { Description = "target=email,project: the target that the program may have as the default service account of Google Cloud." };
        var awsProfile = new Option<string[]>("--aws-profile") { Description = "A target of AWS credentials that the program may have as a profile of that name, over a Unix socket (credential_process). May come more than once; the first is the default.", DefaultValueFactory = _ => [] };
        var program = new Argument<string[]>("command") { Description = "The program and its arguments, behind --.", Arity = ArgumentArity.OneOrMore };
        var command = new Command(Name, """
            Runs a program that can't exchange tokens, beside a broker that answers it alone. Its environment has the broker's address and a token that is good for nothing else; what it gets is revoked when it ends, killed or not.

            Exit code: the program's own; 128 and the signal that ended it; 125 if it was not started, 126 if it can't be, 127 if there is none.

            Examples:
              nhi exec --target archive -- aws s3 ls
              nhi exec --aws-profile archive --aws-profile backup -- terraform apply
              nhi exec --azure lake=https://storage.azure.com -- python load.py
              nhi exec --target warehouse -- sh -c 'curl --unix-socket "${NHI_BROKER#unix:}" ...'
            """) { target, azure, google, awsProfile, program };
        JobSettings.AddTo(command);
        command.SetAction(async (line, cancellationToken) =>
        {
            ExecTargets wanted = ExecTargets.Read(line.GetRequiredValue(target), line.GetRequiredValue(azure), line.GetValue(google), line.GetRequiredValue(awsProfile));
            JobSettings settings = JobSettings.Read(line);
            try
            {
                // The program ends first: a signal is passed on to it, and the job ends behind it.
                JobSession session = await JobSession.StartAsync(builder =>
                {
                    settings.Compose(builder);
                    builder.EndOnSignals(false);
                }, cancellationToken).ConfigureAwait(false);
                await using (session.ConfigureAwait(false))
                    return await RunAsync(session, wanted, line.GetRequiredValue(program), screen, cancellationToken).ConfigureAwait(false);
            }
            catch (TokenExchangeException failed)
            {
                await screen.Error.WriteLineAsync(failed.Message).ConfigureAwait(false);
                return ChildProgram.NotStarted;
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(JobSession session, ExecTargets wanted, string[] program, Screen screen, CancellationToken cancellationToken)
    {
        int code;
        using var folder = HelperFolder.Open();
        TokenBroker broker = await TokenBroker.StartAsync(session, options =>
        {
            options.Folder = folder.Path;
            wanted.AddTo(options, session);
        }, cancellationToken).ConfigureAwait(false);
        await using (broker.ConfigureAwait(false))
        {
            BrokerClient client = broker.Admit(NameOf(program[0]));
            await using (client.ConfigureAwait(false))
                code = await ChildProgram.RunAsync(program, client, environment => AwsProfiles.Apply(folder, wanted.AwsProfilesOf(session), environment), screen.Error).ConfigureAwait(false);
        }
        await RecoverAsync(session).ConfigureAwait(false);
        JobReport report = await session.CompleteAsync(CancellationToken.None).ConfigureAwait(false);
        if (!report.AllEnded)
            await screen.Error.WriteLineAsync(report.ToString()).ConfigureAwait(false);
        return code;
    }

    // What rules know it by.
    private static string NameOf(string program) =>
        ExceptionText.Clean(Path.GetFileName(program), 99) is { } name && !string.IsNullOrWhiteSpace(name) ? name : throw new UsageException($"command: '{ExceptionText.Clean(program)}' is no program. Name a file, or a program that PATH leads to.");

    // A job that has ended gets no login any more, which some recoveries need: a program of a moment would leave them undone.
    private static async Task RecoverAsync(JobSession session)
    {
        using var limit = new CancellationTokenSource(LongestRecovery, TimeProvider.System);
        try
        {
            await session.WaitForRecoveryAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // See above.
        }
    }
}
