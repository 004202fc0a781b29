using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;

namespace Nhi.TokenExchange;

/// <summary>One key pair of an emulated issuer, for exactly one algorithm. Made at start, lives in memory only.</summary>
internal sealed class SigningKey : IDisposable
{
    private readonly AsymmetricAlgorithm _pair;

    private SigningKey(string algorithm, AsymmetricAlgorithm pair, AsymmetricSecurityKey security)
    {
        Algorithm = algorithm;
        _pair = pair;
        KeyId = "k-" + RandomNumberGenerator.GetHexString(12, lowercase: true);
        security.KeyId = KeyId;
        Security = security;
        PublicKeyPem = pair.ExportSubjectPublicKeyInfoPem();
    }

    public string Algorithm { get; }

    public string KeyId { get; }

    public SecurityKey Security { get; }

    /// <summary>What an attacker of the kind "HS256 with the public key" would use as the secret.</summary>
    public string PublicKeyPem { get; }

    public static SigningKey Create(string algorithm)
    {
        switch (algorithm)
        {
            case "RS256" or "PS256":
                RSA rsa = RSA.Create(2048);
                return new SigningKey(algorithm, rsa, new RsaSecurityKey(rsa));
            case "ES256" or "ES384" or "ES512":
                ECDsa curve = ECDsa.Create(algorithm switch
                {
                    "ES256" => ECCurve.NamedCurves.nistP256,
                    "ES384" => ECCurve.NamedCurves.nistP384,
                    _ => ECCurve.NamedCurves.nistP521,
                });
                return new SigningKey(algorithm, curve, new ECDsaSecurityKey(curve));
            default:
                throw new ArgumentException($"No key can be made for the algorithm '{algorithm}'; RS256, PS256, ES256, ES384 and ES512 are known.", nameof(algorithm));
        }
    }

    // RFC 7517 §4; RFC 7518 §6.2, §6.3. Public members only.
    public JsonObject ToJwk()
    {
        var jwk = new JsonObject { ["kid"] = KeyId, ["use"] = "sig", ["alg"] = Algorithm };
        if (_pair is RSA rsa)
        {
            RSAParameters parameters = rsa.ExportParameters(includePrivateParameters: false);
            jwk["kty"] = "RSA";
            jwk["n"] = Base64UrlEncoder.Encode(parameters.Modulus);
            jwk["e"] = Base64UrlEncoder.Encode(parameters.Exponent);
        }
        else
        {
            ECParameters parameters = ((ECDsa)_pair).ExportParameters(includePrivateParameters: false);
            jwk["kty"] = "EC";
            jwk["crv"] = "P-" + Algorithm switch { "ES256" => "256", "ES384" => "384", _ => "521" };
            jwk["x"] = Base64UrlEncoder.Encode(parameters.Q.X);
            jwk["y"] = Base64UrlEncoder.Encode(parameters.Q.Y);
        }

        return jwk;
    }

    public void Dispose() => _pair.Dispose();
}
