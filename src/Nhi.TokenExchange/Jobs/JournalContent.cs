using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>What stands in a journal: whose it is, and what nothing says the end of.</summary>
internal sealed class JournalContent
{
    // What is named of what can't be read; the rest is counted.
    private const int MostShown = 3;

    private readonly List<string> _flaws = [];

    private JournalContent(JournalHeader header) => Header = header;

    public JournalHeader Header { get; }

    /// <summary>Entries without an end, by number.</summary>
    public SortedDictionary<long, JournalEntry> Open { get; } = [];

    /// <summary>Whether its job ended in order, and left what it could not end.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Where the last whole line ends. What stands behind it is what a crash left of a line: nothing that came of it was handed out.</summary>
    public long WholeLength { get; private set; }

    /// <summary>What can't be read in it, in words; null if all can be.</summary>
    public string? Flaws => _flaws.Count == 0 ? null : string.Join(", ", _flaws.Take(MostShown)) + (_flaws.Count > MostShown ? string.Create(CultureInfo.InvariantCulture, $", and {_flaws.Count - MostShown} more") : "");

    /// <summary>Reads a journal. A line that can't be read is noted, and the others are read.</summary>
    /// <exception cref="TokenExchangeException">Its first line is none of ours, or of another version.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public static JournalContent Read(JournalFile file)
    {
        JournalContent? content = null;
        int number = 0;
        long length = ReadLines(file, (line, whole) =>
        {
            number++;
            try
            {
                if (!whole)
                    throw new FormatException("is longer than any of ours");
                JournalLine read = JournalLine.Read(line);
                if (content is null)
                    content = new JournalContent(read.Kind == "journal" ? read.ToHeader() : throw new FormatException("does not say whose journal it is"));
                else
                    content.Take(read);
            }
            catch (FormatException flaw)
            {
                string what = string.Create(CultureInfo.InvariantCulture, $"line {number} {flaw.Message}");
                if (content is null)
                    throw Unreadable(file.Path, what, "Nothing of it was revoked.");
                content._flaws.Add(what);
            }
        });
        if (content is null)
            throw Unreadable(file.Path, "its first line is not whole", "Nothing of it was revoked.");
        content.WholeLength = length;
        return content;
    }

    public static TokenExchangeException Unreadable(string path, string what, string done) =>
        new(ErrorCodes.JournalUnreadable, ExchangeStage.Revoke, $"The journal '{ExceptionText.Clean(path, 200)}' can't be read: {what}. It was left where it is. {done}")
        {
            Hint = "If a newer version of this library wrote it, recover it with that one. Else look at the lines by eye, have revoked what they name, and take the file away.",
        };

    private void Take(JournalLine line)
    {
        switch (line.Kind)
        {
            case "entry":
                JournalEntry entry = line.ToEntry();
                Open[entry.Number] = entry;
                break;
            case "untold":
                (long number, JournalUntold untold) = line.ToUntold();
                if (Open.TryGetValue(number, out JournalEntry? ended))   // else it has been told since
                    Open[number] = ended with { Untold = untold };
                break;
            case "ended":
                Open.Remove(line.ToEnd());
                break;
            case "closed":
                line.Close();
                IsClosed = true;
                break;
            default:
                throw new FormatException("is of no known kind");
        }
    }

    private delegate void LineReader(ReadOnlySpan<byte> line, bool isWhole);

    /// <returns>Where the last whole line ends.</returns>
    private static long ReadLines(JournalFile file, LineReader take)
    {
        byte[] buffer = new byte[2 * JournalText.LongestLine];
        long at = 0, wholeLength = 0;
        int held = 0;
        bool isTooLong = false;   // the rest of a line whose beginning was thrown away
        while (file.Read(buffer.AsSpan(held), at) is > 0 and int read)
        {
            at += read;
            held += read;
            Span<byte> rest = buffer.AsSpan(0, held);
            while (rest.IndexOf((byte)'\n') is >= 0 and int end)
            {
                take(rest[..end], !isTooLong && end < JournalText.LongestLine);
                isTooLong = false;
                rest = rest[(end + 1)..];
                wholeLength = at - rest.Length;
            }
            if (rest.Length > JournalText.LongestLine)
            {
                isTooLong = true;
                rest = [];
            }
            rest.CopyTo(buffer);
            held = rest.Length;
        }
        if (isTooLong)   // no crash leaves that much of a line
        {
            take([], isWhole: false);
            wholeLength = at;
        }
        return wholeLength;
    }
}
