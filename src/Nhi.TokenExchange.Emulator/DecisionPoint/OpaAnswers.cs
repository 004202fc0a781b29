using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Answers as Open Policy Agent's data API does: undefined is a 200 without a result, an error is a status with <c>code</c> and <c>message</c>.</summary>
internal static class OpaAnswers
{
    public static EmulatorAnswer Data(EmulatorRequest request, string body, string path, Func<JsonObject, EmulatedDecision?> rule)
    {
        if (request.Http.Request.Method != "POST")
            return Error(405, "method_not_allowed", "ask by POST");
        if (AuthZenAnswers.Parse(body) is not { } sent)
            return Error(400, "invalid_parameter", "error(s) occurred while decoding the body");
        var answer = new JsonObject { ["decision_id"] = request.RequestId };
        if (sent["input"] is not JsonObject input)
        {
            answer["warning"] = new JsonObject { ["code"] = "api_usage_warning", ["message"] = "'input' key missing from the request" };
            return EmulatorAnswer.Of(answer);
        }
        if (request.Path != $"/v1/data/{path}")
            return EmulatorAnswer.Of(answer);
        try
        {
            if (rule(input) is { } decision)
            {
                JsonObject result = DecisionFields.Of(decision);
                result["allow"] = decision.IsPermitted;
                if (decision.Reason is { } reason)
                    result["reasons"] = JsonText.Array([reason]);
                answer["result"] = result;
            }
        }
        catch (Exception exception)   // the test's own
        {
            return Error(500, "internal_error", exception.GetType().Name);
        }
        return EmulatorAnswer.Of(answer);
    }

    private static EmulatorAnswer Error(int status, string code, string message) => EmulatorAnswer.Of(new JsonObject { ["code"] = code, ["message"] = message }, status);
}
