using System.Security;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>How AWS' query protocol writes what it says: XML in the namespace of STS.</summary>
internal static class AwsXmlText
{
    private const string Namespace = "https://sts.amazonaws.com/doc/2011-06-15/";

    public static string Element(string name, string? text) => text is null ? "" : $"<{name}>{SecurityElement.Escape(text)}</{name}>";

    /// <summary>The answer of an action.</summary>
    public static EmulatorAnswer Result(EmulatorRequest request, string action, string inner) =>
        Of(request, $"<{action}Response xmlns=\"{Namespace}\"><{action}Result>{inner}</{action}Result><ResponseMetadata>{Element("RequestId", request.RequestId)}</ResponseMetadata></{action}Response>", 200);

    /// <summary>An error; <c>Type</c> says whose fault it is.</summary>
    public static EmulatorAnswer Error(EmulatorRequest request, string code, string message, int status) =>
        Of(request, $"<ErrorResponse xmlns=\"{Namespace}\"><Error>{Element("Type", status >= 500 ? "Receiver" : "Sender")}{Element("Code", code)}{Element("Message", message)}</Error>{Element("RequestId", request.RequestId)}</ErrorResponse>", status);

    public static OAuthRefusal Refuse(string code, string reason, string message, int status = 400) => new(code, reason, message, status) { Render = request => Error(request, code, message, status) };

    private static EmulatorAnswer Of(EmulatorRequest request, string xml, int status)
    {
        var answer = new EmulatorAnswer { Raw = Encoding.UTF8.GetBytes(xml), ContentType = "text/xml", Status = status };
        answer.Headers["x-amzn-RequestId"] = request.RequestId;
        return answer;
    }
}
