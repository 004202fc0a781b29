namespace Nhi.TokenExchange;

/// <summary>The value of an option of the form <c>target=part,part</c>.</summary>
internal sealed record NamedValue(string Option, string Text, string Target, string[] Parts)
{
    /// <exception cref="UsageException">It has another form, or a part is empty.</exception>
    public static NamedValue Read(string option, string text, string example) =>
        text.Split('=', 2) is [{ Length: > 0 } target, { Length: > 0 } rest] && rest.Split(',') is { } parts && parts.All(part => part.Length > 0)
            ? new NamedValue(option, text, target, parts)
            : throw Wrong(option, text, example);

    public UsageException Wrong(string example) => Wrong(Option, Text, example);

    /// <summary>An address that a credential may be sent to.</summary>
    /// <exception cref="UsageException">It is none, or not HTTPS; loopback may be without.</exception>
    public Uri AddressOf(string part, string example) =>
        Uri.TryCreate(part, UriKind.Absolute, out Uri? address) && address is { UserInfo: "", Query: "", Fragment: "" } && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)) && part.All(letter => letter is > ' ' and <= '~' and not ('\'' or '"' or '\\'))
            ? address
            : throw Wrong(example);

    private static UsageException Wrong(string option, string text, string example) => new($"{option}: '{ExceptionText.Clean(text)}' has another form than {example}.");
}
