using System.Text;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Reads the files of a chain behind its first fault: each from its first line on, as far as its lines follow one another. They are told, and marked: what came before them is not known.</summary>
/// <remarks>Without this, one byte that is added to a file would hide from every question what its job did from then on. Marks and events count apart from those that hold, and no line raises what an anchor vouches for.</remarks>
internal sealed class BehindFault(AuditChain chain, ILookup<long, AuditAnchor> anchors, Action<AuditRecord> onRecord, CancellationToken cancellationToken)
{
    private long _sequence;
    private string _hash = "";

    /// <summary>What its process noticed first, by the files that were read; null: nothing.</summary>
    public string? Noticed { get; private set; }

    /// <summary>Reads.</summary>
    /// <param name="files">Those from the fault on, in the order of their parts.</param>
    /// <param name="before">The last one of which something was read; null: none was.</param>
    public void Read(IEnumerable<AuditFileHeader> files, AuditFileHeader? before)
    {
        foreach (AuditFileHeader file in files)
        {
            // A copy, or one of another process, tells nothing new.
            if ((before is not null && (file.Part <= before.Part || file.ProcessId != before.ProcessId)) || !ReadFile(file))
                continue;
            before = file;
            if (!chain.Files.Contains(file.Path))
                chain.Add(file.Path);
        }
    }

    // False: not even its first line holds.
    private bool ReadFile(AuditFileHeader file)
    {
        bool isRead = false;
        try
        {
            using var reader = AuditFileReader.Open(file.Path);
            while (reader.TryRead(out ReadOnlyMemory<byte> line) && reader.HasEnd)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (TakeNext(file, reader.Line, line) is { } told)
                    onRecord(told);
                isRead = true;
            }
        }
        catch (FormatException)
        {
            // The rest of this file; the chain has its fault.
        }
        return isRead;
    }

    private AuditRecord? TakeNext(AuditFileHeader file, long number, ReadOnlyMemory<byte> line)
    {
        if (!ChainLine.TryRead(line.Span, out ChainLine read) || !read.IsWhatWasHashed(line.Span))
            throw new FormatException("does not hold");
        bool follows = number == 1 || (read.Sequence == _sequence + 1 && read.Previous.SequenceEqual(Encoding.ASCII.GetBytes(_hash)));
        string hash = Encoding.ASCII.GetString(read.Hash);
        if (!follows || anchors[read.Sequence].Any(anchor => anchor.Hash != hash))
            throw new FormatException("does not follow");
        (_sequence, _hash) = (read.Sequence, hash);
        using JsonDocument json = AuditFileHeader.Parse(line[read.Event]);
        return EventOf(json.RootElement, file, number) is { } told ? new AuditRecord(new AuditAnchor(chain.Id, _sequence, _hash), file.Path, number, told) { IsBehindFault = true } : null;
    }

    // Null: the line is one of the chain's own, or of a later version.
    private AuditEvent? EventOf(JsonElement json, AuditFileHeader file, long line)
    {
        try
        {
            if (!json.TryGetProperty("kind", out JsonElement kind) || kind.ValueKind != JsonValueKind.String)
            {
                AuditEvent? told = AuditEventReading.ReadIfKnown(json);
                chain.EventsBehindFault++;
                return told;
            }
            if (kind.ValueEquals("recovered"))
            {
                string found = AuditMark.FoundIn(json);
                chain.Add(new AuditFinding(file.Path, line, $"says: {found}"));
                Noticed ??= found;
            }
            return null;
        }
        catch (InvalidOperationException)
        {
            throw new FormatException("has a text with half of a surrogate pair");
        }
    }
}
