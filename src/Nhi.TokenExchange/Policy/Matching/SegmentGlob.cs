using System.Buffers;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>A pattern over texts that are cut into segments at <c>/</c> and <c>:</c>. <c>*</c> is exactly one segment, not empty; <c>**</c>, at the end alone, is whatever follows, at least one character.</summary>
/// <remarks>One pass, no way back: the time is that of comparing two texts. There is no wildcard for a part of a segment: <c>orders-*</c> would let everybody in who may choose a name that begins so.</remarks>
internal sealed class SegmentGlob
{
    private static readonly SearchValues<char> Separators = SearchValues.Create("/:");

    // One entry a segment; the separator is what stands behind it, '\0' behind the last.
    private readonly (Wildcard Kind, string Text, char Separator)[] _segments;

    private SegmentGlob(string pattern, (Wildcard Kind, string Text, char Separator)[] segments)
    {
        Pattern = pattern;
        _segments = segments;
    }

    private enum Wildcard
    {
        None,
        One,
        Rest,
    }

    public string Pattern { get; }

    public bool EndsOpen => _segments[^1].Kind == Wildcard.Rest;

    /// <summary>Reads a pattern; null if it is none, with what is wrong.</summary>
    public static SegmentGlob? TryParse(string pattern, out string what, out string remedy)
    {
        var segments = new List<(Wildcard, string, char)>();
        what = remedy = "";
        for (int at = 0; at <= pattern.Length;)
        {
            int length = pattern.AsSpan(at).IndexOfAny(Separators);
            length = length < 0 ? pattern.Length - at : length;
            string text = pattern.Substring(at, length);
            char separator = at + length < pattern.Length ? pattern[at + length] : '\0';
            if (text is not ("*" or "**") && text.Contains('*', StringComparison.Ordinal))
                (what, remedy) = ($"has a * at position {at + text.IndexOf('*', StringComparison.Ordinal)} that stands for a part of a segment", "A * stands for a whole segment between / or :, and is no part of a regular expression. List the names that are meant with anyOf.");
            else if (text is "**" && separator != '\0')
                (what, remedy) = ($"has ** at position {at}, before the end", "Write * for each segment in between; ** stands at the end alone.");
            segments.Add((text switch { "*" => Wildcard.One, "**" => Wildcard.Rest, _ => Wildcard.None }, text, separator));
            at += length + 1;
        }
        if (what.Length == 0 && segments.TrueForAll(segment => segment.Item1 == Wildcard.None))
            (what, remedy) = ("has no * in it", "Write it as a text alone, without glob.");
        else if (what.Length == 0 && segments.TrueForAll(segment => segment.Item1 != Wildcard.None || segment.Item2.Length == 0))
            (what, remedy) = ("names nothing: every value matches", "Name at least one segment, or write { \"present\": true } if any value will do.");
        return what.Length == 0 ? new SegmentGlob(pattern, [.. segments]) : null;
    }

    public bool Matches(ReadOnlySpan<char> value)
    {
        foreach ((Wildcard kind, string text, char separator) in _segments)
        {
            if (kind == Wildcard.Rest)
                return !value.IsEmpty;
            int length = kind == Wildcard.None ? text.Length : LengthOfSegment(value);
            if (kind == Wildcard.One ? length == 0 : !value.StartsWith(text, StringComparison.Ordinal))
                return false;
            value = value[length..];
            if (separator == '\0')
                return value.IsEmpty;
            if (value.IsEmpty || value[0] != separator)
                return false;
            value = value[1..];
        }
        return false;
    }

    /// <summary>Whether everything that the other matches is matched here, too.</summary>
    public bool Covers(SegmentGlob other)
    {
        for (int at = 0; at < _segments.Length; at++)
        {
            (Wildcard kind, string text, char separator) = _segments[at];
            if (at >= other._segments.Length)
                return false;
            (Wildcard otherKind, string otherText, char otherSeparator) = other._segments[at];
            if (kind == Wildcard.Rest)
                return otherKind != Wildcard.None || otherText.Length > 0 || otherSeparator != '\0';   // a last segment that is empty leaves nothing
            bool covers = kind == Wildcard.None ? otherKind == Wildcard.None && otherText == text : otherKind == Wildcard.One || (otherKind == Wildcard.None && otherText.Length > 0);
            if (!covers || separator != otherSeparator)
                return false;
        }
        return _segments.Length == other._segments.Length;
    }

    /// <summary>The pattern, or the text, of what both match; null if nothing is.</summary>
    public static string? CommonOf(SegmentGlob left, SegmentGlob right)
    {
        var common = new StringBuilder();
        for (int at = 0; at < left._segments.Length && at < right._segments.Length; at++)
        {
            (Wildcard kind, string text, char separator) = left._segments[at];
            (Wildcard otherKind, string otherText, char otherSeparator) = right._segments[at];
            if (kind == Wildcard.Rest)
                return right.From(at) is { Length: > 0 } rest ? common.Append(rest).ToString() : null;
            if (otherKind == Wildcard.Rest)
                return left.From(at) is { Length: > 0 } rest ? common.Append(rest).ToString() : null;
            // A wildcard is not empty.
            string? both = kind == otherKind ? (text == otherText ? text : null) : kind == Wildcard.None ? text : otherText;
            if (both is null || (both.Length == 0 && kind != otherKind) || separator != otherSeparator)
                return null;
            common.Append(both);
            if (separator == '\0')
                return common.ToString();
            common.Append(separator);
        }
        return null;
    }

    /// <summary>A text that it matches: each <c>*</c> is one of the given words, <c>**</c> is it.</summary>
    public string Example(string word) => string.Concat(_segments.Select(segment => (segment.Kind == Wildcard.None ? segment.Text : word) + (segment.Separator == '\0' ? "" : segment.Separator)));

    private string From(int at) => string.Concat(_segments.Skip(at).Select(segment => segment.Text + (segment.Separator == '\0' ? "" : segment.Separator)));

    private static int LengthOfSegment(ReadOnlySpan<char> value)
    {
        int length = value.IndexOfAny(Separators);
        return length < 0 ? value.Length : length;
    }
}
