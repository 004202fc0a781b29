using System.Net;
using System.Net.Http.Headers;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What a service answers that is nothing but a function: no socket and no back channel are between it and an exchanger, so nothing is asked twice.</summary>
internal static class WireAnswers
{
    public static HttpResponseMessage Json(string body, int status = 200, params (string Name, string Value)[] headers) => Of(body, "application/json", status, headers);

    public static HttpResponseMessage Of(string body, string type, int status = 200, params (string Name, string Value)[] headers)
    {
        var answer = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body, new MediaTypeHeaderValue(type)) };
        foreach ((string name, string value) in headers)
            answer.Headers.TryAddWithoutValidation(name, value);
        return answer;
    }
}
