using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Makes proofs in the form of a signed JWT (RFC 7519); the signature is random bytes, since no issuer here looks at it.</summary>
public static class Proofs
{
    /// <summary>A proof for one audience that lives a day.</summary>
    public static string For(string audience, DateTimeOffset now)
    {
        string header = Part(new Dictionary<string, object> { ["alg"] = "RS256", ["typ"] = "JWT", ["kid"] = "benchmark" });
        string payload = Part(new Dictionary<string, object>
        {
            ["iss"] = "https://platform.example",
            ["sub"] = "job:benchmark",
            ["aud"] = audience,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.AddDays(1).ToUnixTimeSeconds(),
        });
        return $"{header}.{payload}.{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(256))}";
    }

    /// <summary>An opaque text of this many characters, as an access token would be.</summary>
    public static string OfLength(int length) => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(length))[..length];

    /// <summary>The identity source of the benchmark jobs.</summary>
    public static IWorkloadIdentitySource Source { get; } = IdentitySources.From((request, _) =>
        new ValueTask<SubjectToken>(new SubjectToken(For(request.Audience.ToString(), request.Time.GetUtcNow()), SubjectTokenType.Jwt)));

    /// <summary>A source that hands out the same text for half its life, so that making it is not what is measured.</summary>
    public static IWorkloadIdentitySource KeptHalfItsLife()
    {
        (string Text, DateTimeOffset Until) kept = ("", DateTimeOffset.MinValue);
        return IdentitySources.From((request, _) =>
        {
            if (request.Time.GetUtcNow() is var now && now >= kept.Until)
                kept = (For(request.Audience.ToString(), now), now.AddHours(12));
            return new ValueTask<SubjectToken>(new SubjectToken(kept.Text, SubjectTokenType.Jwt));
        });
    }

    private static string Part(Dictionary<string, object> members) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(members));
}
