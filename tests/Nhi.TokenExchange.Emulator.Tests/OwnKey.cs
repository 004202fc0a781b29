using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>An EC key of the test's own, and JWTs made by hand with it.</summary>
internal sealed class OwnKey : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string Jwks
    {
        get
        {
            ECParameters key = _key.ExportParameters(false);
            var jwk = new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["alg"] = "ES256", ["kid"] = "own", ["x"] = Base64Url.EncodeToString(key.Q.X), ["y"] = Base64Url.EncodeToString(key.Q.Y) };
            return new JsonObject { ["keys"] = new JsonArray(jwk) }.ToJsonString();
        }
    }

    public string Sign(JsonObject payload, string typ = "JWT")
    {
        string signed = $"{Part(new JsonObject { ["alg"] = "ES256", ["kid"] = "own", ["typ"] = typ })}.{Part(payload)}";
        return $"{signed}.{Base64Url.EncodeToString(_key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    public string ClientAssertion(string client, string audience, DateTimeOffset now, Action<JsonObject>? change = null)
    {
        var payload = new JsonObject
        {
            ["iss"] = client,
            ["sub"] = client,
            ["aud"] = audience,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.AddMinutes(2).ToUnixTimeSeconds(),
            ["jti"] = Guid.NewGuid().ToString(),
        };
        change?.Invoke(payload);
        return Sign(payload, "client-authentication+jwt");
    }

    public void Dispose() => _key.Dispose();

    private static string Part(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
}
