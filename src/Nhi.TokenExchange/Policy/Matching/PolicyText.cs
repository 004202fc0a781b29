using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Values in reasons: nothing that looks like a token, nothing that moves a cursor, and what only looks like a letter told apart from it.</summary>
internal static class PolicyText
{
    private const int LongestValue = 160;
    private const int MostValues = 5;

    public static string Presented(string? value) => value is null ? "nothing" : $"'{Shown(OuterText.Shown(Escaped(value), LongestValue * 2))}'";

    public static string OneOf(IReadOnlyList<string> values) =>
        string.Join(" or ", values.Take(MostValues).Select(value => $"'{Shown(Escaped(value))}'")) + (values.Count > MostValues ? string.Create(CultureInfo.InvariantCulture, $" or one of {values.Count - MostValues} more") : "");

    public static string Facts(JobFacts facts) => facts == JobFacts.None ? "nothing" : facts.ToString().ToLowerInvariant();

    /// <summary>Where two texts differ that look alike; nothing where they speak for themselves.</summary>
    public static string FirstDifference(string expected, string presented)
    {
        int same = expected.AsSpan().CommonPrefixLength(presented);
        bool isAlike = string.Equals(expected, presented, StringComparison.OrdinalIgnoreCase) || (same > 0 && 2 * same >= Math.Min(expected.Length, presented.Length));
        return isAlike ? string.Create(CultureInfo.InvariantCulture, $" (they first differ at character {same + 1})") : "";
    }

    /// <summary>Why a text has no place in a rule; null if it has.</summary>
    public static string? FaultOf(string text)
    {
        for (int at = 0; at < text.Length; at++)
        {
            bool isPair = char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]);
            UnicodeCategory category = isPair ? CharUnicodeInfo.GetUnicodeCategory(text, at) : char.GetUnicodeCategory(text[at]);
            if (category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
                return string.Create(CultureInfo.InvariantCulture, $"has a character at position {at} that nobody sees (U+{(int)text[at]:X4})");
            at += isPair ? 1 : 0;
        }
        return text.IsNormalized(NormalizationForm.FormC) ? null : "has letters put together of parts (it is not in Unicode's form NFC)";
    }

    private static string Shown(string escaped) => escaped.Length > LongestValue ? string.Concat(escaped.AsSpan(0, LongestValue), "…") : escaped;

    // A Cyrillic a must not be read as a Latin one.
    private static string Escaped(string value)
    {
        if (value.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0)
            return value;
        var text = new StringBuilder(value.Length + 16);
        foreach (char c in value.Length > LongestValue ? value.AsSpan(0, LongestValue) : value)
        {
            if (c is >= ' ' and <= '~')
                text.Append(c);
            else
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }
        return text.ToString();
    }
}
