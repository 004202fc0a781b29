namespace Nhi.TokenExchange;

/// <summary>Shows where two texts differ that must be the same, character by character.</summary>
internal static class ExactText
{
    private const int Around = 12;

    /// <summary>Where and how; null if they are the same.</summary>
    public static string? DifferenceOf(string expected, string presented)
    {
        if (string.Equals(expected, presented, StringComparison.Ordinal))
            return null;
        int at = expected.AsSpan().CommonPrefixLength(presented);
        if (SubjectForms.DifferenceOf(expected, presented) is { } forms)
            return forms;
        string where = $"first difference at position {at}: expected {Piece(expected, at)}, presented {Piece(presented, at)}";
        if (string.Equals(expected, presented, StringComparison.OrdinalIgnoreCase))
            return $"they differ in upper and lower case only; {where}";
        if (string.Equals(expected.Trim(), presented.Trim(), StringComparison.Ordinal))
            return $"they differ in white space around them only; {where}";
        return string.Equals(expected.TrimEnd('/'), presented.TrimEnd('/'), StringComparison.Ordinal) ? $"they differ in the slash at the end only; {where}" : where;
    }

    private static string Piece(string text, int at) => at >= text.Length ? "the end" : $"'{ExceptionText.Clean(text[at..], Around)}'";
}
