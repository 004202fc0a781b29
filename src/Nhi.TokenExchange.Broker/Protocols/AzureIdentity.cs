using System.Globalization;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>What the two managed identity endpoints have in common: which identity is asked for, for which resource, and what is answered.</summary>
internal static class AzureIdentity
{
    // The names by which an identity may be asked for that is not known by its client id.
    private static readonly string[] OtherSelectors = ["object_id", "principal_id", "mi_res_id", "msi_res_id"];

    public static async Task<JsonObject> GetAsync(BrokerCall call, Caller caller)
    {
        string resource = call.NeedQuery("resource");
        string? clientId = call.Query("client_id");
        if (OtherSelectors.FirstOrDefault(name => call.Query(name) is not null) is { } other)
            throw new BrokerRefusal(RefusalKind.UnknownTarget, $"Identity not found: it is asked for by {other}; identities are known by client_id here, or asked for without an id");
        if (!call.Plan.AzureIdentities.TryGetValue((resource.TrimEnd('/'), clientId), out CredentialProvider<BearerToken>? provider))
            throw new BrokerRefusal(RefusalKind.UnknownTarget, $"Identity not found: {Asked(resource, clientId)} is not handed out here; what is: {string.Join(", ", call.Plan.AzureIdentities.Keys.Select(known => Asked(known.Resource, known.ClientId)).Order(StringComparer.Ordinal))}");
        // After a claims challenge SDKs say which token was refused: that one is not handed out again.
        if (call.Query("token_sha256_to_refresh") is { } refused && caller.FindByHash(refused) is { } token)
            provider.Reject(token);
        BearerToken got = await HandingOut.GetAsync(call, caller, provider).ConfigureAwait(false);
        return new JsonObject
        {
            ["access_token"] = got.Reveal(),
            ["expires_on"] = got.UnusableFrom.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),   // a text: some SDKs read nothing else
            ["resource"] = resource,
            ["token_type"] = "Bearer",
            ["client_id"] = clientId ?? "",
        };
    }

    public static string CodeOf(BrokerRefusal refusal) => refusal.Kind switch
    {
        RefusalKind.UnknownTarget => "invalid_request",
        RefusalKind.Unproven => "unauthorized_client",
        _ => refusal.OAuthCode,
    };

    private static string Asked(string resource, string? clientId) => $"'{ExceptionText.Clean(resource, 200)}'{(clientId is null ? "" : $" of client_id '{ExceptionText.Clean(clientId)}'")}";
}
