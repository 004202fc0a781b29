using System.Buffers;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Makes an issuer's text fit for a message: what may be a token is taken out, the rest cleaned and cut.</summary>
internal static class OuterText
{
    private const int MaxLength = 200;

    // A JWT's first part begins with {" in base64url.
    private const string JwtStart = "eyJ";
    private const int ShortestJwtPiece = 12;

    // Longer than a UUID (36); shorter than any token worth stealing.
    private const int ShortestOpaque = 40;

    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+=");

    /// <summary>The text without anything that looks like a token, without control characters, at most <paramref name="maxLength"/> long.</summary>
    public static string Shown(string? text, int maxLength = MaxLength) => ExceptionText.Clean(Redact(text), maxLength);

    private static string Redact(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        var kept = new StringBuilder(Math.Min(text.Length, 1024));
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty && kept.Length <= 1024)
        {
            int run = rest.IndexOfAnyExcept(TokenCharacters);
            run = run < 0 ? rest.Length : run;
            if (LooksLikeAToken(rest[..run]))
                kept.Append("[redacted]");
            else
                kept.Append(rest[..run]);
            rest = rest[run..];
            int gap = rest.IndexOfAny(TokenCharacters);
            gap = gap < 0 ? rest.Length : gap;
            kept.Append(rest[..gap]);
            rest = rest[gap..];
        }
        return kept.ToString();
    }

    private static bool LooksLikeAToken(ReadOnlySpan<char> run) =>
        run.Length >= ShortestOpaque || (run.Length >= ShortestJwtPiece && run.Contains(JwtStart, StringComparison.Ordinal));
}
