using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Writes what OCSF has a name for: enough for a collector to sort, count and alert by. All that we know stands under <c>unmapped</c>.</summary>
internal static class OcsfEvent
{
    // The version of the schema whose names are used.
    private const string SchemaVersion = "1.3.0";

    // Required where nobody knows.
    private const string Unknown = "unknown";

    // What a caller that was refused wanted to be let in to.
    private const string Broker = "broker";

    public static void Write(Utf8JsonWriter json, AuditEvent auditEvent)
    {
        var ocsf = OcsfClass.Of(auditEvent);
        json.WriteNumber("class_uid", ocsf.Uid);
        json.WriteString("class_name", ocsf.Name);
        json.WriteNumber("category_uid", ocsf.CategoryUid);
        json.WriteString("category_name", AuditText.Encode(ocsf.Category));
        json.WriteNumber("activity_id", ocsf.ActivityId);
        json.WriteString("activity_name", ocsf.Activity);
        json.WriteNumber("type_uid", ocsf.TypeUid);
        json.WriteNumber("severity_id", ocsf.Severity);
        json.WriteNumber("time", auditEvent.At.ToUnixTimeMilliseconds());
        json.WriteNumber("status_id", ocsf.StatusId);
        json.WriteString("status", ocsf.Status);
        WriteText(json, "status_code", auditEvent.Code);
        WriteText(json, "status_detail", auditEvent.Reason, AuditText.LongestProse);
        WriteMetadata(json, auditEvent);
        switch (ocsf.Uid)
        {
            case OcsfClass.Authentication:
                WriteAuthentication(json, auditEvent);
                break;
            case OcsfClass.AuthorizeSession:
                WriteUser(json, auditEvent);
                WritePrivileges(json, auditEvent);
                break;
            case OcsfClass.ApiActivity:
                WriteCall(json, auditEvent);
                break;
            default:
                WriteJob(json, auditEvent);
                break;
        }
    }

    public static void WriteText(Utf8JsonWriter json, string name, string? text, int longest = AuditText.Longest)
    {
        if (text is not null)
            json.WriteString(name, AuditText.Encode(text, longest));
    }

    private static void WriteMetadata(Utf8JsonWriter json, AuditEvent auditEvent)
    {
        json.WriteStartObject("metadata");
        json.WriteString("version", SchemaVersion);
        json.WriteStartObject("product");
        json.WriteString("name", "Nhi.TokenExchange");
        json.WriteString("vendor_name", "Nhi");
        WriteText(json, "version", TelemetryNames.Version);
        json.WriteEndObject();
        if (auditEvent.FlightId != Guid.Empty)
            json.WriteString("correlation_uid", auditEvent.FlightId);
        json.WriteEndObject();
    }

    private static void WriteAuthentication(Utf8JsonWriter json, AuditEvent auditEvent)
    {
        WriteUser(json, auditEvent);
        json.WriteStartObject("service");
        json.WriteString("name", AuditText.Encode(auditEvent.Kind == AuditEventKind.CallerRefused ? Broker : auditEvent.Target));
        WriteText(json, "uid", auditEvent.Issuer);
        json.WriteEndObject();
        if (auditEvent.ActorSubject is { } actor)
        {
            json.WriteStartObject("actor");
            json.WriteStartObject("user");
            json.WriteString("name", AuditText.Encode(actor));
            WriteText(json, "domain", auditEvent.ActorIssuer);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        if (auditEvent.Fingerprint is not { } credential)
            return;
        json.WriteStartObject("session");
        json.WriteString("uid", AuditText.Encode(credential));
        WriteText(json, "issuer", auditEvent.Issuer);
        if (auditEvent.Kind is AuditEventKind.Issued or AuditEventKind.Refreshed)
            json.WriteNumber("created_time", auditEvent.At.ToUnixTimeMilliseconds());
        if (auditEvent.DiesAt is { } end)
            json.WriteNumber("expiration_time", end.ToUnixTimeMilliseconds());
        json.WriteEndObject();
    }

    private static void WriteUser(Utf8JsonWriter json, AuditEvent auditEvent)
    {
        json.WriteStartObject("user");
        json.WriteString("name", AuditText.Encode(auditEvent.Subject ?? Unknown));
        WriteText(json, "domain", auditEvent.SubjectIssuer);
        (int id, string type) = auditEvent.Subject is null ? (0, "Unknown") : auditEvent.IsAPersons ? (1, "User") : (99, "Workload");
        json.WriteNumber("type_id", id);
        json.WriteString("type", type);
        WriteText(json, "credential_uid", auditEvent.SubjectFingerprint);
        json.WriteEndObject();
    }

    // The first is the target itself: OCSF wants one at least, and a target may be asked for without a scope.
    private static void WritePrivileges(Utf8JsonWriter json, AuditEvent auditEvent)
    {
        json.WriteStartArray("privileges");
        foreach (JsonEncodedText privilege in AuditText.Encode([$"target:{auditEvent.Target}", .. auditEvent.Scopes.Values.Select(scope => $"scope:{scope}"), .. auditEvent.Resources.Select(resource => $"resource:{resource}")]))
            json.WriteStringValue(privilege);
        json.WriteEndArray();
    }

    private static void WriteCall(Utf8JsonWriter json, AuditEvent auditEvent)
    {
        json.WriteStartObject("actor");
        WriteUser(json, auditEvent);
        json.WriteEndObject();
        json.WriteStartObject("api");
        json.WriteString("operation", "exchange");
        json.WriteStartObject("service");
        json.WriteString("name", AuditText.Encode(auditEvent.Issuer ?? Unknown));
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteStartObject("src_endpoint");
        json.WriteString("svc_name", AuditText.Encode(auditEvent.Job.Pipeline ?? Unknown));
        json.WriteString("uid", auditEvent.SessionId);
        json.WriteEndObject();
    }

    private static void WriteJob(Utf8JsonWriter json, AuditEvent auditEvent)
    {
        json.WriteStartObject("entity");
        json.WriteString("name", AuditText.Encode(auditEvent.Job.Pipeline ?? Unknown));
        json.WriteString("type", "job");
        json.WriteString("uid", auditEvent.SessionId);
        json.WriteEndObject();
        WriteText(json, "comment", auditEvent.Reason, AuditText.LongestProse);
    }
}
