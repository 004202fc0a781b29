using System.Buffers.Text;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>What an access token says of itself, if it is a JWT. A help against mix-ups and for its end; no signature is checked, that is the target's part.</summary>
internal sealed record AccessTokenClaims(DateTimeOffset? ExpiresAt, IReadOnlyList<string> Audiences)
{
    // 9999-12-31T23:59:59Z
    private const long LastSecond = 253_402_300_799;
    private const int MaxAudiences = 20;

    /// <summary>Reads the payload; null if the token is no JWT that can be read.</summary>
    public static AccessTokenClaims? Read(string token)
    {
        ReadOnlySpan<char> rest = token;
        int first = rest.IndexOf('.');
        int last = rest.LastIndexOf('.');
        if (first <= 0 || last <= first || rest[(first + 1)..last].Contains('.'))
            return null;   // opaque, or encrypted (five parts)
        ReadOnlySpan<char> payload = rest[(first + 1)..last];
        byte[] json = new byte[Base64Url.GetMaxDecodedLength(payload.Length)];
        if (!Base64Url.TryDecodeFromChars(payload, json, out int length))
            return null;
        long? end = null;
        var audiences = new List<string>();
        var members = new JsonMembers(json.AsSpan(0, length));
        while (members.MoveNext())
        {
            if (members.Name == "exp")
                end = members.WholeNumber();
            else if (members.Name == "aud")
                ReadAudiences(members.Raw(), audiences);
        }
        if (members.Fault is not null)
            return null;
        return new AccessTokenClaims(end is >= 0 and <= LastSecond ? DateTimeOffset.FromUnixTimeSeconds(end.Value) : null, audiences);
    }

    private static void ReadAudiences(ReadOnlySpan<byte> json, List<string> into)
    {
        var reader = new Utf8JsonReader(json);
        while (reader.Read() && into.Count < MaxAudiences)
        {
            if (reader.TokenType == JsonTokenType.String)
                into.Add(reader.GetString()!);
        }
    }
}
