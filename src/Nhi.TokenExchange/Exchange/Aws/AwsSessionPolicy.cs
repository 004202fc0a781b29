using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>The inline session policy ("Session policies"): what is left of the role's rights for one session.</summary>
internal static class AwsSessionPolicy
{
    /// <summary>Of the plain text. STS packs it with what else limits the session, and has a limit for that as well.</summary>
    public const int Longest = 2048;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    // Not for a page: what the default escapes is longer by five characters each.
    private static readonly JsonWriterOptions Short = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One statement that allows the actions on the resources. What is left empty is everything; null if both are.</summary>
    public static string? Of(ScopeSet actions, IReadOnlyCollection<string> resources)
    {
        if (actions.IsEmpty && resources.Count == 0)
            return null;
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Short))
        {
            json.WriteStartObject();
            json.WriteString("Version", "2012-10-17");
            json.WriteStartArray("Statement");
            json.WriteStartObject();
            json.WriteString("Effect", "Allow");
            WriteList(json, "Action", actions.IsEmpty ? ["*"] : actions.Values);
            WriteList(json, "Resource", resources.Count == 0 ? ["*"] : resources);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>What is wrong with an action; null if nothing is.</summary>
    public static string? FaultOfAction(string action) =>
        AwsActionNames.IsOne(action) ? null : $"name '{ExceptionText.Clean(action, 60)}', which is no action of IAM. Here write actions, such as s3:GetObject or s3:Get*";

    /// <summary>A policy without white space between its members; null with what is wrong.</summary>
    public static string? Read(string text, out string? fault)
    {
        try
        {
            using JsonDocument policy = JsonDocument.Parse(text, Strict);
            if (policy.RootElement.ValueKind != JsonValueKind.Object || !policy.RootElement.TryGetProperty("Statement", out _))
            {
                fault = "is no policy: a JSON object with a Statement";
                return null;
            }
            var buffer = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(buffer, Short))
                policy.WriteTo(json);
            string read = Encoding.UTF8.GetString(buffer.WrittenSpan);
            fault = FaultOfLength(read);
            return fault is null ? read : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)   // the second for half of a surrogate pair
        {
            fault = "is not well-formed JSON, has a member twice, or is nested too deep";
            return null;
        }
    }

    public static string? FaultOfLength(string policy) => policy.Length > Longest ? $"would be a session policy of {policy.Length} characters; STS takes {Longest}" : null;

    private static void WriteList(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
