namespace Nhi.TokenExchange.Tests;

/// <summary>The token of a client, as its environment has it.</summary>
internal static class TokenOf
{
    public static string Client(IReadOnlyDictionary<string, string> environment) => File.ReadAllText(environment["NHI_BROKER_TOKEN_FILE"]);

    public static string Client(BrokerClient client) => Client(client.Environment);
}
