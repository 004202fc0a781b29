using System.Buffers;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Tells a static secret by the name of a setting or by the form of its value; see <see cref="SecretForms"/> and the page "What smells of a static secret".</summary>
internal static class SecretSmell
{
    // Shorter values have too little entropy to tell them from names.
    public const int ShortestKey = 32;

    // Client ids of some issuers are up to 90 random letters and digits, and public. They go into addresses: of the other characters of base64 they have none.
    private const int ShortestKeyAmongClientIds = 100;
    private const int ShortestBase64KeyAmongClientIds = 40;

    /// <summary>A form for which there is another remedy than for a key.</summary>
    public const string AddressWithPassword = "an address with a password";

    private const int LongestName = 256;

    // 32 and 40 hexadecimal digits are names of runs and commits.
    private const int ShortestHexKey = 48;

    // Random base64 of 32 characters has about 4.6 bits per character; words and paths stay below 4.3.
    private const double KeyBitsPerCharacter = 4.35;

    // 48 random hexadecimal digits have about 3.8.
    private const double HexBitsPerCharacter = 3;

    private static readonly SearchValues<char> Base64 = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=");
    private static readonly SearchValues<char> Base64Url = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=");
    private static readonly SearchValues<char> Base32 = SearchValues.Create("abcdefghijklmnopqrstuvwxyz234567");
    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdefABCDEF");

    /// <summary>Whether a setting of this name would hold a static secret.</summary>
    public static bool IsInName(string name)
    {
        string flat = string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
        // What tells is at the end.
        return IsNameWithTail(flat[Math.Max(0, flat.Length - LongestName)..], isNumbered: false);
    }

    /// <summary>From which length on random characters are a key, though they stand in the place of a client's id.</summary>
    public static int ShortestKeyInClientId(string id) => id.AsSpan().ContainsAny('+', '/', '=') ? ShortestBase64KeyAmongClientIds : ShortestKeyAmongClientIds;

    /// <summary>What a value looks like, if it looks like a secret; null if it does not.</summary>
    /// <param name="value">The value.</param>
    /// <param name="shortestKey">From which length on random characters are a key, where nothing else shows what they are.</param>
    public static string? FormOf(string value, int shortestKey = ShortestKey)
    {
        value = value.Trim();
        if (Array.Find(SecretForms.Beginnings, beginning => BeginsLike(value, beginning)) is { } known)
            return known.Form;
        if (HasPasswordBeforeHost(value))
            return AddressWithPassword;
        string packed = value.Replace(" ", "", StringComparison.Ordinal);
        if (SecretForms.Parts.Any(part => packed.Contains(part, StringComparison.OrdinalIgnoreCase)))
            return "a key or a connection string with its password";
        if (IsJwt(value))
            return "a token";
        return IsAzureDevOpsToken(value) || IsEntraSecret(value) || IsKey(value, shortestKey) ? "a key" : null;
    }

    // All ways are tried: passcodeV2 does not end in dev.
    private static bool IsNameWithTail(string flat, bool isNumbered) =>
        IsName(flat)
        || (flat is [.., >= '0' and <= '9'] && IsNameWithTail(flat[..^1], isNumbered: true))
        || (isNumbered && flat.EndsWith('v') && IsNameWithTail(flat[..^1], isNumbered: false))
        || SecretForms.NameTails.Any(tail => flat.EndsWith(tail, StringComparison.Ordinal) && IsNameWithTail(flat[..^tail.Length], isNumbered: false));

    private static bool IsName(string flat)
    {
        if (SecretForms.NameEndings.Any(ending => flat.EndsWith(ending, StringComparison.Ordinal)))
            return true;
        while (!SecretForms.Names.Contains(flat, StringComparer.Ordinal))
        {
            if (Array.Find(SecretForms.NameFronts, front => flat.StartsWith(front, StringComparison.Ordinal)) is not { } front)
                return false;
            flat = flat[front.Length..];
        }
        return true;
    }

