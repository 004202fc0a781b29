using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>What the first line of an audit file says: which part of which chain it is, and who writes it.</summary>
internal sealed record AuditFileHeader(string Path, Guid Chain, int Part, int ProcessId, DateTimeOffset Started, string Hash, JobContext Job)
{
    private const string Format = "nhi-audit/1";

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <summary>Reads the first line of a file.</summary>
    /// <exception cref="FormatException">It says nothing that can be relied on; the text follows upon the line's place.</exception>
    public static AuditFileHeader Read(string path, AuditFileReader reader)
    {
        if (!reader.TryRead(out ReadOnlyMemory<byte> line) || !reader.HasEnd)
            throw new FormatException("is not whole: a crash while the file was made leaves that, and so does who cuts it");
        if (!ChainLine.TryRead(line.Span, out ChainLine first))
            throw new FormatException("is no line of an audit file");
        if (!first.IsWhatWasHashed(line.Span))
            throw new FormatException("was changed: its hash is not that of its bytes");
        using JsonDocument json = Parse(line[first.Event]);
        try
        {
            return Read(path, json.RootElement, Encoding.ASCII.GetString(first.Hash)) ?? throw new FormatException("does not say which part of which chain the file is");
        }
        catch (InvalidOperationException)
        {
            throw new FormatException("has a text with half of a surrogate pair");
        }
    }

    /// <summary>Parses an event strictly: one object, no name twice, not deep.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            JsonDocument json = JsonDocument.Parse(utf8, Strict);
            if (json.RootElement.ValueKind == JsonValueKind.Object)
                return json;
            json.Dispose();
            throw new FormatException("has an event that is no object");
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)   // the latter for a name with half of a surrogate pair
        {
            throw new FormatException("has an event that is no JSON, is nested too deep, or has a name twice");
        }
    }

    /// <summary>Whether the file is called as one of ours is.</summary>
    public bool HasOwnName => AuditFileName.Of(Path) is not null;

    /// <summary>What is wrong between the file's name and this; null if nothing is, or the name is none of ours.</summary>
    public string? NameFlaw()
    {
        if (AuditFileName.Of(Path) is not { } name)
            return null;
        bool isStart = Part > 1 || name.Started == Started.UtcDateTime.ToString(AuditFileName.InstantFormat, CultureInfo.InvariantCulture);
        return name.Part == Part && name.ProcessId == ProcessId && isStart ? null
            : string.Create(CultureInfo.InvariantCulture, $"says part {Part} of process {ProcessId}, started {Started.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}, and the file's name says otherwise: files were exchanged, or renamed");
    }

    private static AuditFileHeader? Read(string path, JsonElement header, string hash)
    {
        if (!Is(header, "kind", "file"))
            return null;
        if (!Is(header, "format", Format))
            throw new FormatException($"is of another format than {Format}");
        return Text(header, "chain") is { } id && Guid.TryParseExact(id, "D", out Guid chain)
            && header.TryGetProperty("part", out JsonElement number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out int part) && part > 0
            && header.TryGetProperty("pid", out JsonElement process) && process.ValueKind == JsonValueKind.Number && process.TryGetInt32(out int pid)
            && Text(header, "started") is { } instant && DateTimeOffset.TryParse(instant, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset started)
                ? new AuditFileHeader(path, chain, part, pid, started, hash, JobOf(header)) : null;
    }

    private static JobContext JobOf(JsonElement header) => header.TryGetProperty("job", out JsonElement job) && job.ValueKind == JsonValueKind.Object
        ? new JobContext { Pipeline = Text(job, "pipeline"), Run = Text(job, "run"), Task = Text(job, "task"), Dataset = Text(job, "dataset"), Purpose = Text(job, "purpose"), Environment = Text(job, "environment") }
        : JobContext.Unnamed;

    private static bool Is(JsonElement owner, string name, string value) => owner.TryGetProperty(name, out JsonElement member) && member.ValueKind == JsonValueKind.String && member.ValueEquals(value);

    private static string? Text(JsonElement owner, string name) => owner.TryGetProperty(name, out JsonElement member) && member.ValueKind == JsonValueKind.String ? member.GetString() : null;
}
