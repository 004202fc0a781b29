using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Texts of the audit, wherever they come from: bounded, and written so that no reader, screen or log takes a part of them for anything else.</summary>
/// <remarks>All but visible ASCII is written as <c>\uXXXX</c>, whatever the writer's own encoder would do: line ends, terminal escapes, bidi marks and letters that look like others are seen as what they are.</remarks>
internal static class AuditText
{
    /// <summary>The longest text, in UTF-16 units.</summary>
    public const int Longest = 1024;

    /// <summary>The longest text of several sentences, and the longest <c>authorization_details</c>.</summary>
    public const int LongestProse = 8 * 1024;

    /// <summary>The longest element of a list.</summary>
    public const int LongestElement = 256;

    /// <summary>The most claims of a proof that an event names.</summary>
    public const int MostClaims = 8;

    /// <summary>The longest name of one, in visible ASCII.</summary>
    public const int LongestClaimName = 64;

    /// <summary>The most elements of a list.</summary>
    public const int MostElements = 128;

    private const char Replacement = '\uFFFD';

    /// <summary>Makes a text fit: what is too long ends in <c>[cut:N]</c>, N being its length; half a surrogate pair becomes U+FFFD. Idempotent.</summary>
    public static string Fit(string text, int longest = Longest)
    {
        if (text.Length > longest)
        {
            string mark = string.Create(CultureInfo.InvariantCulture, $"[cut:{text.Length}]");
            text = string.Concat(text.AsSpan(0, longest - mark.Length), mark);
        }
        return HasLoneSurrogate(text) ? WithoutLoneSurrogates(text) : text;
    }

    /// <summary>A text as it is written: escaped, without the quotes.</summary>
    public static JsonEncodedText Encode(string text, int longest = Longest) => JsonEncodedText.Encode(Fit(text, longest), JavaScriptEncoder.Default);

    /// <summary>A list as it is written: of too many elements the last says how many are left out, in a form that is a scope, too.</summary>
    public static IEnumerable<JsonEncodedText> Encode(IReadOnlyList<string> list)
    {
        foreach (string element in list.Take(MostElements))
            yield return Encode(element, LongestElement);
        if (list.Count > MostElements)
            yield return JsonEncodedText.Encode(string.Create(CultureInfo.InvariantCulture, $"[left-out:{list.Count - MostElements}]"));
    }

    /// <summary>A text for people, on one line of a terminal: all but visible ASCII stands as <c>\uXXXX</c>.</summary>
    public static string Shown(string text, int longest = 200)
    {
        string fit = Fit(text, longest);
        return fit.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0
            ? fit
            : string.Concat(fit.Select(c => c is >= ' ' and <= '~' ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}")));
    }

    private static bool HasLoneSurrogate(ReadOnlySpan<char> text)
    {
        for (int i = text.IndexOfAnyInRange('\uD800', '\uDFFF'); i >= 0 && i < text.Length; i++)
        {
            if (IsPairAt(text, i))
                i++;
            else if (char.IsSurrogate(text[i]))
                return true;
        }
        return false;
    }

    private static string WithoutLoneSurrogates(string text) => string.Create(text.Length, text, static (into, from) =>
    {
        for (int i = 0; i < from.Length; i++)
        {
            into[i] = from[i];
            if (IsPairAt(from, i))
                into[i + 1] = from[++i];
            else if (char.IsSurrogate(from[i]))
                into[i] = Replacement;
        }
    });

    private static bool IsPairAt(ReadOnlySpan<char> text, int at) => at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]);
}