    private static bool BeginsLike(string value, SecretForms.Beginning known)
    {
        if (!value.StartsWith(known.Text, StringComparison.Ordinal))
            return false;
        string rest = value[known.Text.Length..];
        return rest.Length >= known.Rest && !rest.AsSpan().ContainsAnyExcept(known.Alphabet) && known.Demand switch
        {
            SecretForms.Demand.Digit => rest.Any(char.IsAsciiDigit),
            SecretForms.Demand.Mixture => HasMixedPiece(rest),
            SecretForms.Demand.Pair => IsPair(rest),
            _ => true,
        };
    }

    private static bool IsPair(string rest)
    {
        Span<byte> bytes = new byte[rest.Length];
        return Convert.TryFromBase64String(rest, bytes, out int length) && Encoding.Latin1.GetString(bytes[..length]).Contains(':', StringComparison.Ordinal);
    }

    // RFC 7515 §7.1, RFC 7516 §7.1: parts of base64url with dots between; the first is a JSON object, which begins with {" or { and white space.
    private static bool IsJwt(string value) =>
        value.Length >= 30 && value[..3] is ("eyJ" or "eyA" or "ewo" or "ew0" or "ewk") && value.Split('.') is { Length: 2 or 3 or 5 } parts
        && parts.All(part => !part.AsSpan().ContainsAnyExcept(Base64Url));

    private static bool HasPasswordBeforeHost(string value)
    {
        int start = value.IndexOf("://", StringComparison.Ordinal);
        if (start < 0)
            return false;
        ReadOnlySpan<char> authority = value.AsSpan(start + 3);
        int end = authority.IndexOfAny('/', '?', '#');
        authority = end < 0 ? authority : authority[..end];
        int at = authority.LastIndexOf('@');
        return at > 0 && authority[..at].Contains(':');
    }

    private static bool IsKey(string value, int shortestKey)
    {
        if (value.Length < shortestKey || Guid.TryParse(value, out _) || IsRootedPath(value))
            return false;
        if (!value.AsSpan().ContainsAnyExcept(Hex))
            return value.Length >= ShortestHexKey && BitsPerCharacter(value) >= HexBitsPerCharacter;
        bool isOneAlphabet = !value.AsSpan().ContainsAnyExcept(Base64) || !value.AsSpan().ContainsAnyExcept(Base64Url);
        return isOneAlphabet && HasMixedPiece(value) && BitsPerCharacter(value) >= KeyBitsPerCharacter;
    }

    // Files and resources: /a/b/c. About one in a thousand random keys looks like that.
    private static bool IsRootedPath(string value) => value[0] == '/' && value.Count(c => c == '/') >= 3 && !value.AsSpan().ContainsAny('+', '=');

    // A path of words may have many different characters, but none of its words mixes letters and digits for long.
    private static bool HasMixedPiece(string value) => value.Split('/', '+', '-', '_', '.', '~', '=').Any(piece =>
        piece.Length >= 12 && piece.Any(char.IsAsciiDigit) && piece.Any(char.IsAsciiLetterUpper) && piece.Any(char.IsAsciiLetterLower));

    // 52 characters of base32 in small letters: no name is that long without a hyphen or a dot.
    private static bool IsAzureDevOpsToken(string value) =>
        value.Length == 52 && !value.AsSpan().ContainsAnyExcept(Base32) && value.Any(char.IsAsciiDigit);

    // Client secrets of Entra ID: a digit, Q and a tilde after the third character, then letters, digits and -_.~
    private static bool IsEntraSecret(string value) =>
        value.Length is >= 36 and <= 44 && char.IsAsciiDigit(value[3]) && value[4] == 'Q' && value[5] == '~' && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~');

    // Shannon's entropy of the characters.
    private static double BitsPerCharacter(string value) =>
        -value.CountBy(c => c).Sum(count => count.Value / (double)value.Length * Math.Log2(count.Value / (double)value.Length));
}
