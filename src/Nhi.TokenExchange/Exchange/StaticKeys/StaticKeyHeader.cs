using System.Buffers;
using System.Net.Http.Headers;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>The header that a static key is put into, checked.</summary>
internal sealed class StaticKeyHeader
{
    // RFC 9110 §5.6.2: token
    private static readonly SearchValues<char> TokenCharacters = SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // They belong to the connection; a key in one of them goes astray. One of the body is no header of a request anyway.
    private static readonly string[] NotForKeys = ["Connection", "Host", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Expect"];

    private const int LongestName = 64;

    private readonly string? _scheme;
    private readonly string? _user;

    private StaticKeyHeader(StaticKeyHeaderOptions options)
    {
        Name = options.Name!;
        _scheme = options.Scheme;
        _user = options.User;
    }

    public string Name { get; }

    /// <summary>The header that options name; null if they name none.</summary>
    /// <exception cref="ArgumentException">One of them is wrong.</exception>
    public static StaticKeyHeader? Of(StaticKeyHeaderOptions options)
    {
        if (FaultOf(options) is { } fault)
            throw new ArgumentException($"Header.{fault.Setting} {fault.What}. {fault.Remedy}", nameof(options));
        return options.Name is null ? null : new StaticKeyHeader(options);
    }

    /// <summary>What is wrong, in which option, and what to do; null if nothing is.</summary>
    public static (string Setting, string What, string Remedy)? FaultOf(StaticKeyHeaderOptions options)
    {
        if (options.Name is null)
        {
            return options.Scheme is not null ? (nameof(options.Scheme), "is set without a header", "Name the header, such as Authorization, or leave it out.")
                : options.User is not null ? (nameof(options.User), "is set without a header", "Name the header, Authorization, or leave it out.")
                : null;
        }
        if (!IsToken(options.Name) || NotForKeys.Contains(options.Name, StringComparer.OrdinalIgnoreCase) || !IsOfARequest(options.Name))
            return (nameof(options.Name), "is no header for a key", "Write the name that the service's pages say, such as X-Api-Key or Authorization.");
        if (options.Scheme is not null && !IsToken(options.Scheme))
            return (nameof(options.Scheme), "is no scheme of a header", "Write one word, such as Bearer, without the key and without a space.");
        if (options.User is null)
            return null;
        // RFC 7617 §2: the user has no colon, and neither of the two has a control character.
        return options.Scheme is null || !options.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) ? (nameof(options.User), "is set without the scheme Basic", "Set both or neither.")
            : options.User.Length == 0 || options.User.Contains(':', StringComparison.Ordinal) || options.User.Any(char.IsControl) ? (nameof(options.User), "is empty, or has a colon or a control character", "Write the user's name alone.")
            : null;
    }

    /// <summary>What keeps a key out of the header; null if nothing does. Quotes nothing of it.</summary>
    public string? FaultOf(string key)
    {
        // RFC 9110 §5.5. A user's password may have what base64 hides, but no control character (RFC 7617 §2).
        int odd = _user is null ? key.AsSpan().IndexOfAnyExceptInRange('!', '~') : key.AsSpan().IndexOfAnyInRange('\0', '\u001f');
        return odd < 0
            ? null
            : FormattableString.Invariant($"has a character at position {odd} that the header {Name} may not have: visible ASCII alone goes into it");
    }

    public bool IsIn(HttpRequestHeaders headers) => headers.NonValidated.Contains(Name);

    public void ApplyTo(HttpRequestHeaders headers, string key)
    {
        string value = _user is null ? key : Convert.ToBase64String(Encoding.UTF8.GetBytes($"{_user}:{key}"));
        headers.TryAddWithoutValidation(Name, _scheme is null ? value : $"{_scheme} {value}");
    }

    private static bool IsToken(string text) => text.Length is > 0 and <= LongestName && !text.AsSpan().ContainsAnyExcept(TokenCharacters);

    // A header of the body is not taken by a request.
    private static bool IsOfARequest(string name)
    {
        using var probe = new HttpRequestMessage();
        return probe.Headers.TryAddWithoutValidation(name, "x");
    }
}
