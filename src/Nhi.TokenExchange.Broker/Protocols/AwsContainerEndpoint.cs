using System.Globalization;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The credentials endpoint of AWS containers (<c>AWS_CONTAINER_CREDENTIALS_FULL_URI</c>): one path for each role. Page: "Container credential provider" of the AWS SDKs and Tools Reference.</summary>
internal static class AwsContainerEndpoint
{
    public const string Prefix = "/aws/";

    public static string PathOf(string target) => Prefix + Uri.EscapeDataString(target);

    public static async Task<BrokerAnswer> AnswerAsync(BrokerCall call)
    {
        call.NeedMethod("GET");
        Caller caller = call.ByTokenIn("Authorization");   // verbatim: AWS SDKs put no "Bearer" before it
        string role = call.Path[Prefix.Length..];
        if (!call.Plan.AwsRoles.TryGetValue(role, out CredentialProvider<AwsSessionCredentials>? provider))
            throw new BrokerRefusal(RefusalKind.UnknownTarget, $"'{ExceptionText.Clean(role)}' is not handed out here; what is: {string.Join(", ", call.Plan.AwsRoles.Keys.Order(StringComparer.Ordinal))}");
        AwsSessionCredentials session = await HandingOut.GetAsync(call, caller, provider).ConfigureAwait(false);
        return BrokerAnswer.Json(new JsonObject
        {
            ["AccessKeyId"] = session.AccessKeyId,
            ["SecretAccessKey"] = session.RevealSecretAccessKey(),
            ["Token"] = session.RevealSessionToken(),
            ["Expiration"] = session.UnusableFrom.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
        });
    }

    public static BrokerAnswer Refuse(BrokerRefusal refusal) => BrokerAnswer.Json(new JsonObject { ["code"] = refusal.Kind.ToString(), ["message"] = refusal.Message }, refusal.Status);
}
