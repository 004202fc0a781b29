using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>Proofs made at run time, signed by nobody: for tests of what we look at ourselves.</summary>
internal static class TestProofs
{
    public static string Jwt(TimeProvider time, string audience, Action<JsonObject>? change = null, string alg = "RS256")
    {
        DateTimeOffset now = time.GetUtcNow();
        var payload = new JsonObject
        {
            ["iss"] = "https://issuer.test",
            ["sub"] = "job:orders",
            ["aud"] = audience,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.AddMinutes(10).ToUnixTimeSeconds(),
            ["jti"] = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)),
        };
        change?.Invoke(payload);
        var header = new JsonObject { ["alg"] = alg, ["typ"] = "JWT", ["kid"] = "test" };
        return string.Join('.', Encode(Encoding.UTF8.GetBytes(header.ToJsonString())), Encode(Encoding.UTF8.GetBytes(payload.ToJsonString())), Encode(RandomNumberGenerator.GetBytes(64)));
    }

    public static IWorkloadIdentitySource Source(TimeProvider time) =>
        IdentitySources.From((request, _) => new ValueTask<SubjectToken>(new SubjectToken(Jwt(time, request.Audience.ToString()), SubjectTokenType.Jwt)));

    private static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
