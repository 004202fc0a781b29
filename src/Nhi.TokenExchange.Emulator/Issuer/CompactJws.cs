using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;

namespace Nhi.TokenExchange;

/// <summary>Puts header, payload and signature together (RFC 7515 §7.1); also what is wrong on purpose.</summary>
internal static class CompactJws
{
    public static string Sign(JsonObject header, JsonObject payload, SigningKey key)
    {
        header["alg"] ??= key.Algorithm;
        header["kid"] ??= key.KeyId;
        return Sign(header, payload, key.Security, key.Algorithm);
    }

    public static string Mint(ProofClaims claims, IssuerKeys keys)
    {
        SigningKey genuine = keys.Current(claims.Algorithm);
        claims.Header["kid"] ??= genuine.KeyId;
        switch (claims.Signature)
        {
            case ProofSignature.ForeignKey:
                using (SigningKey foreign = SigningKey.Create(claims.Algorithm))
                    return Sign(claims.Header, claims.Payload, foreign);
            case ProofSignature.None:
                claims.Header["alg"] = "none";
                return Parts(claims.Header, claims.Payload) + ".";
            case ProofSignature.PublicKeyAsSecret:
                claims.Header["alg"] = "HS256";
                string signed = Parts(claims.Header, claims.Payload);
                byte[] mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(genuine.PublicKeyPem), Encoding.ASCII.GetBytes(signed));
                return $"{signed}.{Base64UrlEncoder.Encode(mac)}";
            default:
                return Sign(claims.Header, claims.Payload, genuine);
        }
    }

    private static string Sign(JsonObject header, JsonObject payload, SecurityKey key, string algorithm)
    {
        string signed = Parts(header, payload);
        CryptoProviderFactory factory = key.CryptoProviderFactory;
        SignatureProvider signer = factory.CreateForSigning(key, algorithm, cacheProvider: false);
        try
        {
            return $"{signed}.{Base64UrlEncoder.Encode(signer.Sign(Encoding.ASCII.GetBytes(signed)))}";
        }
        finally
        {
            factory.ReleaseSignatureProvider(signer);
        }
    }

    private static string Parts(JsonObject header, JsonObject payload) =>
        $"{Base64UrlEncoder.Encode(header.ToJsonString())}.{Base64UrlEncoder.Encode(payload.ToJsonString())}";
}
