using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>The JWS algorithms that the library signs with (RFC 7518 §3.1): all over SHA-256, none with a shared secret.</summary>
internal static class SigningAlgorithm
{
    public const string EcdsaSha256 = "ES256";
    public const string PssSha256 = "PS256";
    public const string Pkcs1Sha256 = "RS256";

    /// <summary>The halves of an ES256 signature, R and S, are 32 bytes each (RFC 7518 §3.4).</summary>
    public const int P256FieldBytes = 32;

    private const string P256 = "1.2.840.10045.3.1.7";

    /// <summary>RFC 7518 §3.3 and §3.5: a key of 2,048 bits or larger.</summary>
    public const int MinRsaBits = 2048;

    public static void Require(string algorithm, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(algorithm, parameter);
        if (algorithm is not (EcdsaSha256 or PssSha256 or Pkcs1Sha256))
            throw new ArgumentException($"'{ExceptionText.Clean(algorithm, 20)}' is not a signing algorithm here; ES256, PS256 and RS256 are.", parameter);
    }

    /// <summary>Whether a signature has a length that the algorithm can give.</summary>
    public static bool Fits(string algorithm, int signatureBytes) =>
        algorithm == EcdsaSha256 ? signatureBytes == 2 * P256FieldBytes : signatureBytes is >= MinRsaBits / 8 and <= 2048;

    public static RSASignaturePadding PaddingOf(string algorithm) =>
        algorithm == PssSha256 ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1;   // PSS with SHA-256: salt of 32 bytes, as RFC 7518 §3.5 wants

    /// <summary>Best that the key can: PS256, but RS256 for keys of the old Windows providers, which know no PSS.</summary>
    public static string BestFor(RSA key) => key is RSACryptoServiceProvider ? Pkcs1Sha256 : PssSha256;

    public static void Require(RSA key, string algorithm, string parameter)
    {
        if (algorithm is not (PssSha256 or Pkcs1Sha256))
            throw new ArgumentException($"An RSA key signs with PS256 or RS256, not with '{ExceptionText.Clean(algorithm, 20)}'.", parameter);
        if (key.KeySize < MinRsaBits)
            throw new ArgumentException($"The RSA key has {key.KeySize} bits; at least {MinRsaBits} are taken (RFC 7518 §3.3).", parameter);
    }

    public static void Require(ECDsa key, string parameter)
    {
        if (key.KeySize != P256FieldBytes * 8)
            throw new ArgumentException($"The EC key has {key.KeySize} bits; ES256 takes a key on P-256 (RFC 7518 §3.4).", parameter);
        if (!IsOnP256(key))
            throw new ArgumentException("The EC key is not on P-256, or does not say on which curve it is; ES256 takes no other (RFC 7518 §3.4). A key that can't tell is used with From(algorithm, keyId, signDigest).", parameter);
    }

    // There are other curves of 256 bits: secp256k1, brainpoolP256r1.
    private static bool IsOnP256(ECDsa key)
    {
        try
        {
            Oid? curve = key.ExportParameters(includePrivateParameters: false).Curve.Oid;
            return curve?.Value == P256 || (curve?.Value is null && curve?.FriendlyName is "nistP256" or "ECDSA_P256");   // Windows may know the name alone
        }
        catch (Exception untold) when (untold is CryptographicException or NotSupportedException)
        {
            return false;
        }
    }
}
