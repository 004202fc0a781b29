namespace Nhi.TokenExchange;

/// <summary>Names of actions as IAM compares them ("IAM JSON policy elements: Action"): without regard to case; * stands for any characters, ? for one.</summary>
internal static class AwsActionNames
{
    /// <summary>Whether a text is an action (<c>s3:GetObject</c>, <c>s3:Get*</c>), or * for all of them.</summary>
    public static bool IsOne(ReadOnlySpan<char> text)
    {
        if (text is "*")
            return true;
        int colon = text.IndexOf(':');
        return colon > 0 && colon < text.Length - 1 && AreLettersOr(text[..colon], "-") && AreLettersOr(text[(colon + 1)..], "*?");
    }

    /// <summary>Whether whatever the other stands for, this one stands for, too.</summary>
    public static bool Contains(ReadOnlySpan<char> name, ReadOnlySpan<char> other)
    {
        int at = 0, seen = 0, afterStar = -1, resumeAt = 0;
        while (seen < other.Length)
        {
            if (at < name.Length && name[at] == '*')
                (afterStar, resumeAt) = (++at, seen);
            else if (at < name.Length && Takes(name[at], other[seen]))
                (at, seen) = (at + 1, seen + 1);
            else if (afterStar >= 0)
                (at, seen) = (afterStar, ++resumeAt);   // the star before takes one more
            else
                return false;
        }
        return name[at..].Trim('*').IsEmpty;
    }

    // A * of the other stands for any number of characters, which only a * takes.
    private static bool Takes(char one, char other) => one == '?' ? other != '*' : char.ToLowerInvariant(one) == char.ToLowerInvariant(other);

    private static bool AreLettersOr(ReadOnlySpan<char> text, string others)
    {
        foreach (char letter in text)
        {
            if (!char.IsAsciiLetterOrDigit(letter) && !others.Contains(letter, StringComparison.Ordinal))
                return false;
        }
        return true;
    }
}
