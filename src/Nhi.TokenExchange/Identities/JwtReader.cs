using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace Nhi.TokenExchange;

/// <summary>Reads a compact JWT strictly (RFC 7515 §3.1, RFC 7519, RFC 8725): one way to read it, or none.</summary>
internal static class JwtReader
{
    /// <summary>Longest token read, in characters.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>Deepest nesting of header and payload; platforms nest three deep.</summary>
    public const int MaxDepth = 16;

    // Longest subject taken. Platforms stay below 1,000; a policy has to be able to show it.
    private const int MaxNameLength = 2048;

    private static readonly SearchValues<char> Base64UrlAlphabet = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    // A name given twice would be read one way here and another way there.
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    // typ values of tokens that say who somebody is; refresh, logout, proof-of-possession tokens and requests have others.
    private static readonly string[] Types = ["JWT", "at+jwt", "application/at+jwt", "application/jwt", "JOSE"];

    /// <summary>Reads a token.</summary>
    /// <exception cref="FormatException">It is not a signed JWT in compact form. The text names part, position or claim and quotes nothing of the token but a short <c>alg</c> or <c>typ</c>.</exception>
    public static Jwt Read(string token)
    {
        ReadOnlySpan<char> text = token;
        if (text.Length > MaxLength)
            throw new FormatException($"it has {text.Length} characters; at most {MaxLength} are taken");
        RequireThreeParts(text);
        int first = text.IndexOf('.');
        int second = text.LastIndexOf('.');
        try
        {
            ReadOnlyMemory<byte> header = Decode(text[..first], "header");
            ReadOnlyMemory<byte> payload = Decode(text[(first + 1)..second], "payload");
            int signature = Decode(text[(second + 1)..], "signature").Length;
            using JsonDocument headerJson = Parse(header, "header");
            using JsonDocument payloadJson = Parse(payload, "payload");
            return Read(headerJson.RootElement, payloadJson.RootElement, signature);
        }
        catch (InvalidOperationException)   // what GetString throws for an escaped half of a surrogate pair
        {
            throw new FormatException("a text in it has half of a surrogate pair");
        }
    }

    /// <summary>Whether a text looks like a JWT at all, so that it must be a good one: its first part is a JSON object.</summary>
    public static bool LooksLikeJwt(string token)
    {
        int first = token.IndexOf('.', StringComparison.Ordinal);
        if (first <= 0 || token.Length > MaxLength)
            return false;
        try
        {
            using JsonDocument header = Parse(Decode(token.AsSpan(0, first), "header"), "header");
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static void RequireThreeParts(ReadOnlySpan<char> text)
    {
        int parts = text.Count('.') + 1;
        if (parts == 5)
            throw new FormatException("it has five parts: an encrypted JWT (JWE), which is not supported here");
        if (parts != 3)
            throw new FormatException($"it has {parts} part{(parts == 1 ? "" : "s")}; a signed JWT has three, with dots between them");
    }

    private static ReadOnlyMemory<byte> Decode(ReadOnlySpan<char> part, string name)
    {
        if (part.IsEmpty)
            throw new FormatException($"its {name} is empty");
        int position = part.IndexOfAnyExcept(Base64UrlAlphabet);
        if (position >= 0)
            throw new FormatException($"its {name} has a character at position {position} that base64url without padding does not have (RFC 7515 §2)");
        if (part.Length % 4 == 1)
            throw new FormatException($"its {name} has {part.Length} characters, a length that base64url does not have");
        byte[] bytes = new byte[Base64Url.GetMaxDecodedLength(part.Length)];
        // Also refused: unused bits that are not zero. Two texts must not mean one token.
        if (Base64Url.DecodeFromChars(part, bytes, out _, out int written) != OperationStatus.Done || !EndsAsEncoded(part, bytes.AsSpan(0, written)))
            throw new FormatException($"its {name} does not end as base64url does");
        return bytes.AsMemory(0, written);
    }

    // All but the last group of four characters have no bits to spare.
    private static bool EndsAsEncoded(ReadOnlySpan<char> part, ReadOnlySpan<byte> bytes)
    {
        int rest = part.Length % 4;
        Span<char> group = stackalloc char[4];
        return rest == 0 || (Base64Url.TryEncodeToChars(bytes[^(bytes.Length % 3)..], group, out int length) && group[..length].SequenceEqual(part[^rest..]));
    }

    private static JsonDocument Parse(ReadOnlyMemory<byte> json, string part)
    {
        if (!Utf8.IsValid(json.Span))
            throw new FormatException($"its {part} is not UTF-8");
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, Strict);
        }
        catch (JsonException malformed)
        {
            throw new FormatException($"its {part} {WhyNot(json)} (line {malformed.LineNumber}, byte {malformed.BytePositionInLine})");
        }
        catch (InvalidOperationException)
        {
            throw new FormatException($"its {part} has a name with half of a surrogate pair");
        }
        if (document.RootElement.ValueKind == JsonValueKind.Object)
            return document;
        document.Dispose();
        throw new FormatException($"its {part} is not a JSON object");
    }

