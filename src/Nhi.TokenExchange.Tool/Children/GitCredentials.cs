using System.Globalization;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Tokens as git finds them: a credential helper for each address, in the configuration that variables hold. Pages: git-config (GIT_CONFIG_COUNT), gitcredentials, git-credential.</summary>
internal static class GitCredentials
{
    private const string Count = "GIT_CONFIG_COUNT";

    /// <summary>Adds the helpers to the configuration that the environment has, and takes the user's own away from these addresses.</summary>
    public static void Apply(IReadOnlyList<GitHost> hosts, IDictionary<string, string?> environment)
    {
        int count = environment.TryGetValue(Count, out string? there) && int.TryParse(there, NumberStyles.None, CultureInfo.InvariantCulture, out int known) ? known : 0;
        foreach (GitHost host in hosts)
        {
            string address = host.Address.AbsoluteUri.TrimEnd('/');
            Add($"credential.{address}.helper", "");   // an empty one forgets those before it
            Add($"credential.{address}.helper", $"!{string.Join(' ', OwnCommand.Words.Concat(["helper", "git", host.Target, address, host.User]).Select(Quoted))}");
            Add($"credential.{address}.username", host.User);
        }
        if (hosts.Count > 0)
            environment[Count] = count.ToString(CultureInfo.InvariantCulture);

        void Add(string key, string value)
        {
            environment[string.Create(CultureInfo.InvariantCulture, $"GIT_CONFIG_KEY_{count}")] = key;
            environment[string.Create(CultureInfo.InvariantCulture, $"GIT_CONFIG_VALUE_{count}")] = value;
            count++;
        }
    }

    /// <summary>Answers one call of git.</summary>
    /// <param name="broker">The broker.</param>
    /// <param name="host">The address that the helper is for.</param>
    /// <param name="operation"><c>get</c>; <c>erase</c>, which says that the server refused it; <c>store</c> and others, of which nothing is done.</param>
    /// <param name="input">What git says, up to a blank line.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What git reads.</returns>
    /// <exception cref="HelperRefusal">There is none.</exception>
    public static async Task<string> AnswerAsync(BrokerConnection broker, GitHost host, string operation, TextReader input, CancellationToken cancellationToken)
    {
        Dictionary<string, string> asked = await ReadAsync(input, cancellationToken).ConfigureAwait(false);
        // git asks by the configuration's own address; whoever asks otherwise is told nothing.
        if (!Uri.TryCreate($"{asked.GetValueOrDefault("protocol")}://{asked.GetValueOrDefault("host")}", UriKind.Absolute, out Uri? server) || server.GetLeftPart(UriPartial.Authority) != host.Address.GetLeftPart(UriPartial.Authority))
            throw new HelperRefusal($"the helper is for {host.Address.GetLeftPart(UriPartial.Authority)} alone.");
        if (operation == "erase" && asked.TryGetValue("password", out string? refused))
            await broker.RevokeAsync(refused, cancellationToken).ConfigureAwait(false);
        if (operation != "get")
            return "";
        JsonObject got = await broker.TokenAsync(host.Target, cancellationToken).ConfigureAwait(false);
        long expires = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + (long)got["expires_in"]!;
        return string.Create(CultureInfo.InvariantCulture, $"username={host.User}\npassword={(string?)got["access_token"]}\npassword_expiry_utc={expires}\n");
    }

    private static async Task<Dictionary<string, string>> ReadAsync(TextReader input, CancellationToken cancellationToken)
    {
        var asked = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await input.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { Length: > 0 } line)
        {
            if (line.Split('=', 2) is [var key, var value])
                asked[key] = value;
        }
        return asked;
    }

    // For the shell that git runs it by.
    private static string Quoted(string word) => $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
