using System.Globalization;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The managed identity endpoint of Azure's virtual machines (IMDS). It has no place for a token: who asks is the process that the kernel names. Page: "How to use managed identities for Azure resources on an Azure VM to acquire an access token".</summary>
internal static class ImdsEndpoint
{
    public const string Path = "/metadata/identity/oauth2/token";

    private const string ApiVersion = "2018-02-01";

    public static async Task<BrokerAnswer> AnswerAsync(BrokerCall call)
    {
        call.NeedMethod("GET");
        // SDKs look for IMDS by a request without it, and take 400 for a yes.
        if (!string.Equals(call.Header("Metadata"), "true", StringComparison.OrdinalIgnoreCase))
            throw new BrokerRefusal(RefusalKind.Malformed, "the header 'Metadata: true' is missing") { IsOfProbe = true };
        if (call.NeedQuery("api-version") != ApiVersion)
            throw new BrokerRefusal(RefusalKind.Malformed, $"the only api-version here is {ApiVersion}");
        JsonObject answer = await AzureIdentity.GetAsync(call, call.ByProcess()).ConfigureAwait(false);
        string lives = (long.Parse((string)answer["expires_on"]!, CultureInfo.InvariantCulture) - call.Plan.Time.GetUtcNow().ToUnixTimeSeconds()).ToString(CultureInfo.InvariantCulture);
        answer["expires_in"] = lives;
        answer["ext_expires_in"] = lives;
        answer["not_before"] = call.Plan.Time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return BrokerAnswer.Json(answer);
    }

    public static BrokerAnswer Refuse(BrokerRefusal refusal) =>
        BrokerAnswer.Json(new JsonObject { ["error"] = AzureIdentity.CodeOf(refusal), ["error_description"] = refusal.Message }, refusal.Status);
}
