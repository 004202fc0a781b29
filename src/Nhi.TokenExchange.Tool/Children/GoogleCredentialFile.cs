using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>A target as Google's client libraries find it: application default credentials of an external account, whose source is an executable. AIP-4117; page "Workload Identity Federation: executable-sourced credentials".</summary>
/// <remarks>The broker is the token service of that account: the executable gives the client's own token, which is good for this broker alone, and the library exchanges it there. So no proof of the job leaves it.</remarks>
internal static class GoogleCredentialFile
{
    private const string IdTokenType = "urn:ietf:params:oauth:token-type:id_token";

    /// <summary>Writes the file, and sets the variables that lead to it. The environment has the broker's address already.</summary>
    /// <exception cref="UsageException">This program's path can't stand in such a file.</exception>
    public static void Apply(HelperFolder folder, GoogleDefault? wanted, IDictionary<string, string?> environment)
    {
        if (wanted is null)
            return;
        var file = new JsonObject
        {
            ["type"] = "external_account",
            ["audience"] = wanted.Target,
            ["subject_token_type"] = "urn:ietf:params:oauth:token-type:access_token",
            ["token_url"] = new Uri(new Uri(environment["NHI_BROKER"]!), "/oauth2/token").AbsoluteUri,
            ["credential_source"] = new JsonObject { ["executable"] = new JsonObject { ["command"] = string.Join(' ', OwnCommand.Words.Concat(["helper", "google"]).Select(Quoted)), ["timeout_millis"] = 30_000 } },
        };
        environment["GOOGLE_APPLICATION_CREDENTIALS"] = folder.Write("google.json", file.ToJsonString());
        environment["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES"] = "1";
        if (wanted.Project is { } project)
            environment["GOOGLE_CLOUD_PROJECT"] = project;
    }

    /// <summary>What a library reads: the proof that it shows to the broker.</summary>
    public static string Answer(BrokerConnection broker) => new JsonObject { ["version"] = 1, ["success"] = true, ["token_type"] = IdTokenType, ["id_token"] = broker.RevealToken() }.ToJsonString();

    /// <summary>The same of a failure. It is an answer, too: libraries read it where the exit code is 0.</summary>
    public static string Answer(HelperRefusal refused) => new JsonObject { ["version"] = 1, ["success"] = false, ["code"] = "NO_CREDENTIAL", ["message"] = refused.Message }.ToJsonString();

    // Libraries split the command at spaces that are not between quotes, and know no way to write a quote.
    private static string Quoted(string word) => word.Contains('"', StringComparison.Ordinal) ? throw new UsageException($"--google-adc: '{ExceptionText.Clean(word)}' can't stand in a configuration of Google. Install nhi in a folder without quotes in its name.") : $"\"{word}\"";
}
