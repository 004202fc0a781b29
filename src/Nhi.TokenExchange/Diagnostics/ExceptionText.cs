using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>One form for the text of every error: code, target, what was wrong, what to do.</summary>
internal static class ExceptionText
{
    public static string Describe(TokenExchangeException error, string detail)
    {
        string target = error.Target is null ? "" : $" target '{error.Target}':";
        string hint = error.Hint is null ? "" : detail.EndsWith('.') ? $" {error.Hint}" : $". {error.Hint}";
        string whose = error.Stage == ExchangeStage.Authorize ? "decision point's" : "issuer's";
        string correlation = error.CorrelationId is null ? "" : $" [{whose} correlation id {error.CorrelationId}]";
        return $"{error.Code}{target} {detail}{hint}{correlation}";
    }

    /// <summary>Where a code is explained: relative to the repository, and to the package, which has that page in it. Null for a code that is not of our form.</summary>
    public static string? HelpLinkOf(string code) =>
        code.Length == 7 && code.StartsWith("NHI", StringComparison.Ordinal) && code.AsSpan(3).IndexOfAnyExceptInRange('0', '9') < 0 ? $"docs/errors.md#{code.ToLowerInvariant()}" : null;

    /// <summary>What a check of an argument said, without its period, and without the name of our parameter, which the framework puts behind it.</summary>
    public static string SaidBy(ArgumentException check)
    {
        string behind = $" (Parameter '{check.ParamName}')";
        string said = check.Message.EndsWith(behind, StringComparison.Ordinal) ? check.Message[..^behind.Length] : check.Message;
        return said.TrimEnd('.');
    }

    /// <summary>Text from outside, made fit for a message: cut to a length, control characters shown as a dot.</summary>
    public static string Clean(string? text, int maxLength = 100)
    {
        if (string.IsNullOrEmpty(text))
            return "";
        ReadOnlySpan<char> kept = text.AsSpan(0, Math.Min(text.Length, maxLength));
        string cleaned = string.Create(kept.Length, kept, static (into, from) =>
        {
            for (int i = 0; i < from.Length; i++)
                into[i] = char.IsControl(from[i]) || char.IsSurrogate(from[i]) || char.GetUnicodeCategory(from[i]) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? '·' : from[i];
        });
        return text.Length > maxLength ? cleaned + "…" : cleaned;
    }
}
