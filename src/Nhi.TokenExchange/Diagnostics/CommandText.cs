namespace Nhi.TokenExchange;

/// <summary>What may stand in a command that a hint shows: it is copied into a shell, and a proof must not be able to say another one.</summary>
internal static class CommandText
{
    // What a value may consist of to be put between single quotes of a shell and double quotes of JSON, by hand.
    private const string Marks = "-._~:/?#[]@!*+,;=%|{}() ";
    private const int LongestValue = 300;

    /// <summary>Whether all of the values may.</summary>
    public static bool IsPlain(params ReadOnlySpan<string> values)
    {
        foreach (string value in values)
        {
            if (value.Length is 0 or > LongestValue || !value.All(letter => char.IsAsciiLetterOrDigit(letter) || Marks.Contains(letter, StringComparison.Ordinal)))
                return false;
        }
        return true;
    }
}
