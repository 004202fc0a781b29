using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Follows one chain through its files, line by line, up to its end or to the first line that does not hold. What stands in later files is read, too: see <see cref="BehindFault"/>.</summary>
internal sealed class ChainVerifier(AuditChain chain, ILookup<long, AuditAnchor> anchors, Action<AuditRecord> onRecord, CancellationToken cancellationToken)
{
    private long _sequence;
    private string _hash = ChainLine.NoHash;
    private AuditFileHeader? _part;
    private long _lastLine;
    private bool _lacksLinesBefore;

    /// <summary>Goes through the files.</summary>
    /// <param name="files">All that say that they are of this chain, in the order of their parts.</param>
    public void Run(IReadOnlyList<AuditFileHeader> files)
    {
        for (int at = 0; at < files.Count && chain.Fault is null; at++)
        {
            AuditFileHeader? before = _part;
            if (chain.TornTail is { } torn)
                chain.Fault = Fault(torn.File, torn.Line, $"has no end, and part {Text(files[at].Part)} goes on without it: somebody added it, or its process could not take it away");
            else
                Read(files[at]);
            if (chain.Fault is not { } fault)
                continue;
            int expected = (before?.Part ?? 0) + 1;
            bool isThis = fault.File == files[at].Path, isRead = isThis && fault.Line > 1;   // else its file may hold by itself
            bool isOfBefore = before is not null && (!isThis || _lacksLinesBefore);   // lines that are missing at the end of a part are missed at the beginning of the next
            int part = isOfBefore ? before!.Part : isRead ? files[at].Part : Math.Min(files[at].Part, expected);
            ReadBehind(fault, part, files, isRead ? at + 1 : at);
        }
        if (chain.Fault is null && anchors.Where(group => group.Key > _sequence).SelectMany(group => group).OrderBy(anchor => anchor.Sequence).FirstOrDefault() is { Hash: not null } beyond)
            chain.Fault = Fault(files[^1].Path, _lastLine + 1, $"is missing: the anchor {beyond} was said of a line that is not there; the chain was cut behind its line {Text(_sequence)}");
    }

    // What stands behind an end, too: somebody may have written that.
    private void ReadBehind(AuditFinding fault, int part, IReadOnlyList<AuditFileHeader> files, int read)
    {
        var behind = new BehindFault(chain, part, anchors, onRecord, cancellationToken);
        behind.Read(files.Skip(read), files.Take(read));
        if (behind.Noticed is { } noticed)
            chain.Fault = Fault(fault.File, fault.Line, $"{fault.What}; its process noticed: {noticed}");
    }

