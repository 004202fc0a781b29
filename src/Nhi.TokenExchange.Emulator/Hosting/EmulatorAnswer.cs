using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>What an endpoint wants to say; faults may still change it before it is written.</summary>
internal sealed class EmulatorAnswer
{
    public int Status { get; set; } = 200;

    public string ContentType { get; set; } = "application/json";

    public Dictionary<string, string> Headers { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The JSON object, where the answer is one.</summary>
    public JsonObject? Json { get; private init; }

    public byte[]? Raw { get; set; }

    public static EmulatorAnswer Of(JsonObject json, int status = 200) => new() { Json = json, Status = status };

    public static EmulatorAnswer Empty(int status = 200) => new() { Raw = [], Status = status };

    // RFC 6749 §5.1 and §5.2: what a token endpoint says must not be stored.
    public EmulatorAnswer NotStored()
    {
        Headers["Cache-Control"] = "no-store";
        Headers["Pragma"] = "no-cache";
        return this;
    }

    /// <summary>Fields by their JSON text, which may be one that no JSON library would write, such as 1e400.</summary>
    public Dictionary<string, string> RawFields { get; } = new(StringComparer.Ordinal);

    public byte[] Body()
    {
        if (Raw is not null || Json is null)
            return Raw ?? [];
        foreach (string name in RawFields.Keys)
            Json.Remove(name);
        string[] raw = [.. RawFields.Select(field => $"\"{field.Key}\":{field.Value}")];
        string rest = Json.ToJsonString()[1..^1];
        return Encoding.UTF8.GetBytes("{" + string.Join(',', rest.Length > 0 ? [rest, .. raw] : raw) + "}");
    }
}
