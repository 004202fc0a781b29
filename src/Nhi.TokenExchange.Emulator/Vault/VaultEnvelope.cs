using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The envelope that all answers of Vault's API have.</summary>
internal static class VaultEnvelope
{
    public static JsonObject Of(string requestId) => new()
    {
        ["request_id"] = requestId, ["lease_id"] = "", ["renewable"] = false, ["lease_duration"] = 0, ["data"] = null, ["wrap_info"] = null, ["warnings"] = null, ["auth"] = null,
    };

    public static JsonObject OfData(string requestId, JsonObject data)
    {
        JsonObject envelope = Of(requestId);
        envelope["data"] = data;
        return envelope;
    }

    public static JsonObject OfAuth(string requestId, VaultToken token, DateTimeOffset now)
    {
        JsonObject envelope = Of(requestId);
        envelope["auth"] = new JsonObject
        {
            ["client_token"] = token.Text, ["accessor"] = token.Accessor ?? "", ["policies"] = JsonText.Array(["default", token.Role]), ["token_policies"] = JsonText.Array(["default", token.Role]),
            ["metadata"] = new JsonObject { ["role"] = token.Role }, ["lease_duration"] = Seconds(token.EndsAt - now), ["renewable"] = !token.IsBatch, ["entity_id"] = "", ["token_type"] = token.IsBatch ? "batch" : "service",
            ["orphan"] = token.Parent is null, ["num_uses"] = token.UsesLeft,
        };
        return envelope;
    }

    /// <summary>Whole seconds, as the real one says them: cut, so that nobody takes a life for longer than it is.</summary>
    public static long Seconds(TimeSpan life) => (long)life.TotalSeconds;
}
