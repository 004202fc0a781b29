using System.Buffers;
using System.Text;
using System.Text.Json;
using Azure;
using Azure.Core;

namespace Nhi.TokenExchange;

/// <summary>Reads the claims challenge of a 401: <c>WWW-Authenticate: Bearer error="insufficient_claims", claims="…"</c>, the claims a JSON object in base64 or base64url.</summary>
/// <remarks>
/// Grammar: RFC 9110 §11.6.1; claims: OpenID Connect Core §5.5 and Microsoft's "Claims challenges, claims requests, and client
/// capabilities". Strict: what is not such a challenge to the letter is none, and the 401 a plain one.
/// </remarks>
internal static class ClaimsChallenge
{
    /// <summary>The longest header value that is looked at, in characters.</summary>
    internal const int MaxHeader = 16 * 1024;

    /// <summary>The longest claims taken, in bytes of JSON; those of Entra have a few hundred.</summary>
    internal const int MaxClaims = 4 * 1024;

    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The claims as JSON; null if the response asks for none.</summary>
    public static string? Find(Response response)
    {
        if (!response.Headers.TryGetValues(HttpHeader.Names.WwwAuthenticate, out IEnumerable<string>? values))
            return null;
        foreach (string value in values)
        {
            if (Find(value) is { } claims)
                return claims;
        }
        return null;
    }

    /// <summary>The claims of one header value, which may hold several challenges.</summary>
    internal static string? Find(string header)
    {
        if (header.Length > MaxHeader)
            return null;
        ReadOnlySpan<char> rest = header;
        var challenge = new Challenge();
        while (true)
        {
            rest = rest.TrimStart(", \t");
            if (rest.IsEmpty)
                return challenge.Claims;
            ReadOnlySpan<char> name = Token(ref rest);
            if (name.IsEmpty)
                return null;
            ReadOnlySpan<char> after = rest.TrimStart(" \t");
            if (after.IsEmpty || after[0] != '=')
            {
                if (challenge.Claims is { } claims)
                    return claims;
                challenge = new Challenge { IsBearer = name.Equals("Bearer", StringComparison.OrdinalIgnoreCase) };
                continue;
            }
            rest = after[1..].TrimStart(" \t");
            if (Value(ref rest) is not { } value)
                return null;
            if (!challenge.Set(name, value))
                return null;
        }
    }

    private static ReadOnlySpan<char> Token(ref ReadOnlySpan<char> rest)
    {
        int end = rest.IndexOfAnyExcept(TokenCharacters);
        ReadOnlySpan<char> token = end < 0 ? rest : rest[..end];
        rest = rest[token.Length..];
        return token;
    }

    // token / quoted-string; a token68 with padding ("abc==") is passed over as a name with an odd value.
    private static string? Value(ref ReadOnlySpan<char> rest)
    {
        if (rest.IsEmpty || rest[0] != '"')
        {
            rest = rest.TrimStart('=');
            return Token(ref rest).ToString();
        }
        var value = new StringBuilder();
        for (int i = 1; i < rest.Length; i++)
        {
            if (rest[i] == '"')
            {
                rest = rest[(i + 1)..];
                return value.ToString();
            }
            if (rest[i] == '\\' && ++i == rest.Length)
                return null;
            value.Append(rest[i]);
        }
        return null;
    }

    private static string? Decode(string text)
    {
        Span<byte> bytes = stackalloc byte[MaxClaims];
        string padded = text.TrimEnd('=').Replace('-', '+').Replace('_', '/');
        padded = padded.PadRight((padded.Length + 3) / 4 * 4, '=');
        // Convert skips white space; base64 here has none.
        if (text.Length > MaxClaims * 4 / 3 || text.AsSpan().ContainsAny(" \t\r\n") || !Convert.TryFromBase64String(padded, bytes, out int count))
            return null;
        try
        {
            var reader = new Utf8JsonReader(bytes[..count], new JsonReaderOptions { MaxDepth = 16 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return null;
            while (reader.Read())
            {
            }
            return StrictUtf8.GetString(bytes[..count]);
        }
        catch (Exception exception) when (exception is JsonException or DecoderFallbackException)
        {
            return null;
        }
    }

    private struct Challenge
    {
        private string? _error;
        private string? _claims;

        public bool IsBearer { get; init; }

        public readonly string? Claims => IsBearer && _error == "insufficient_claims" && _claims is not null ? Decode(_claims) : null;

        // RFC 9110 §11.2: a parameter's name occurs once.
        public bool Set(ReadOnlySpan<char> name, string value)
        {
            if (name.Equals("error", StringComparison.OrdinalIgnoreCase))
            {
                if (_error is not null)
                    return false;
                _error = value;
            }
            else if (name.Equals("claims", StringComparison.OrdinalIgnoreCase))
            {
                if (_claims is not null)
                    return false;
                _claims = value;
            }
            return true;
        }
    }
}
