using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>How the protected API says no.</summary>
internal static class WarehouseRefusals
{
    public static EmulatorAnswer For(UseVerdict verdict, string dataset, bool databricks) => verdict switch
    {
        // RFC 6750 §3.1: without any authentication information no error code is given.
        UseVerdict.Missing => Challenge(401, "Bearer realm=\"warehouse\""),
        // RFC 6750 §3.1: insufficient_scope is 403 and may name the scope that would do.
        UseVerdict.InsufficientScope => Challenge(403, $"Bearer realm=\"warehouse\", error=\"insufficient_scope\", error_description=\"The token does not cover this data set.\", scope=\"dataset:{dataset}\""),
        // Databricks answers 403 with this text, not 401, to a token that is dead or in its last seconds.
        UseVerdict.Expired or UseVerdict.LastSeconds or UseVerdict.Revoked when databricks => DatabricksDead(),
        _ => Challenge(401, "Bearer realm=\"warehouse\", error=\"invalid_token\", error_description=\"The token is unknown, expired or revoked.\""),
    };

    private static EmulatorAnswer Challenge(int status, string challenge)
    {
        EmulatorAnswer answer = EmulatorAnswer.Of(new JsonObject { ["message"] = status == 401 ? "A valid token is needed." : "The token's scope is too narrow." }, status);
        answer.Headers["WWW-Authenticate"] = challenge;
        return answer;
    }

    private static EmulatorAnswer DatabricksDead()
    {
        EmulatorAnswer answer = EmulatorAnswer.Of(new JsonObject { ["error_code"] = 403, ["message"] = "Invalid access token." }, 403);
        answer.Headers["X-Databricks-Reason-Phrase"] = "Invalid access token.";
        return answer;
    }
}