    // Read again, more leniently, to say what was wrong; the way of an error only.
    private static string WhyNot(ReadOnlyMemory<byte> json)
    {
        if (Parses(new() { MaxDepth = MaxDepth }))
            return "has a name twice";
        return Parses(new() { MaxDepth = MaxLength }) ? $"is nested more than {MaxDepth} deep" : "is not JSON";

        bool Parses(JsonDocumentOptions options)
        {
            try
            {
                using JsonDocument document = JsonDocument.Parse(json, options);
                return true;
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }

    private static Jwt Read(JsonElement header, JsonElement payload, int signatureBytes)
    {
        // RFC 8725 §3.5, §3.10: keys are the verifier's to know, and none of these extensions is known here.
        foreach (string refused in (ReadOnlySpan<string>)["jku", "x5u", "jwk", "crit"])
        {
            if (header.TryGetProperty(refused, out _))
                throw new FormatException($"its header has '{refused}', which a platform's proof has no need of");
        }
        if (header.TryGetProperty("kid", out JsonElement kid) && (kid.ValueKind != JsonValueKind.String || kid.GetString()!.Length > 1024))
            throw new FormatException("its header's 'kid' is not a text of at most 1,024 characters");
        var claims = new Dictionary<string, string>(StringComparer.Ordinal);
        Flatten(payload, "", claims);
        return new Jwt
        {
            Algorithm = ReadAlgorithm(header),
            Type = ReadType(header),
            Issuer = ReadName(payload, "iss"),
            Subject = ReadName(payload, "sub"),
            Audiences = ReadAudiences(payload),
            ExpiresAt = ReadInstant(payload, "exp"),
            NotBefore = ReadInstant(payload, "nbf"),
            IssuedAt = ReadInstant(payload, "iat"),
            Claims = claims,
            SignatureBytes = signatureBytes,
        };
    }

    private static string ReadAlgorithm(JsonElement header)
    {
        if (!header.TryGetProperty("alg", out JsonElement element) || element.ValueKind != JsonValueKind.String)
            throw new FormatException("its header's 'alg' is missing or not a text");
        string algorithm = element.GetString()!;
        return algorithm is "RS256" or "RS384" or "RS512" or "PS256" or "PS384" or "PS512" or "ES256" or "ES384" or "ES512" or "EdDSA" or "Ed25519"
            ? algorithm
            : throw new FormatException($"its alg '{ExceptionText.Clean(algorithm, 20)}' is not allowed; RS, PS and ES 256, 384, 512 and EdDSA are: a proof is signed, and with a key that only its issuer has");
    }

    private static string? ReadType(JsonElement header)
    {
        if (!header.TryGetProperty("typ", out JsonElement element))
            return null;
        string? type = element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        return Types.Contains(type, StringComparer.OrdinalIgnoreCase)   // RFC 7515 §4.1.9: a media type, so in any case
            ? type
            : throw new FormatException($"its typ '{ExceptionText.Clean(type, 40)}' is that of another kind of token; a proof has JWT, at+jwt or none");
    }

    private static string ReadName(JsonElement payload, string claim)
    {
        if (!payload.TryGetProperty(claim, out JsonElement element))
            return "";
        if (element.ValueKind != JsonValueKind.String)
            throw new FormatException($"its '{claim}' is not a text");
        string name = element.GetString()!;
        if (name.Length is 0 or > MaxNameLength)
            throw new FormatException($"its '{claim}' has {name.Length} characters; from 1 to {MaxNameLength} are taken");
        foreach (char c in name)
        {
            // What can't be seen must not tell two names apart: zero-width characters, marks that turn the direction of text.
            if (char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
                throw new FormatException($"its '{claim}' has an invisible character");
        }
        return name;
    }

    private static string[] ReadAudiences(JsonElement payload)
    {
        if (!payload.TryGetProperty("aud", out JsonElement element))
            return [];
        if (element.ValueKind == JsonValueKind.String)
            return [element.GetString()!];
        if (element.ValueKind != JsonValueKind.Array || element.EnumerateArray().Any(one => one.ValueKind != JsonValueKind.String))
            throw new FormatException("its 'aud' is neither a text nor a list of texts");
        return [.. element.EnumerateArray().Select(one => one.GetString()!)];
    }

    // Zero is an instant: old Keycloaks write nbf 0, and exp 0 has ended.
    private static DateTimeOffset? ReadInstant(JsonElement payload, string claim)
    {
        if (!payload.TryGetProperty(claim, out JsonElement element))
            return null;
        if (element.ValueKind != JsonValueKind.Number)
            throw new FormatException($"its '{claim}' is not a number of seconds");
        return NumericDate.Read(element.GetRawText()) ?? throw new FormatException($"its '{claim}' is {ExceptionText.Clean(element.GetRawText(), 40)}, which is no instant from 1970 to 9999");
    }

    private static void Flatten(JsonElement owner, string path, Dictionary<string, string> claims)
    {
        foreach (JsonProperty property in owner.EnumerateObject())
        {
            string name = path + property.Name;
            switch (property.Value.ValueKind)
            {
                case JsonValueKind.Null:
                    continue;
                case JsonValueKind.Object:
                    Flatten(property.Value, name + "/", claims);
                    continue;
            }
            // RFC 7519 §4.1.3: one audience is a text, or a list of it; platforms write either.
            JsonElement said = name == "aud" && property.Value.ValueKind == JsonValueKind.Array && property.Value.GetArrayLength() == 1 ? property.Value[0] : property.Value;
            string value = said.ValueKind == JsonValueKind.String ? said.GetString()! : said.GetRawText();
            if (!claims.TryAdd(name, value))
                throw new FormatException("two of its claims have the same path");   // { "a/b": 1, "a": { "b": 2 } }: whoever chose the one must not stand for the other
        }
    }
}
