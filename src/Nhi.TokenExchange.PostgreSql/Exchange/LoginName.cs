using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Names of login roles: <c>nhi_orders_</c> and 26 random letters and digits, 130 bits, so that none is ever used twice.</summary>
internal static class LoginName
{
    /// <summary>Longest prefix: it leaves room for a target's name.</summary>
    public const int LongestPrefix = 20;

    // No upper case, which has to be quoted by people, and nothing that looks like something else.
    private const string Letters = "abcdefghijklmnopqrstuvwxyz234567";
    private static readonly SearchValues<char> RandomLetters = SearchValues.Create(Letters);

    private const int RandomLength = 26;

    /// <summary>A new name.</summary>
    /// <param name="prefix">What all names of the exchanger begin with (<see cref="FlawOfPrefix"/>).</param>
    /// <param name="target">The target, for people who look at the roles; cut to what fits.</param>
    public static string New(string prefix, string target)
    {
        int room = SqlText.LongestName - prefix.Length - RandomLength - 2;
        var readable = new StringBuilder(room);
        foreach (char c in target.AsSpan(0, Math.Min(target.Length, room)))
            readable.Append(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) ? c : '_');
        return $"{prefix}_{readable}_{RandomNumberGenerator.GetString(Letters, RandomLength)}";
    }

    /// <summary>The role that gets what logins of a prefix owned. It is none of <see cref="New"/>.</summary>
    public static string HeirOf(string prefix) => $"{prefix}_heir";

    /// <summary>Whether a name is one that <see cref="New"/> makes: no other role is ever ended, whatever a handle says.</summary>
    public static bool Is(string prefix, string name)
    {
        if (name.Length > SqlText.LongestName || name.Length < prefix.Length + RandomLength + 2 || !name.StartsWith(prefix + "_", StringComparison.Ordinal) || name[^(RandomLength + 1)] != '_')
            return false;
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '_')
                return false;
        }
        return !name.AsSpan(name.Length - RandomLength).ContainsAnyExcept(RandomLetters);
    }

    /// <summary>Says what is wrong with a prefix; null if nothing is.</summary>
    public static string? FlawOfPrefix(string prefix) =>
        prefix.Length is 0 or > LongestPrefix || !char.IsAsciiLetterLower(prefix[0]) || prefix.StartsWith("pg_", StringComparison.Ordinal) || !prefix.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_')
            ? $"is not 1 to {LongestPrefix} lower-case letters, digits and underscores that begin with a letter and not with pg_"
            : null;
}
