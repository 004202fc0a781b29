using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Nhi.TokenExchange.Tests;

/// <summary>What the writer makes of an event.</summary>
internal static class EventText
{
    public static string Of(AuditEvent auditEvent, bool indented = false, JavaScriptEncoder? encoder = null)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = indented, NewLine = "\n", Encoder = encoder }))
            AuditEventJson.Write(json, auditEvent);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    public static AuditEvent Read(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return AuditEventReading.Read(document.RootElement);
    }
}
