using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>What an endpoint answers.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="ContentType">Of the body.</param>
/// <param name="Body">The body.</param>
internal sealed record BrokerAnswer(int Status, string ContentType, byte[] Body)
{
    public Dictionary<string, string> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

    public static BrokerAnswer Json(JsonObject json, int status = 200) => new(status, "application/json", Encoding.UTF8.GetBytes(json.ToJsonString()));

    public static BrokerAnswer Text(string text, int status = 200) => new(status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text));

    /// <summary>Holds the secret: not in what a debugger or a log would print.</summary>
    public override string ToString() => $"BrokerAnswer({Status})";
}
