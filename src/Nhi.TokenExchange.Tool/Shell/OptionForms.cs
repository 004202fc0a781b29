using System.CommandLine.Parsing;

namespace Nhi.TokenExchange;

/// <summary>Options whose value has a form: what is wrong with one is said in our words, and not by the name of a type.</summary>
internal static class OptionForms
{
    /// <summary>A parser for an option of one value.</summary>
    /// <param name="read">The value; null if the text has another form.</param>
    /// <param name="faultOf">What is wrong with a text, and what to write; the option is named before it.</param>
    public static Func<ArgumentResult, T?> Of<T>(Func<string, T?> read, Func<string, string> faultOf) => result =>
    {
        if (result.Tokens.Count == 0)
            return default;   // which the parser itself says
        string text = result.Tokens[0].Value;
        if (read(text) is { } value)
            return value;
        result.AddError($"{(result.Parent as OptionResult)?.Option.Name}: {faultOf(ExceptionText.Clean(text, 100))}");
        return default;
    };
}
