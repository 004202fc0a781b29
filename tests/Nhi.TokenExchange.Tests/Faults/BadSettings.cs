using Nhi.TokenExchange.Tests.Configuration;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Starts with wrong settings, and reads the error as a user does: code, path, what was wrong, what to do.</summary>
internal static class BadSettings
{
    /// <summary>The good section with these changes is refused with one error: that one. Beside another mistake both are said.</summary>
    /// <param name="path">Where it is named, under <c>TokenExchange</c>.</param>
    /// <param name="what">Part of what was wrong.</param>
    /// <param name="remedy">Part of what to do.</param>
    /// <param name="changes">Settings and values; null takes one out. No value with <c>canary</c> in it is shown.</param>
    public static void IsSaid(string path, string what, string remedy, params (string Key, string? Value)[] changes) =>
        IsSaid(ErrorCodes.InvalidConfiguration, path, what, remedy, changes);

    public static void IsSaid(string code, string path, string what, string remedy, params (string Key, string? Value)[] changes)
    {
        string full = path.Length == 0 ? "TokenExchange" : $"TokenExchange:{path}";

        TokenExchangeException refused = Sections.Refused(Sections.With(changes));

        Assert.That((refused.Code, refused.Stage, refused.IsTransient), Is.EqualTo((code, ExchangeStage.Configure, false)), refused.Message);
        Assert.That(refused.Message, Does.StartWith($"{code} {full}: "), "one error alone, with its path");
        AssertSays(refused.Message, full, what, remedy);
        Assert.That(refused.ToString(), Does.Not.Contain("canary"));

        // All errors come at once.
        string[] both = Lines(Sections.Refused(Sections.With([.. changes, ("Job:Pipelin", "x")])));
        Assert.That(both, Has.Length.EqualTo(2));
        Assert.That(both, Has.Some.Contains($" {full}: ").And.Some.Contains(" TokenExchange:Job:Pipelin: "));
    }

    /// <summary>The errors of a message that has several, one each: headings left out, what to do behind what was wrong.</summary>
    public static string[] Lines(TokenExchangeException refused) =>
        [.. refused.Message.ReplaceLineEndings("\n").Replace("\n          ", " ", StringComparison.Ordinal).Split('\n')[1..].Where(line => line.StartsWith("  NHI", StringComparison.Ordinal)).Select(line => line.Trim())];

    private static void AssertSays(string message, string path, string what, string remedy)
    {
        string said = message[(message.IndexOf(path, StringComparison.Ordinal) + path.Length)..];
        Assert.That(said, Does.Contain(what).And.Contain(remedy));
        Assert.That(said.IndexOf(what, StringComparison.Ordinal), Is.LessThanOrEqualTo(said.LastIndexOf(remedy, StringComparison.Ordinal)), "what was wrong stands before what to do");
        Assert.That(said.Count(char.IsControl), Is.Zero);
    }
}
