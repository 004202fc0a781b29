namespace Nhi.TokenExchange;

/// <summary>What is said of a name that no target has: who asked, which names there are, and which is the nearest.</summary>
internal static class UnknownTarget
{
    /// <summary>Makes the error.</summary>
    /// <param name="name">The name that was asked for, from code.</param>
    /// <param name="known">The names of the targets that there are.</param>
    /// <param name="asker">Who asked, where the caller's own stack does not show it: a keyed service, a client of a factory.</param>
    public static TokenExchangeException Of(string name, IReadOnlyCollection<string> known, string? asker) => new(
        ErrorCodes.UnknownTarget, ExchangeStage.Configure, $"There is no target {(SecretSmell.FormOf(name) is null ? $"'{ExceptionText.Clean(name)}'" : "of that name (it looks like a secret and is not shown)")}; there are: {ListOf(known)}.{AskedBy(asker)}")
    {
        Hint = RemedyOf(name, known),
    };

    /// <summary>As <see cref="Of"/>, for a key of a service that is no text, or an empty one.</summary>
    public static TokenExchangeException OfKey(object? key, IReadOnlyCollection<string> known, string asker) => new(
        ErrorCodes.UnknownTarget, ExchangeStage.Configure,
        $"Providers are keyed by the name of a target, a text; the key is {(key is string ? "empty" : $"a {key?.GetType().Name ?? "null"}")}. There are: {ListOf(known)}.{AskedBy(asker)}")
    {
        // An enumeration's word is often the name in another spelling.
        Hint = key is Enum word ? RemedyOf(word.ToString(), known) : "Write the name of one of these as the key.",
    };

    /// <summary>What to do about a name that nothing has: the nearest one, if there is one.</summary>
    public static string RemedyOf(string name, IReadOnlyCollection<string> known) =>
        UnknownSetting.Nearest(name, known) is { } nearest ? $"Did you mean '{nearest}'? If not, declare it." : known.Count == 0 ? "Declare it." : "Declare it, or name one of these.";

    /// <summary>The names there are, for a message.</summary>
    public static string ListOf(IReadOnlyCollection<string> known) => known.Count == 0 ? "none" : string.Join(", ", known);

    private static string AskedBy(string? asker) => asker is null ? "" : $" It was asked for by {asker}.";
}
