using System.CommandLine;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary><c>nhi helper</c>: what programs below <c>nhi exec</c> call to get a credential, in the form that each of them knows.</summary>
internal static class HelperCommand
{
    public static Command Make(Screen screen)
    {
        var target = new Argument<string>("target") { Description = "The target." };
        var aws = new Command("aws", "Answers the credential_process of a profile of AWS.") { target };
        aws.SetAction((line, cancellationToken) => AnswerAsync(screen, broker => AwsAsync(broker, line.GetRequiredValue(target), cancellationToken)));
        return new Command("helper", "What programs call that nhi exec started. Not for people.") { Hidden = true, Subcommands = { aws } };
    }

    private static async Task<int> AnswerAsync(Screen screen, Func<BrokerConnection, Task<string>> ask)
    {
        try
        {
            using BrokerConnection broker = BrokerConnection.FromEnvironment();
            await screen.Output.WriteLineAsync(await ask(broker).ConfigureAwait(false)).ConfigureAwait(false);
            return ExitCodes.Ok;
        }
        catch (HelperRefusal refused)
        {
            await screen.Error.WriteLineAsync($"nhi: {refused.Message}").ConfigureAwait(false);
            return ExitCodes.Unexpected;
        }
    }

    // docs.aws.amazon.com/sdkref: "Process credential provider"; the container's answer has the same in other words.
    private static async Task<string> AwsAsync(BrokerConnection broker, string target, CancellationToken cancellationToken)
    {
        JsonObject got = await broker.GetAsync($"/aws/{Uri.EscapeDataString(target)}", cancellationToken).ConfigureAwait(false);
        return new JsonObject
        {
            ["Version"] = 1, ["AccessKeyId"] = (string?)got["AccessKeyId"], ["SecretAccessKey"] = (string?)got["SecretAccessKey"], ["SessionToken"] = (string?)got["Token"], ["Expiration"] = (string?)got["Expiration"],
        }.ToJsonString();
    }
}
