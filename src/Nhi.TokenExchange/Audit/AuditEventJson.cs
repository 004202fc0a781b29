using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Writes an audit event as one JSON object.</summary>
internal static class AuditEventJson
{
    public static void Write(Utf8JsonWriter json, AuditEvent auditEvent)
    {
        json.WriteStartObject();
        json.WriteStartObject("unmapped");
        json.WriteString("kind", auditEvent.Kind.ToString());
        json.WriteString("at", auditEvent.At);
        json.WriteString("flight", auditEvent.FlightId);
        json.WriteString("target", auditEvent.Target);
        json.WriteString("fingerprint", auditEvent.Fingerprint);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
