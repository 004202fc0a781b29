using System.Buffers;

namespace Nhi.TokenExchange;

/// <summary>Tells a static secret by the name of a setting or by the shape of its value. The list of smells is the two tables here.</summary>
internal static class SecretSmell
{
    // Shorter values have too little entropy to tell them from names.
    private const int ShortestKey = 32;

    // Random base64 of 32 characters has about 4.6 bits per character; words and paths stay below 4.3.
    private const double KeyBitsPerCharacter = 4.35;

    // Endings of names, without separators. A name that ends in File, Path, Type or Url holds no secret.
    private static readonly string[] NameEndings =
    [
        "secret", "secrets", "secretkey", "password", "passwd", "passphrase", "pwd", "apikey", "token", "tokens", "accountkey", "privatekey", "accesskey",
        "sharedkey", "sharedaccesskey", "sharedaccesssignature", "signingkey", "encryptionkey", "subscriptionkey", "masterkey", "storagekey", "hostkey", "authkey",
        "connectionstring", "connectionstrings", "credential", "credentials", "clientassertion", "assertion", "certificatedata", "authorization", "bearer", "cookie", "secretvalue",
    ];

    // Names too short to be an ending of others.
    private static readonly string[] Names = ["pat", "sas", "jwt", "pass", "auth", "key", "apppassword"];

    // What a value begins with, and how long it is at least, of which vendor's or standard's form.
    private static readonly (string Prefix, int Length, string Form)[] Prefixes =
    [
        ("dapi", 32, "a Databricks personal access token"), ("dose", 32, "a Databricks OAuth secret"), ("dkea", 32, "a Databricks token"),
        ("ghp_", 20, "a GitHub token"), ("gho_", 20, "a GitHub token"), ("ghu_", 20, "a GitHub token"), ("ghs_", 20, "a GitHub token"), ("ghr_", 20, "a GitHub token"),
        ("github_pat_", 20, "a GitHub token"), ("glpat-", 20, "a GitLab token"), ("AKIA", 20, "an AWS access key"), ("ASIA", 20, "an AWS access key"),
        ("hvs.", 20, "a Vault token"), ("hvb.", 20, "a Vault token"), ("xox", 20, "a Slack token"), ("AIza", 30, "a Google API key"), ("ya29.", 20, "a Google access token"), ("GOCSPX-", 20, "a Google client secret"),
        ("npm_", 30, "an npm token"), ("pypi-", 30, "a PyPI token"), ("sk-", 20, "an API key"), ("sk_live_", 20, "an API key"), ("rk_live_", 20, "an API key"), ("Bearer ", 12, "an Authorization header"), ("Basic ", 12, "an Authorization header"),
    ];

    // What a connection string, a signed URL or a key file has in it.
    private static readonly string[] Marks =
    [
        "password=", "pwd=", "accountkey=", "sharedaccesskey=", "sharedaccesssignature=", "sharedsecret", "client_secret=", "clientsecret=", "secret=", "-----begin", "\"private_key\"", "private_key_id", "&sig=", "?sig=", "x-amz-signature=",
    ];

    private static readonly SearchValues<char> Base64 = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=");
    private static readonly SearchValues<char> Base64Url = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=");
    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdefABCDEF");

    /// <summary>Whether a setting of this name would hold a static secret.</summary>
    public static bool IsInName(string name)
    {
        string flat = string.Concat(name.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
        return Names.Contains(flat, StringComparer.Ordinal) || NameEndings.Any(ending => flat.EndsWith(ending, StringComparison.Ordinal));
    }

    /// <summary>What a value looks like, if it looks like a secret; null if it does not.</summary>
    public static string? FormOf(string value)
    {
        value = value.Trim();
        foreach ((string prefix, int length, string form) in Prefixes)
        {
            if (value.Length >= length && value.StartsWith(prefix, StringComparison.Ordinal))
                return form;
        }
        string packed = value.Replace(" ", "", StringComparison.Ordinal);
        if (Marks.Any(mark => packed.Contains(mark, StringComparison.OrdinalIgnoreCase)))
            return "a key or a connection string with its password";
        if (HasPasswordBeforeHost(value))
            return "an address with a password";
        if (IsJwt(value))
            return "a token";
        return IsKey(value) ? "a key" : null;
    }

    // RFC 7515 §7.1: three parts of base64url with dots between; the first is a JSON object, which begins with {" or { and white space.
    private static bool IsJwt(string value) =>
        value.Length >= 30 && value.StartsWith("ey", StringComparison.Ordinal) && value.Split('.') is { Length: 2 or 3 or 5 } parts
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

    private static bool IsKey(string value)
    {
        if (value.Length < ShortestKey || Guid.TryParse(value, out _))
            return false;
        if (!value.AsSpan().ContainsAnyExcept(Hex))
            return value.Length >= 48;   // 32 and 40 are names of runs and commits
        bool isOneAlphabet = !value.AsSpan().ContainsAnyExcept(Base64) || !value.AsSpan().ContainsAnyExcept(Base64Url) || IsEntraSecret(value);
        return isOneAlphabet && value.Split('/', '+', '-', '_', '.', '~', '=').Any(IsMixed) && BitsPerCharacter(value) >= KeyBitsPerCharacter;
    }

    // A path of words may have many different characters, but none of its words mixes letters and digits for long.
    private static bool IsMixed(string piece) =>
        piece.Length >= 12 && piece.Any(char.IsAsciiDigit) && piece.Any(char.IsAsciiLetterUpper) && piece.Any(char.IsAsciiLetterLower);

    // Client secrets of Entra ID: a digit, Q and a tilde after the third character, then letters, digits and -_.~
    private static bool IsEntraSecret(string value) =>
        value.Length is >= 36 and <= 44 && value[4] == 'Q' && value[5] == '~' && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~');

    // Shannon's entropy of the characters.
    private static double BitsPerCharacter(string value) =>
        -value.CountBy(c => c).Sum(count => count.Value / (double)value.Length * Math.Log2(count.Value / (double)value.Length));
}
