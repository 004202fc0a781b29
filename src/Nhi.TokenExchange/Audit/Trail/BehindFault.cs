using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Reads the files of a chain behind its first fault: each from its first line on, as far as its lines follow one another. They are told, and marked: what came before them is not known.</summary>
/// <remarks>
/// Without this, one byte that is added to a file would hide from every question what its job did from then on. So would a file that is put beside them, if it counted as the part that it says it is: each is read, whatever it says,
/// but for the lines that it begins with like a file that was read, and is a copy of so far. Marks and events count apart from those that hold, and no line raises what an anchor vouches for.
/// </remarks>
internal sealed class BehindFault(AuditChain chain, int faultyPart, ILookup<long, AuditAnchor> anchors, Action<AuditRecord> onRecord, CancellationToken cancellationToken)
{
    private readonly Dictionary<string, string> _read = new(StringComparer.Ordinal);
    private long _sequence;
    private string _hash = "";

    /// <summary>What its process noticed first of the part that is at fault, by the files that were read; null: nothing.</summary>
    public string? Noticed { get; private set; }

    /// <summary>Reads.</summary>
    /// <param name="files">Those from the fault on, in the order of their parts.</param>
    /// <param name="before">Those that were read before.</param>
    public void Read(IEnumerable<AuditFileHeader> files, IEnumerable<AuditFileHeader> before)
    {
        foreach (AuditFileHeader file in before)
            _read.TryAdd(file.Hash, file.Path);
        foreach (AuditFileHeader file in files)
        {
            if (ReadFile(file) && !chain.Files.Contains(file.Path))
                chain.Add(file.Path);
            _read.TryAdd(file.Hash, file.Path);
        }
    }

    // False: no line of it is new, or not even its first line holds.
    private bool ReadFile(AuditFileHeader file)
    {
        using AuditFileReader? reader = TryOpen(file.Path), original = _read.TryGetValue(file.Hash, out string? same) ? TryOpen(same) : null;
        bool isCopy = original is not null, isNew = false;
        while (reader is not null && TryTakeNext(file, reader, original, ref isCopy, out AuditRecord? told))
        {
            cancellationToken.ThrowIfCancellationRequested();
            isNew |= !isCopy;
            if (told is not null)
                onRecord(told);   // what it throws is the caller's, and no fault of the trail
        }
        return isNew;
    }

    private static AuditFileReader? TryOpen(string path)
    {
        try
        {
            return AuditFileReader.Open(path);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    // False: the file is read, or the rest of it does not hold; the chain has its fault.
    private bool TryTakeNext(AuditFileHeader file, AuditFileReader reader, AuditFileReader? original, ref bool isCopy, out AuditRecord? told)
    {
        told = null;
        try
        {
            if (!reader.TryRead(out ReadOnlyMemory<byte> line) || !reader.HasEnd)
                return false;
            isCopy = isCopy && IsNext(original!, line.Span);
            told = TakeNext(file, reader.Line, line, isCopy);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static bool IsNext(AuditFileReader original, ReadOnlySpan<byte> line)
    {
        try
        {
            return original.TryRead(out ReadOnlyMemory<byte> other) && original.HasEnd && other.Span.SequenceEqual(line);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private AuditRecord? TakeNext(AuditFileHeader file, long number, ReadOnlyMemory<byte> line, bool isCopy)
    {
        if (!ChainLine.TryRead(line.Span, out ChainLine read) || !read.IsWhatWasHashed(line.Span))
            throw new FormatException("does not hold");
        bool follows = number == 1 || (read.Sequence == _sequence + 1 && read.Previous.SequenceEqual(Encoding.ASCII.GetBytes(_hash)));
        string hash = Encoding.ASCII.GetString(read.Hash);
        if (!follows || anchors[read.Sequence].Any(anchor => anchor.Hash != hash))
            throw new FormatException("does not follow");
        (_sequence, _hash) = (read.Sequence, hash);
        if (isCopy)
            return null;
        using JsonDocument json = AuditFileHeader.Parse(line[read.Event]);
        return EventOf(json.RootElement, file, number) is { } told ? new AuditRecord(new AuditAnchor(chain.Id, _sequence, _hash), file, number, told) { IsBehindFault = true } : null;
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
                if (found.StartsWith(string.Create(CultureInfo.InvariantCulture, $"part {faultyPart} "), StringComparison.Ordinal) && !found.EndsWith(AuditMark.CutBack, StringComparison.Ordinal))
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
