using System.CommandLine;

namespace Nhi.TokenExchange;

/// <summary><c>nhi helper</c>: what programs below <c>nhi exec</c> call to get a credential, in the form that each of them knows.</summary>
internal static class HelperCommand
{
    public static Command Make(Screen screen) => new("helper", "What programs call that nhi exec started. Not for people.") { Hidden = true, Subcommands = { Aws(screen), Git(screen), Google(screen), Docker(screen), Kubectl(screen) } };

    private static Command Aws(Screen screen)
    {
        var target = new Argument<string>("target");
        var command = new Command("aws", "Answers the credential_process of a profile of AWS.") { target };
        command.SetAction((line, cancellationToken) => AnswerAsync(screen, () => AskAsync(broker => AwsProfiles.AnswerAsync(broker, line.GetRequiredValue(target), cancellationToken))));
        return command;
    }

    private static Command Git(Screen screen)
    {
        var target = new Argument<string>("target");
        var address = new Argument<string>("address");
        var user = new Argument<string>("user");
        var operation = new Argument<string>("operation");
        var command = new Command("git", "A credential helper of git.") { target, address, user, operation };
        command.SetAction((line, cancellationToken) => AnswerAsync(screen, () =>
        {
            var host = new GitHost(line.GetRequiredValue(target), new Uri(line.GetRequiredValue(address)), line.GetRequiredValue(user));
            return AskAsync(broker => GitCredentials.AnswerAsync(broker, host, line.GetRequiredValue(operation), Console.In, cancellationToken));
        }, refused => "quit=1"));   // else git would ask the terminal
        return command;
    }

    private static Command Google(Screen screen)
    {
        var command = new Command("google", "An executable source of Google's client libraries.");
        command.SetAction(async (_, _) =>
        {
            string answer;
            try
            {
                using BrokerConnection broker = BrokerConnection.FromEnvironment();
                answer = GoogleCredentialFile.Answer(broker);
            }
            catch (HelperRefusal refused)
            {
                answer = GoogleCredentialFile.Answer(refused);
            }
            await screen.Output.WriteLineAsync(answer).ConfigureAwait(false);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Docker(Screen screen)
    {
        var operation = new Argument<string>("operation");
        var command = new Command("docker", "A credential helper of docker.") { operation };
        command.SetAction((line, cancellationToken) => AnswerAsync(
            screen, () => DockerCredentials.AnswerAsync(BrokerConnection.FromEnvironment, line.GetRequiredValue(operation), Console.In, cancellationToken), refused => refused.Message));   // docker reads failures there
        return command;
    }

    private static Command Kubectl(Screen screen)
    {
        var target = new Argument<string>("target");
        var command = new Command("kubectl", "An exec plugin of kubectl.") { target };
        command.SetAction((line, cancellationToken) => AnswerAsync(screen, () => AskAsync(broker => KubeConfig.AnswerAsync(broker, line.GetRequiredValue(target), cancellationToken))));
        return command;
    }

    private static async Task<string> AskAsync(Func<BrokerConnection, Task<string>> ask)
    {
        using BrokerConnection broker = BrokerConnection.FromEnvironment();
        return await ask(broker).ConfigureAwait(false);
    }

    /// <param name="screen">Where it writes.</param>
    /// <param name="ask">Gets the answer.</param>
    /// <param name="refusal">What the program reads if there is none; null: nothing.</param>
    private static async Task<int> AnswerAsync(Screen screen, Func<Task<string>> ask, Func<HelperRefusal, string>? refusal = null)
    {
        try
        {
            string answer = await ask().ConfigureAwait(false);
            if (answer.Length > 0)
                await screen.Output.WriteLineAsync(answer.TrimEnd('\n')).ConfigureAwait(false);
            return ExitCodes.Ok;
        }
        catch (HelperRefusal refused)
        {
            if (refusal is not null)
                await screen.Output.WriteLineAsync(refusal(refused)).ConfigureAwait(false);
            await screen.Error.WriteLineAsync($"nhi: {refused.Message}").ConfigureAwait(false);
            return ExitCodes.Unexpected;
        }
    }
}
