using System.Buffers;
using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>A configuration file of AWS with a profile for each target, whose <c>credential_process</c> is a helper of ours. Page: "Process credential provider" of the AWS SDKs and Tools Reference.</summary>
internal static class AwsProfiles
{
    private static readonly SearchValues<char> NotQuotable = SearchValues.Create("\"\\$`]\r\n");

    /// <summary>Writes the files, and sets the variables that lead to them and to nothing else; the first target is the profile that is used if none is named.</summary>
    /// <exception cref="UsageException">A name can't stand in such a file.</exception>
    public static void Apply(HelperFolder folder, IReadOnlyList<(string Target, string? Region)> profiles, IDictionary<string, string?> environment)
    {
        if (profiles.Count == 0)
            return;
        var text = new StringBuilder();
        foreach ((string target, string? region) in profiles)
        {
            text.Append("[profile ").Append(target).Append("]\ncredential_process = ").AppendJoin(' ', OwnCommand.Words.Concat(["helper", "aws", target]).Select(Quoted)).Append('\n');
            if (region is not null)
                text.Append("region = ").Append(region).Append('\n');
        }
        environment["AWS_CONFIG_FILE"] = folder.Write("aws-config", text.ToString());
        environment["AWS_SHARED_CREDENTIALS_FILE"] = folder.Write("aws-credentials", "");   // a key of the same profile would go before
        environment["AWS_PROFILE"] = profiles[0].Target;
        environment["AWS_SDK_LOAD_CONFIG"] = "1";   // older SDKs read the credentials file alone
        environment["AWS_EC2_METADATA_DISABLED"] = "true";
    }

    /// <summary>Answers one call of an SDK; the container's answer has the same in other words.</summary>
    /// <exception cref="HelperRefusal">There is none.</exception>
    public static async Task<string> AnswerAsync(BrokerConnection broker, string target, CancellationToken cancellationToken)
    {
        JsonObject got = await broker.GetAsync($"/aws/{Uri.EscapeDataString(target)}", cancellationToken).ConfigureAwait(false);
        return new JsonObject
        {
            ["Version"] = 1, ["AccessKeyId"] = (string?)got["AccessKeyId"], ["SecretAccessKey"] = (string?)got["SecretAccessKey"], ["SessionToken"] = (string?)got["Token"], ["Expiration"] = (string?)got["Expiration"],
        }.ToJsonString();
    }

    // Some SDKs split the line as a shell does, others give it to one.
    private static string Quoted(string word) =>
        word.AsSpan().IndexOfAny(NotQuotable) < 0 ? $"\"{word}\"" : throw new UsageException($"--aws-profile: '{ExceptionText.Clean(word)}' can't stand in a configuration file of AWS. Give the target a plain name, and install nhi in a folder with one.");
}
