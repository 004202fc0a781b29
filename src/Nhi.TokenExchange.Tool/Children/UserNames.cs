namespace Nhi.TokenExchange;

/// <summary>User names that stand beside a token in command lines and in lines of protocols.</summary>
internal static class UserNames
{
    private const int Longest = 200;

    public static bool IsPlain(string name) => name.Length is > 0 and <= Longest && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' or '@' or '+' or '/' or '<' or '>');
}
