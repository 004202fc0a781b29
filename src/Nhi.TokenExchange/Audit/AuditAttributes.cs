using System.Buffers;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>An audit event as attributes of a log line: what stands under <c>unmapped</c> in its JSON, each value by its path: <c>nhi.audit.job.run.value</c>.</summary>
/// <remarks>Values are texts of visible ASCII, numbers, booleans and lists of texts, which exporters know; nothing is longer than in the JSON, but for what is escaped.</remarks>
internal static class AuditAttributes
{
    private const string Prefix = "nhi.audit";

    public static IReadOnlyList<KeyValuePair<string, object?>> Of(AuditEvent auditEvent)
    {
        var text = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            AuditEventJson.WriteOurs(json, auditEvent);
            json.WriteEndObject();
        }
        using JsonDocument ours = JsonDocument.Parse(text.WrittenMemory);
        var attributes = new List<KeyValuePair<string, object?>>();
        Add(attributes, Prefix, ours.RootElement);
        return attributes;
    }

    private static void Add(List<KeyValuePair<string, object?>> attributes, string path, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            attributes.Add(new(path, ValueOf(value)));
            return;
        }
        foreach (JsonProperty member in value.EnumerateObject())
            Add(attributes, $"{path}.{AuditText.Shown(member.Name)}", member.Value);
    }

    private static object ValueOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetInt64(),
        JsonValueKind.True or JsonValueKind.False => value.GetBoolean(),
        JsonValueKind.Array => value.EnumerateArray().Select(Text).ToArray(),
        _ => Text(value),
    };

    private static string Text(JsonElement value) => AuditText.Shown(value.GetString()!, AuditText.LongestProse);
}
