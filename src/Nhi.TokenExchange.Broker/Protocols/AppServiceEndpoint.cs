using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The managed identity endpoint of Azure App Service (<c>IDENTITY_ENDPOINT</c>). Page: "How to use managed identities for App Service and Azure Functions", REST endpoint reference.</summary>
internal static class AppServiceEndpoint
{
    public const string Path = "/azure/token";

    private const string TokenHeader = "X-IDENTITY-HEADER";
    private const string ApiVersion = "2019-08-01";

    public static async Task<BrokerAnswer> AnswerAsync(BrokerCall call)
    {
        call.NeedMethod("GET");
        Caller caller = call.ByTokenIn(TokenHeader);
        if (call.NeedQuery("api-version") != ApiVersion)
            throw new BrokerRefusal(RefusalKind.Malformed, $"the only api-version here is {ApiVersion}");
        return BrokerAnswer.Json(await AzureIdentity.GetAsync(call, caller).ConfigureAwait(false));
    }

    public static BrokerAnswer Refuse(BrokerRefusal refusal) => BrokerAnswer.Json(
        new JsonObject { ["statusCode"] = refusal.Status, ["error"] = AzureIdentity.CodeOf(refusal), ["error_description"] = refusal.Message, ["message"] = refusal.Message }, refusal.Status);
}
