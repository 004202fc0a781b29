using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>A credential as a program reads it that asked for it: a bearer token as it is, others as JSON.</summary>
internal static class RevealedCredential
{
    /// <exception cref="UsageException">It is of a kind that is not shown.</exception>
    public static string Of(Credential credential) => credential switch
    {
        BearerToken token => token.Reveal(),
        AwsSessionCredentials aws => Of(aws),
        DatabaseLogin login => new JsonObject { ["username"] = login.Role, ["password"] = login.Reveal() }.ToJsonString(),
        VaultSecret secret => new JsonObject(secret.Fields.Select(field => KeyValuePair.Create<string, JsonNode?>(field, secret.Reveal(field)))).ToJsonString(),
        _ => throw new UsageException($"--reveal: a {credential.GetType().Name} is not shown."),
    };

    // docs.aws.amazon.com/sdkref: "Process credential provider"
    private static string Of(AwsSessionCredentials aws) => new JsonObject
    {
        ["Version"] = 1, ["AccessKeyId"] = aws.AccessKeyId, ["SecretAccessKey"] = aws.RevealSecretAccessKey(), ["SessionToken"] = aws.RevealSessionToken(),
        ["Expiration"] = aws.UnusableFrom.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
    }.ToJsonString();
}
