using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Signs the assertions of RFC 7523 with a key that the process can use but need not be able to read: TPM, HSM, key service, certificate store.</summary>
/// <remarks>The library builds header and payload; the key only signs a SHA-256 digest. Keys and certificates belong to whoever made them.</remarks>
[DebuggerDisplay("{ToString(),nq}")]
public sealed class AssertionSigner
{
    private static readonly TimeSpan MaxLife = TimeSpan.FromMinutes(10);

    private readonly Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<byte[]>> _signDigest;
    private readonly string? _certificateThumbprint;
    private readonly DateTimeOffset _certificateEnds = DateTimeOffset.MaxValue;

    private AssertionSigner(string algorithm, string keyId, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<byte[]>> signDigest, X509Certificate2? certificate = null)
    {
        Algorithm = algorithm;
        KeyId = keyId;
        _signDigest = signDigest;
        if (certificate is null)
            return;
        _certificateThumbprint = Base64Url.EncodeToString(certificate.GetCertHash(HashAlgorithmName.SHA256));
        _certificateEnds = new DateTimeOffset(certificate.NotAfter);
    }

    /// <summary>The JWS algorithm: <c>ES256</c>, <c>PS256</c> or <c>RS256</c> (RFC 7518 §3.1).</summary>
    public string Algorithm { get; }

    /// <summary>The header's <c>kid</c>.</summary>
    public string KeyId { get; }

