using System.Globalization;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Entra's error answers: which <c>error</c> and status go with an AADSTS number, and the body around them.</summary>
/// <remarks>Page: "Microsoft Entra authentication and authorization error codes". What is assumed is listed in the README.</remarks>
internal static class EntraErrors
{
    public static OAuthRefusal Refuse(int code, string text, string? suberror = null, string? claims = null)
    {
        (string error, int status) = KindOf(code);
        return new OAuthRefusal(error, $"AADSTS{code}", text, status) { Render = request => Answer(request, code, text, status, suberror, claims) };
    }

    public static EmulatorAnswer Answer(EmulatorRequest request, int code, string text, int? status = null, string? suberror = null, string? claims = null)
    {
        (string error, int usual) = KindOf(code);
        string correlation = request.Header("client-request-id") ?? request.Form.One("client-request-id") ?? request.RequestId;
        string at = request.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var body = new JsonObject
        {
            ["error"] = error,
            ["error_description"] = $"AADSTS{code}: {text} Trace ID: {request.RequestId} Correlation ID: {correlation} Timestamp: {at}",
            ["error_codes"] = new JsonArray(code),
            ["timestamp"] = at,
            ["trace_id"] = request.RequestId,
            ["correlation_id"] = correlation,
            ["error_uri"] = $"https://login.microsoftonline.com/error?code={code}",
        };
        if (suberror is not null)
            body["suberror"] = suberror;
        if (claims is not null)
            body["claims"] = claims;
        return Stamp(EmulatorAnswer.Of(body, status ?? usual), request);
    }

    /// <summary>The headers of every answer of Entra's.</summary>
    public static EmulatorAnswer Stamp(EmulatorAnswer answer, EmulatorRequest request)
    {
        answer.NotStored().Headers["x-ms-request-id"] = request.RequestId;
        if (request.Header("client-request-id") is { } correlation)
            answer.Headers["client-request-id"] = correlation;
        return answer;
    }

    private static (string Error, int Status) KindOf(int code) => code switch
    {
        70021 or 700211 or 700212 or 700213 or 7002138 or 700229 or 700024 or 700027 or 7000215 or 7000218 or 50027 => ("invalid_client", 401),
        700016 or 7000112 => ("unauthorized_client", 400),
        500011 or 50001 => ("invalid_resource", 400),
        70011 or 1002012 or 700022 or 700023 => ("invalid_scope", 400),
        70003 => ("unsupported_grant_type", 400),
        53003 or 50196 => ("invalid_grant", 400),
        50049 => ("invalid_instance", 400),
        90033 or 90006 or 90024 or 50033 or 50087 or 90012 => ("temporarily_unavailable", 503),
        90055 => ("temporarily_unavailable", 429),
        // 90002, 50194, 9001023, 900144, 900382, 900561, 9002313 and whatever a planned fault names.
        _ => ("invalid_request", 400),
    };
}