    private void Read(AuditFileHeader file)
    {
        using AuditFileReader? reader = Opened(file);
        if (reader is not null)
        {
            chain.Add(file.Path);
            _lastLine = 0;
            while (TryTakeNext(file, reader, out AuditRecord? told))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (told is not null)
                    onRecord(told);   // what it throws is the caller's, and no fault of the trail
            }
        }
        _part = file;
    }

    private AuditFileReader? Opened(AuditFileHeader file)
    {
        try
        {
            return AuditFileReader.Open(file.Path);
        }
        catch (FormatException unreadable)
        {
            chain.Fault = Fault(file.Path, 1, unreadable.Message);
            return null;
        }
    }

    // False: the file is read, or the next line does not hold.
    private bool TryTakeNext(AuditFileHeader file, AuditFileReader reader, out AuditRecord? told)
    {
        told = null;
        try
        {
            if (!reader.TryRead(out ReadOnlyMemory<byte> line))
                return false;
            if (reader.HasEnd)
                told = Take(file, reader, line);
            else
                TakeTail(file, reader.Line, line.Span);
            _lastLine = reader.HasEnd ? reader.Line : _lastLine;
            return true;
        }
        catch (FormatException flaw)
        {
            chain.Fault ??= Fault(file.Path, reader.Line, flaw.Message);
            return false;
        }
    }

    // The event of a line that holds; null: the line is one of the chain's own.
    private AuditRecord? Take(AuditFileHeader file, AuditFileReader reader, ReadOnlyMemory<byte> line)
    {
        if (!ChainLine.TryRead(line.Span, out ChainLine read))
            throw new FormatException(line.IsEmpty ? "is empty" : "is no line of an audit file");
        if (!read.IsWhatWasHashed(line.Span))
            throw new FormatException("was changed: its hash is not that of its bytes");
        if (reader.Line == 1)
            RequireNext(file, read);
        RequireNumber(read.Sequence, reader, file.Path);
        if (!read.Previous.SequenceEqual(Encoding.ASCII.GetBytes(_hash)))
            throw new FormatException($"does not follow upon the line before it, number {Text(_sequence)}: that one was written anew, or one of the two was put in its place");
        if (chain.IsEnded)
            throw new FormatException("follows upon the chain's end");
        _sequence = read.Sequence;
        _hash = Encoding.ASCII.GetString(read.Hash);
        var here = new AuditAnchor(chain.Id, _sequence, _hash);
        foreach (AuditAnchor anchor in anchors[_sequence])
        {
            if (anchor.Hash != _hash)
                throw new FormatException($"is not the one that the anchor {anchor} was said of: the chain was computed anew, from this line or one before it");
            chain.AnchoredTo = _sequence;
        }
        using JsonDocument json = AuditFileHeader.Parse(line[read.Event]);
        AuditEvent? told = EventOf(json.RootElement, file.Path, reader.Line);
        chain.Last = here;
        return told is null ? null : new AuditRecord(here, file, reader.Line, told);
    }

    // Null: the line is one of the chain's own.
    private AuditEvent? EventOf(JsonElement json, string path, long line)
    {
        try
        {
            // What the chain says of itself has a kind; an event has it under "unmapped".
            string? own = json.TryGetProperty("kind", out JsonElement kind) && kind.ValueKind == JsonValueKind.String ? kind.GetString() : null;
            switch (own)
            {
                case null:
                    AuditEvent? read = AuditEventReading.ReadIfKnown(json);
                    chain.LaterEvents += read is null ? 1 : 0;
                    chain.Events++;
                    return read;
                case "file" when line == 1:
                    return null;
                case "recovered":
                    chain.Add(new AuditFinding(path, line, $"says: {AuditMark.FoundIn(json)}"));
                    return null;
                case "end":
                    if (!json.TryGetProperty("events", out JsonElement events) || events.ValueKind != JsonValueKind.Number || !events.TryGetInt64(out long said) || (chain.FirstPart == 1 ? said != chain.Events : said < chain.Events))
                        throw new FormatException($"says that the chain has another number of events than the {Text(chain.Events)} that there are");
                    chain.IsEnded = true;
                    return null;
                default:
                    throw new FormatException($"is of a kind that has no place there, '{AuditText.Shown(own, 40)}'");
            }
        }
        catch (InvalidOperationException)
        {
            throw new FormatException("has a text with half of a surrogate pair");
        }
    }

    private void RequireNext(AuditFileHeader file, ChainLine first)
    {
        if (file.NameFlaw() is { } flaw)
            throw new FormatException(flaw);
        if (_part is null && file.Part > 1 && BeginsOnTheWordOfAnAnchor(file, first))
            return;
        int expected = (_part?.Part ?? 0) + 1;
        if (file.Part < expected)
            throw new FormatException($"says that this is part {Text(file.Part)}, and so does '{_part!.Path}'");
        if (file.Part > expected)
            throw new FormatException($"says that this is part {Text(file.Part)}, and part {Text(expected)} is missing");
        if (_part is { } before && before.ProcessId != file.ProcessId)
            throw new FormatException($"says that process {Text(file.ProcessId)} writes this part, and process {Text(before.ProcessId)} wrote the one before it");
    }

    // Full parts may be moved away: an anchor of the last line before this one vouches for what is not there.
    private bool BeginsOnTheWordOfAnAnchor(AuditFileHeader file, ChainLine first)
    {
        string previous = Encoding.ASCII.GetString(first.Previous);
        if (!anchors[first.Sequence - 1].Any() || anchors[first.Sequence - 1].Any(anchor => anchor.Hash != previous))
            return false;
        (_sequence, _hash) = (first.Sequence - 1, previous);
        (chain.FirstPart, chain.AnchoredTo) = (file.Part, _sequence);
        return true;
    }

    private void RequireNumber(long number, AuditFileReader reader, string path)
    {
        long expected = _sequence + 1;
        if (number == expected)
            return;
        long here = reader.Line;
        _lacksLinesBefore = here == 1;
        if (number < expected)
            throw new FormatException($"has the number {Text(number)} once more, where {Text(expected)} has to stand: it was put in, or put in another place");
        string where = FindLater(expected, reader) is { } later ? $"which stands in line {Text(later)}: lines were put in another order" : number - expected == 1 ? "which is missing" : $"and {Text(number - expected)} lines are missing";
        chain.Fault = Fault(path, here, $"has the number {Text(number)}, where {Text(expected)} has to stand, {where}");
        throw new FormatException(chain.Fault.What);
    }

    private long? FindLater(long sequence, AuditFileReader reader)
    {
        try
        {
            while (reader.TryRead(out ReadOnlyMemory<byte> line))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (ChainLine.TryRead(line.Span, out ChainLine read) && read.Sequence == sequence && read.IsWhatWasHashed(line.Span))
                    return reader.Line;
            }
        }
        catch (FormatException)   // it is not found
        {
        }
        return null;
    }

    // A crash leaves the beginning of a line, or, on some file systems, zeros in its place, or behind it.
    private void TakeTail(AuditFileHeader file, long line, ReadOnlySpan<byte> tail)
    {
        ReadOnlySpan<byte> beginning = ChainLine.BeginningOf(_sequence + 1, _hash);
        int common = Math.Min(beginning.Length, tail.TrimEnd((byte)0).Length);
        if (chain.IsEnded)
            throw new FormatException("follows upon the chain's end");
        if (!tail[..common].SequenceEqual(beginning[..common]))
            throw new FormatException("has no end, and is not the beginning of the line that has to stand there");
        chain.TornTail = Fault(file.Path, line, $"has no end: {Text(tail.Length)} bytes of a line that a crash tore, or that is being written");
    }

    private static AuditFinding Fault(string file, long line, string what) => new(file, line, what);

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
