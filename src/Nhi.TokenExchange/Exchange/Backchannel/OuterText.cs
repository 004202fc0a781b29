using System.Buffers;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Makes an issuer's text fit for a message: what was sent to it and what may be a token is taken out, the rest cleaned and cut.</summary>
/// <remarks>What we sent is known and taken out exactly. The pattern is for what others may have sent: it spares words, URIs and GUIDs, without which no error is understood.</remarks>
internal static class OuterText
{
    public const string Redacted = "[redacted]";

    private const int MaxLength = 200;

    // A text can be as long as an answer, and its secrets as many: of a longer one no more is gone through, and nothing near its cut is shown.
    private const int LongestRead = 16 * 1024;
    private const int LongestKept = 1024;

    // A JWT's first part begins with {" in base64url.
    private const string JwtStart = "eyJ";
    private const int ShortestJwtPiece = 12;

    // 128 bits in base64 are 22 characters; with letters alone it is a word up to the second limit.
    private const int ShortestOpaque = 24;
    private const int ShortestOpaqueOfLetters = 40;

    // What stands between two separators in a host name, a path, a resource's name: "serviceaccount", "20260101", "6d4cf56db6".
    private const int LongestWord = 20;
    private const int LongestNumber = 8;
    private const int LongestName = 10;

    private const int LettersPerHump = 5;

    private const int GuidLength = 36;

    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=%");

    /// <summary>The text without anything that was sent or looks like a token, without control characters, at most <paramref name="maxLength"/> long.</summary>
    public static string Shown(string? text, int maxLength = MaxLength, SentSecrets? sent = null) => ExceptionText.Clean(Redact(text, sent), maxLength);

    private static string Redact(string? text, SentSecrets? sent)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        bool isCut = text.Length > LongestRead;
        if (isCut)
            text = text[..LongestRead];
        if (sent is not null)
            text = sent.TakenOutOf(text);
        if (Guid.TryParseExact(text, "N", out _))
            return text;   // a trace id: where it is all there is, it is asked for
        var kept = new StringBuilder(Math.Min(text.Length, LongestKept));
        ReadOnlySpan<char> rest = text;
        while (!rest.IsEmpty && kept.Length <= LongestKept)
        {
            int run = rest.IndexOfAnyExcept(TokenCharacters);
            run = run < 0 ? rest.Length : run;
            if (LooksLikeAToken(rest[..run]) || sent?.HasPart(rest[..run]) == true)
                kept.Append(Redacted);
            else
                kept.Append(rest[..run]);
            rest = rest[run..];
            int gap = rest.IndexOfAny(TokenCharacters);
            gap = gap < 0 ? rest.Length : gap;
            kept.Append(rest[..gap]);
            rest = rest[gap..];
        }
        return isCut && kept.Length <= LongestKept ? Redacted : kept.ToString();
    }

    private static bool LooksLikeAToken(ReadOnlySpan<char> run)
    {
        if (run.Length >= ShortestJwtPiece && run.Contains(JwtStart, StringComparison.Ordinal))
            return true;
        bool isLong = run.Length >= ShortestOpaqueOfLetters || (run.Length >= ShortestOpaque && run.ContainsAnyInRange('0', '9') && run.IndexOfAnyExceptInRange('0', '9') >= 0);
        return isLong && !IsReadable(run);
    }

    // Every piece between separators is a word, a number, a short name, or the five pieces together are a GUID.
    private static bool IsReadable(ReadOnlySpan<char> run)
    {
        for (int at = 0; at < run.Length;)
        {
            if (!char.IsAsciiLetterOrDigit(run[at]))
            {
                at++;
                continue;
            }
            ReadOnlySpan<char> rest = run[at..];
            bool isGuid = rest.Length >= GuidLength && Guid.TryParseExact(rest[..GuidLength], "D", out _);
            int length = isGuid ? GuidLength : PieceLength(rest);
            if (!isGuid && (length > LongestReadable(rest[..length]) || !HasCaseOfWords(rest[..length])))
                return false;
            at += length;
        }
        return true;
    }

    private static int PieceLength(ReadOnlySpan<char> rest)
    {
        int length = 0;
        while (length < rest.Length && char.IsAsciiLetterOrDigit(rest[length]))
            length++;
        return length;
    }

    private static int LongestReadable(ReadOnlySpan<char> piece) =>
        !piece.ContainsAnyInRange('0', '9') ? LongestWord : piece.IndexOfAnyExceptInRange('0', '9') < 0 ? LongestNumber : LongestName;

    // "openIdConfiguration" has a capital after a small letter every few letters, in base64 it is every fourth place; names with digits keep to one case.
    private static bool HasCaseOfWords(ReadOnlySpan<char> piece)
    {
        int humps = 0;
        for (int i = 1; i < piece.Length; i++)
            humps += char.IsAsciiLetterUpper(piece[i]) && char.IsAsciiLetterLower(piece[i - 1]) ? 1 : 0;
        bool isOfBothCases = piece.ContainsAnyInRange('a', 'z') && piece.ContainsAnyInRange('A', 'Z');
        return humps * LettersPerHump <= piece.Length && !(isOfBothCases && piece.ContainsAnyInRange('0', '9'));
    }
}
