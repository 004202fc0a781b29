using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Writes the lines of a journal: one flat JSON object each. <see cref="JournalLine"/> reads them.</summary>
/// <remarks>
/// <code>
/// {"kind":"journal","version":2,"at":"…","host":"…","boot":"…","process":4711,"started":"…","job.Pipeline":"orders","job.Pipeline.origin":"code"}
/// {"kind":"entry","entry":1,"at":"…","flight":"…","target":"warehouse","issuer":"https://…/"}                      an exchange begins
/// {"kind":"entry","entry":1, … ,"fingerprint":"…","handle":"…","unusableFrom":"…","diesAt":"…"}                    its credential: all that is known, once more; without a fingerprint: it may yet come
/// {"kind":"untold","entry":1,"end":"Revoked","at":"…","reason":"…"}                                                 it ended so, and the audit has not taken that: that is left to do
/// {"kind":"ended","entry":1,"end":"Revoked"}                                                                       nothing is left to do about it
/// {"kind":"closed"}                                                                                                the job ended in order, and left the rest
/// </code>
/// </remarks>
internal static class JournalText
{
    public const int Version = 2;

    /// <summary>What is read. The first version has no "untold".</summary>
    public const int OldestVersion = 1;

    /// <summary>No line of ours is longer, its end included.</summary>
    public const int LongestLine = 32 * 1024;

    public static byte[] Of(JournalHeader header) => Line("journal", json =>
    {
        json.WriteNumber("version", Version);
        json.WriteString("at", Instant(header.StartedAt));
        json.WriteString("host", header.Process.Host);
        json.WriteString("boot", header.Process.Boot);
        json.WriteNumber("process", header.Process.Id);
        json.WriteString("started", header.Process.Started);
        Write(json, header.Job);
    });

    public static byte[] Of(JournalEntry entry) => Line("entry", json =>
    {
        json.WriteNumber("entry", entry.Number);
        json.WriteString("at", Instant(entry.At));
        json.WriteString("flight", entry.FlightId.ToString("D"));
        json.WriteString("target", entry.Target);
        json.WriteString("issuer", entry.Issuer);
        if (entry.IsPlatformIssued)
            json.WriteBoolean("platformIssued", true);
        if (entry.AttestedFacts != JobFacts.None)
            json.WriteString("attested", entry.AttestedFacts.ToString());
        if (entry.Job is { } job)
            Write(json, job);
        if (entry.Fingerprint is null && entry.Handle is null)
            return;
        if (entry.Fingerprint is { } fingerprint)
            json.WriteString("fingerprint", fingerprint);
        if (entry.Handle is { } handle)
            json.WriteString("handle", handle);
        json.WriteString("unusableFrom", Instant(entry.UnusableFrom));
        json.WriteString("diesAt", Instant(entry.DiesAt));
        if (entry.EndIsUncertain)
            json.WriteBoolean("uncertain", true);
    });

    /// <param name="number">The entry's.</param>
    /// <param name="end">How, for people.</param>
    public static byte[] OfEnd(long number, string end) => Line("ended", json =>
    {
        json.WriteNumber("entry", number);
        json.WriteString("end", end);
    });

    /// <param name="number">The entry's.</param>
    /// <param name="untold">How it ended.</param>
    public static byte[] OfUntold(long number, JournalUntold untold) => Line("untold", json =>
    {
        json.WriteNumber("entry", number);
        json.WriteString("end", untold.End.ToString());
        json.WriteString("at", Instant(untold.At));
        if (untold.Reason is { } reason)
            json.WriteString("reason", reason);
    });

    public static byte[] OfClosing() => Line("closed", _ => { });

    private static void Write(Utf8JsonWriter json, JobContext job)
    {
        foreach ((string name, string value, string origin) in job.Facts)
        {
            json.WriteString($"job.{name}", value);
            json.WriteString($"job.{name}.origin", origin);
        }
    }

    private static string Instant(DateTimeOffset instant) => instant.ToUniversalTime().ToString("O", CultureInfo.InvariantCulture);

    private static byte[] Line(string kind, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("kind", kind);
            write(json);
            json.WriteEndObject();
        }
        buffer.Write("\n"u8);
        return buffer.WrittenCount <= LongestLine
            ? buffer.WrittenSpan.ToArray()
            : throw new IOException(string.Create(CultureInfo.InvariantCulture, $"a line of {buffer.WrittenCount} bytes, and a journal's have at most {LongestLine}"));
    }
}
