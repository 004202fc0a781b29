using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>How the REST API of the workspace says no: <c>error_code</c> (a word, or from the gateway before it a number) and <c>message</c>.</summary>
internal static class DatabricksErrors
{
    private const string DeadToken = "Invalid access token.";

    public static EmulatorAnswer For(UseVerdict verdict, string scope) => verdict switch
    {
        UseVerdict.Missing => OfGateway(401, "Credential was not sent or was of an unsupported type for this API."),
        UseVerdict.OtherAudience => OfGateway(401, "The credential is not for this API."),
        UseVerdict.InsufficientScope => Of(403, "PERMISSION_DENIED", $"The credential has not the scope that this API needs: {scope}."),
        _ => Dead(),
    };

    public static EmulatorAnswer Of(int status, string code, string message) => EmulatorAnswer.Of(new JsonObject { ["error_code"] = code, ["message"] = message }, status);

    public static EmulatorAnswer NotFound(string message) => Of(404, "RESOURCE_DOES_NOT_EXIST", message);

    public static EmulatorAnswer Invalid(string message) => Of(400, "INVALID_PARAMETER_VALUE", message);

    private static EmulatorAnswer OfGateway(int status, string message) => EmulatorAnswer.Of(new JsonObject { ["error_code"] = status, ["message"] = message }, status);

    // 403 where others answer 401, in the body and in this header.
    private static EmulatorAnswer Dead()
    {
        EmulatorAnswer answer = OfGateway(403, DeadToken);
        answer.Headers["X-Databricks-Reason-Phrase"] = DeadToken;
        return answer;
    }
}
