using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>What an access token says of itself, if it is a JWT. A help against mix-ups and for its end; no signature is checked, that is the target's part.</summary>
/// <param name="ExpiresAt">Its <c>exp</c>; null if it has none, or if anything in the payload is faulty.</param>
/// <param name="Audiences">Its <c>aud</c> as far as it could be read.</param>
/// <param name="AuthorizationDetails">The JSON text of its <c>authorization_details</c> (RFC 9396 §9.1); null if it has none, or if anything in the payload is faulty.</param>
/// <param name="Scopes">The words of its <c>scope</c> (RFC 9068 §2.2.3) and of its <c>scp</c> (Entra ID, Okta), as far as they could be read.</param>
/// <param name="ScopeFault">What is wrong with those alone; null if nothing is. Quotes no value.</param>
/// <param name="Fault">What is wrong with the rest of the payload; null if nothing is. Quotes no value.</param>
internal sealed record AccessTokenClaims(DateTimeOffset? ExpiresAt, IReadOnlyList<string> Audiences, string? AuthorizationDetails, IReadOnlyList<string> Scopes, string? ScopeFault, string? Fault)
{
    private const int MaxAudiences = 20;
    private const int MaxScopes = 2000;

    /// <summary>Reads the payload; null if the token is no JWT: opaque, or encrypted (five parts).</summary>
    public static AccessTokenClaims? Read(string token)
    {
        ReadOnlySpan<char> rest = token;
        int first = rest.IndexOf('.');
        int last = rest.LastIndexOf('.');
        if (last <= first || rest[(first + 1)..last].Contains('.') || !JwtReader.LooksLikeJwt(token))
            return null;
        ReadOnlySpan<char> payload = rest[(first + 1)..last];
        byte[] json = new byte[Base64Url.GetMaxDecodedLength(payload.Length)];
        if (!Base64Url.IsValid(payload) || !Base64Url.TryDecodeFromChars(payload, json, out int length))
            return new AccessTokenClaims(null, [], null, [], null, "is not base64url");
        DateTimeOffset? end = null;
        string? fault = null, scopeFault = null, details = null;
        var audiences = new List<string>();
        var scopes = new List<string>();
        var members = new JsonMembers(json.AsSpan(0, length));
        while (members.MoveNext())
        {
            if (members.Name == "exp")
                fault = ReadEnd(ref members, ref end) ? fault : "has an 'exp' that is no instant";
            else if (members.Name == "aud")
                fault = ReadTexts(members.Raw(), audiences, MaxAudiences) ? fault : "has an 'aud' that is neither a text nor a list of texts";
            else if (members.Name is "scope" or "scp")
                scopeFault = ReadTexts(members.Raw(), scopes, MaxScopes) ? scopeFault : $"has a '{members.Name}' that is neither a text nor a list of texts";
            else if (members.Name == "authorization_details")
                details = members.IsNull ? null : Encoding.UTF8.GetString(members.Raw());
        }
        fault ??= members.Fault;
        return new AccessTokenClaims(fault is null ? end : null, audiences, fault is null ? details : null, [.. scopes.SelectMany(text => text.Split(' ', StringSplitOptions.RemoveEmptyEntries))], scopeFault, fault);
    }

    private static bool ReadEnd(ref JsonMembers members, ref DateTimeOffset? end)
    {
        if (members.IsNull)
            return true;
        end = members.TextOrNumber() is { } seconds ? NumericDate.Read(seconds) : null;   // some write it as a text
        return end is not null;
    }

    private static bool ReadTexts(ReadOnlySpan<byte> json, List<string> into, int most)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            bool isList = reader.Read() && reader.TokenType == JsonTokenType.StartArray;
            if (reader.TokenType == JsonTokenType.Null)
                return true;
            while (!isList || (reader.Read() && reader.TokenType != JsonTokenType.EndArray))
            {
                if (reader.TokenType != JsonTokenType.String || into.Count == most)
                    return false;
                into.Add(reader.GetString()!);
                if (!isList)
                    break;
            }
            return true;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)   // the second for half of a surrogate pair
        {
            return false;
        }
    }
}