    /// <summary>Signs with the private key of a certificate; the header names it by <c>x5t#S256</c> and by <c>kid</c>, its SHA-1 thumbprint in hexadecimal.</summary>
    /// <param name="certificate">Has its private key, exportable or not: RSA of at least 2,048 bits, or EC on P-256. Stays alive as long as the signer is used.</param>
    /// <param name="algorithm">For RSA <c>PS256</c> or <c>RS256</c>; null takes PS256, and RS256 for a key of the old Windows providers, which know no PSS.</param>
    /// <exception cref="ArgumentException">The certificate has no such key, or the algorithm does not fit it.</exception>
    public static AssertionSigner From(X509Certificate2 certificate, string? algorithm = null)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        using RSA? rsa = certificate.GetRSAPrivateKey();
        if (rsa is not null)
        {
            string chosen = algorithm ?? SigningAlgorithm.BestFor(rsa);
            SigningAlgorithm.Require(rsa, chosen, nameof(algorithm));
            return new(chosen, certificate.Thumbprint, (digest, _) => new(SignWithRsa(certificate, digest.Span, chosen)), certificate);
        }
        using ECDsa? ec = certificate.GetECDsaPrivateKey()
            ?? throw new ArgumentException("The certificate has no RSA or ECDSA private key that this process can use.", nameof(certificate));
        SigningAlgorithm.Require(ec, nameof(certificate));
        if (algorithm is not (null or SigningAlgorithm.EcdsaSha256))
            throw new ArgumentException("An EC key signs with ES256.", nameof(algorithm));
        return new(SigningAlgorithm.EcdsaSha256, certificate.Thumbprint, (digest, _) => new(SignWithEc(certificate, digest.Span)), certificate);
    }

    /// <summary>Signs with an RSA key.</summary>
    /// <param name="key">At least 2,048 bits. Stays alive as long as the signer is used.</param>
    /// <param name="keyId">The <c>kid</c> under which the issuer knows the key.</param>
    /// <param name="algorithm"><c>PS256</c> or <c>RS256</c>; null as for a certificate.</param>
    /// <exception cref="ArgumentException">The key is too short, or the algorithm does not fit it.</exception>
    public static AssertionSigner From(RSA key, string keyId, string? algorithm = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentException.ThrowIfNullOrEmpty(keyId);
        string chosen = algorithm ?? SigningAlgorithm.BestFor(key);
        SigningAlgorithm.Require(key, chosen, nameof(algorithm));
        return new(chosen, keyId, OneByOne(digest => key.SignHash(digest.Span, HashAlgorithmName.SHA256, SigningAlgorithm.PaddingOf(chosen))));
    }

    /// <summary>Signs with an EC key, ES256.</summary>
    /// <param name="key">On P-256. Stays alive as long as the signer is used.</param>
    /// <param name="keyId">The <c>kid</c> under which the issuer knows the key.</param>
    /// <exception cref="ArgumentException">The key is on another curve.</exception>
    public static AssertionSigner From(ECDsa key, string keyId)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentException.ThrowIfNullOrEmpty(keyId);
        SigningAlgorithm.Require(key, nameof(key));
        return new(SigningAlgorithm.EcdsaSha256, keyId, OneByOne(digest => key.SignHash(digest.Span, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)));
    }

    /// <summary>Signs with a key somewhere else: a key service, an HSM, a TPM.</summary>
    /// <param name="algorithm"><c>ES256</c>, <c>PS256</c> or <c>RS256</c>.</param>
    /// <param name="keyId">The <c>kid</c> under which the issuer knows the key.</param>
    /// <param name="signDigest">Signs a SHA-256 digest, 32 bytes, by the algorithm (PS256: salt of 32 bytes). May be called from many threads at once.</param>
    /// <param name="givesDer">ES256 only: the function gives ASN.1 DER, as AWS KMS and Google Cloud KMS do; the signer turns it into R and S.</param>
    /// <exception cref="ArgumentException">The algorithm is another one, or DER is said of RSA.</exception>
    public static AssertionSigner From(string algorithm, string keyId, Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<byte[]>> signDigest, bool givesDer = false)
    {
        SigningAlgorithm.Require(algorithm, nameof(algorithm));
        ArgumentException.ThrowIfNullOrEmpty(keyId);
        ArgumentNullException.ThrowIfNull(signDigest);
        if (givesDer && algorithm != SigningAlgorithm.EcdsaSha256)
            throw new ArgumentException("Only ECDSA signatures have a DER form.", nameof(givesDer));
        return new(algorithm, keyId, givesDer ? FromDerAsync : signDigest);

        async ValueTask<byte[]> FromDerAsync(ReadOnlyMemory<byte> digest, CancellationToken cancellationToken) =>
            await signDigest(digest, cancellationToken).ConfigureAwait(false) is { } der ? EcdsaSignature.FromDer(der, SigningAlgorithm.P256FieldBytes) : null!;
    }

    /// <summary>Algorithm and key id.</summary>
    public override string ToString() => $"AssertionSigner({Algorithm}, {ExceptionText.Clean(KeyId)})";

    /// <summary>Makes one assertion, a compact JWS with its own <c>jti</c>. For one request; never kept.</summary>
    /// <exception cref="IdentityUnavailableException">The certificate has ended, or the key gave no signature.</exception>
    internal async ValueTask<string> SignAsync(AssertionClaims claims, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(claims.Life, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(claims.Life, MaxLife);
        if (claims.Now >= _certificateEnds)
        {
            throw new IdentityUnavailableException(ErrorCodes.SourceFailed, $"The certificate of key '{ExceptionText.Clean(KeyId)}' ended at {_certificateEnds:O}; it is {claims.Now:O}.")
            {
                Hint = "Renew the certificate, and register the new one at the issuer.",
            };
        }
        string signed = $"{Part(WriteHeader, claims)}.{Part(WritePayload, claims)}";
        byte[] digest = SHA256.HashData(Encoding.ASCII.GetBytes(signed));
        return $"{signed}.{Base64Url.EncodeToString(await SignDigestAsync(digest, cancellationToken).ConfigureAwait(false))}";
    }

    private async ValueTask<byte[]> SignDigestAsync(byte[] digest, CancellationToken cancellationToken)
    {
        byte[]? signature;
        try
        {
            signature = await _signDigest(digest, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not (TokenExchangeException or OperationCanceledException))
        {
            throw new IdentityUnavailableException(ErrorCodes.SourceFailed, $"Key '{ExceptionText.Clean(KeyId)}' could not sign ({exception.GetType().Name}).", exception)
            {
                Hint = "Check that this identity may use the key to sign, and that the key is enabled.",
            };
        }
        if (signature is null || !SigningAlgorithm.Fits(Algorithm, signature.Length))
        {
            throw new IdentityUnavailableException(ErrorCodes.SourceFailed, $"Key '{ExceptionText.Clean(KeyId)}' gave a signature of {signature?.Length ?? 0} bytes, which {Algorithm} does not have.")
            {
                Hint = Algorithm == SigningAlgorithm.EcdsaSha256 ? "ES256 wants R and S, 64 bytes; say givesDer if the key service gives DER." : "RSA signatures are as long as the key, 256 bytes or more.",
            };
        }
        return signature;
    }

    private void WriteHeader(Utf8JsonWriter json, AssertionClaims claims)
    {
        json.WriteString("alg"u8, Algorithm);
        if (claims.Type is not null)
            json.WriteString("typ"u8, claims.Type);
        json.WriteString("kid"u8, KeyId);
        if (_certificateThumbprint is not null)
            json.WriteString("x5t#S256"u8, _certificateThumbprint);   // RFC 7515 §4.1.8
    }

    private static void WritePayload(Utf8JsonWriter json, AssertionClaims claims)
    {
        long now = claims.Now.ToUnixTimeSeconds();
        json.WriteString("iss"u8, claims.Issuer);
        json.WriteString("sub"u8, claims.Subject);
        json.WriteString("aud"u8, claims.Audience);
        json.WriteNumber("exp"u8, now + (long)claims.Life.TotalSeconds);
        json.WriteNumber("nbf"u8, now);
        json.WriteNumber("iat"u8, now);
        json.WriteString("jti"u8, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)));   // 128 bits: two are never the same
    }

    private static string Part(Action<Utf8JsonWriter, AssertionClaims> write, AssertionClaims claims)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json, claims);
            json.WriteEndObject();
        }
        return Base64Url.EncodeToString(buffer.WrittenSpan);
    }

    // A key object of its own for each signature: the framework does not promise that one serves many threads.
    private static byte[] SignWithRsa(X509Certificate2 certificate, ReadOnlySpan<byte> digest, string algorithm)
    {
        using RSA key = certificate.GetRSAPrivateKey()!;
        return key.SignHash(digest, HashAlgorithmName.SHA256, SigningAlgorithm.PaddingOf(algorithm));
    }

    private static byte[] SignWithEc(X509Certificate2 certificate, ReadOnlySpan<byte> digest)
    {
        using ECDsa key = certificate.GetECDsaPrivateKey()!;
        return key.SignHash(digest, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static Func<ReadOnlyMemory<byte>, CancellationToken, ValueTask<byte[]>> OneByOne(Func<ReadOnlyMemory<byte>, byte[]> sign)
    {
        var turn = new SemaphoreSlim(1);
        return async (digest, cancellationToken) =>
        {
            await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                return sign(digest);
            }
            finally
            {
                turn.Release();
            }
        };
    }
}
