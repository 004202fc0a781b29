using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>What was said of one line outside of the file, when it was written: <c>chain:seq:hash</c>.</summary>
internal readonly record struct AuditAnchor(Guid Chain, long Sequence, string Hash)
{
    /// <summary>The anchor; null if the text has another form.</summary>
    public static AuditAnchor? TryParse(string text)
    {
        string[] parts = text.Trim().Split(':');
        return parts.Length == 3 && Guid.TryParseExact(parts[0], "D", out Guid chain)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long sequence) && sequence > 0
            && parts[2].Length == ChainLine.NoHash.Length && parts[2].All(char.IsAsciiHexDigit)
                ? new AuditAnchor(chain, sequence, parts[2].ToLowerInvariant())
                : null;
    }

    /// <summary>What is wrong with a text that is none.</summary>
    public static string FaultOf(string text) => $"'{AuditText.Shown(text, 150)}' is no anchor. One is written as the chain's id, a line's number and its hash, with colons between them.";

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Chain:D}:{Sequence}:{Hash}");
}
