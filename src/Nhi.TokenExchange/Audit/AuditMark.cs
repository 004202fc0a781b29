using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>The JSON of one line's event: of an audit event, or of what the chain says of itself.</summary>
internal static class AuditMark
{
    /// <summary>What is found where a write failed: the file before is whole again, and none of it was changed.</summary>
    public const string CutBack = "could not be written, and was cut back to its last whole line";

    private const int LongestText = 256;

    public static byte[] Of(AuditEvent auditEvent)
    {
        var text = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(text))
            AuditEventJson.Write(json, auditEvent);
        return text.WrittenSpan.ToArray();
    }

    /// <summary>A file begins: which part of which chain it is, and who writes it.</summary>
    public static byte[] File(Guid chain, int part, JobContext job, DateTimeOffset started) => Mark("file", json =>
    {
        json.WriteString("format", "nhi-audit/1");
        json.WriteString("chain", chain.ToString("D"));
        json.WriteNumber("part", part);
        json.WriteStartObject("job");
        Text(json, "pipeline", job.Pipeline);
        Text(json, "run", job.Run);
        Text(json, "task", job.Task);
        Text(json, "dataset", job.Dataset);
        Text(json, "purpose", job.Purpose);
        Text(json, "environment", job.Environment);
        json.WriteEndObject();
        json.WriteNumber("pid", Environment.ProcessId);
        Text(json, "host", Environment.MachineName);
        json.WriteString("started", Instant(started));
    });

    /// <summary>The chain goes on in a new file because something happened to the one before.</summary>
    /// <param name="cut">How many bytes of it were taken away again: of lines that did not all get to the disk, and count as not recorded.</param>
    /// <param name="found">What happened.</param>
    /// <param name="at">When that was seen.</param>
    public static byte[] Recovered(long cut, string found, DateTimeOffset at) => Mark("recovered", json =>
    {
        json.WriteNumber("cut", cut);
        json.WriteString("at", Instant(at));
        json.WriteString("found", found);
    });

    /// <summary>What a mark of a chain that goes on says that was found.</summary>
    /// <exception cref="FormatException">It does not say; the text follows upon the line's place.</exception>
    public static string FoundIn(JsonElement recovered) =>
        recovered.TryGetProperty("found", out JsonElement found) && found.ValueKind == JsonValueKind.String ? found.GetString()! : throw new FormatException("says that the chain was recovered, and not from what");

    /// <summary>The chain is whole.</summary>
    /// <param name="events">How many audit events are in it.</param>
    /// <param name="at">When it ended.</param>
    public static byte[] End(long events, DateTimeOffset at) => Mark("end", json =>
    {
        json.WriteNumber("events", events);
        json.WriteString("at", Instant(at));
    });

    private static byte[] Mark(string kind, Action<Utf8JsonWriter> write)
    {
        var text = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("kind", kind);
            write(json);
            json.WriteEndObject();
        }
        return text.WrittenSpan.ToArray();
    }

    private static void Text(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
            json.WriteString(name, ExceptionText.Clean(text, LongestText));
    }

    private static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
}
