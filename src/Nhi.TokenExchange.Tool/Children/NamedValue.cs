namespace Nhi.TokenExchange;

/// <summary>The value of an option of the form <c>target=part,part</c>.</summary>
internal sealed record NamedValue(string Option, string Text, string Target, string[] Parts)
{
    /// <exception cref="UsageException">It has another form, or a part is empty.</exception>
    public static NamedValue Read(string option, string text, string example) =>
        text.Split('=', 2) is [{ Length: > 0 } target, { Length: > 0 } rest] && rest.Split(',') is { } parts && parts.All(part => part.Length > 0)
            ? new NamedValue(option, text, target, parts)
            : throw Wrong(option, text, example);

    /// <summary>Reads the values of an option that may come several times, each for a place of its own.</summary>
    /// <param name="option">The option.</param>
    /// <param name="texts">Its values.</param>
    /// <param name="example">Their form.</param>
    /// <param name="read">Reads one.</param>
    /// <param name="placeOf">What may be named once.</param>
    /// <exception cref="UsageException">One has another form, or a place is named twice.</exception>
    public static IReadOnlyList<T> ReadAll<T>(string option, IEnumerable<string> texts, string example, Func<NamedValue, T> read, Func<T, string> placeOf)
    {
        T[] all = [.. texts.Select(text => read(Read(option, text, example)))];
        return all.GroupBy(placeOf, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice
            ? throw new UsageException($"{option}: {ExceptionText.Clean(twice.Key)} is named twice.")
            : all;
    }

    public UsageException Wrong(string example) => Wrong(Option, Text, example);

    /// <summary>An address that a credential may be sent to.</summary>
    /// <exception cref="UsageException">It is none, or not HTTPS; loopback may be without.</exception>
    public Uri AddressOf(string part, string example) =>
        Uri.TryCreate(part, UriKind.Absolute, out Uri? address) && address is { UserInfo: "", Query: "", Fragment: "" } && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)) && part.All(letter => letter is > ' ' and <= '~' and not ('\'' or '"' or '\\'))
            ? address
            : throw (address?.Scheme == Uri.UriSchemeHttp ? new UsageException($"{Option}: '{ExceptionText.Clean(part)}' has no TLS, under which alone a credential is sent, but to loopback. Write https.") : Wrong(example));

    private static UsageException Wrong(string option, string text, string example) => new($"{option}: '{ExceptionText.Clean(text)}' has another form than {example}.");
}
