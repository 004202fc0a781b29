using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Answers as AuthZEN 1.0 wants them: a decision is a 200, an error is a status with a message.</summary>
internal static class AuthZenAnswers
{
    // §9.1
    public static EmulatorAnswer Metadata(string origin) => EmulatorAnswer.Of(new JsonObject
    {
        ["policy_decision_point"] = origin,
        ["access_evaluation_endpoint"] = $"{origin}/access/v1/evaluation",
    });

    public static EmulatorAnswer Evaluation(EmulatorRequest request, string body, Func<JsonObject, EmulatedDecision?> rule)
    {
        EmulatorAnswer answer = Decide(request, body, rule);
        // §10.1.3: a request id comes back.
        if (request.Header("X-Request-ID") is { } id)
            answer.Headers["x-request-id"] = id;
        return answer;
    }

    /// <summary>The question in a body; null if it is none.</summary>
    public static JsonObject? Parse(string body)
    {
        try
        {
            return JsonNode.Parse(body, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static EmulatorAnswer Decide(EmulatorRequest request, string body, Func<JsonObject, EmulatedDecision?> rule)
    {
        if (request.Http.Request.Method != "POST")
            return Error(405, "Ask by POST.");
        if (request.Http.Request.ContentType?.Split(';')[0] != "application/json")
            return Error(400, "The content type must be application/json.");
        if (Parse(body) is not { } question)
            return Error(400, "The body is no JSON object.");
        foreach (string needed in new[] { "subject/type", "subject/id", "action/name", "resource/type", "resource/id" })
        {
            string[] path = needed.Split('/');
            if ((question[path[0]] as JsonObject)?[path[1]] is not JsonValue value || !value.TryGetValue(out string? text) || text.Length == 0)
                return Error(400, $"{needed} is missing.");
        }
        EmulatedDecision? decision;
        try
        {
            decision = rule(question);
        }
        catch (Exception exception)   // the test's own
        {
            return Error(500, exception.GetType().Name);
        }
        var json = new JsonObject { ["decision"] = decision is { IsPermitted: true } };
        var context = new JsonObject();
        if (decision?.Reason is { } reason)
            context["reason_admin"] = new JsonObject { ["en"] = reason };
        if (decision is not null && DecisionFields.Of(decision) is { Count: > 0 } limits)
            context["nhi_token_exchange"] = limits;
        if (context.Count > 0)
            json["context"] = context;
        return EmulatorAnswer.Of(json);
    }

    private static EmulatorAnswer Error(int status, string message) => new() { Status = status, ContentType = "text/plain", Raw = Encoding.UTF8.GetBytes(message) };
}
