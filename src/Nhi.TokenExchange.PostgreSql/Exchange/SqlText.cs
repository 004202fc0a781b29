namespace Nhi.TokenExchange;

/// <summary>Names and texts inside of statements that take no parameters: <c>CREATE ROLE</c> and its like.</summary>
internal static class SqlText
{
    /// <summary>PostgreSQL cuts longer names off (NAMEDATALEN), and then they are others.</summary>
    public const int LongestName = 63;

    /// <summary>A quoted identifier.</summary>
    /// <exception cref="ArgumentException">It has a NUL, which no name has.</exception>
    public static string Name(string name) => Quoted(name, "\"");

    /// <summary>A quoted literal. A backslash stands for itself: the session says standard_conforming_strings.</summary>
    /// <exception cref="ArgumentException">It has a NUL, which no text has.</exception>
    public static string Literal(string text) => Quoted(text, "'");

    private static string Quoted(string text, string quote) =>
        text.Contains('\0', StringComparison.Ordinal)
            ? throw new ArgumentException("It has a NUL in it.", nameof(text))
            : quote + text.Replace(quote, quote + quote, StringComparison.Ordinal) + quote;
}
