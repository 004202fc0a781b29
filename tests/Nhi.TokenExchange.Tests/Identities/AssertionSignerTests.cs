using System.Buffers.Text;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;

namespace Nhi.TokenExchange.Tests;

[Parallelizable]
internal sealed class AssertionSignerTests
{
    private static AssertionClaims Claims(TimeSpan? life = null) => new("client-1", "client-1", "https://as.example/token", life ?? TimeSpan.FromMinutes(1), Proofs.Now);

    private static async Task<(JsonElement Header, JsonElement Payload, byte[] Signed, byte[] Signature)> SignAsync(AssertionSigner signer, AssertionClaims? claims = null)
    {
        string[] parts = (await signer.SignAsync(claims ?? Claims(), CancellationToken.None)).Split('.');
        Assert.That(parts, Has.Length.EqualTo(3));
        return (JsonElement.Parse(Base64Url.DecodeFromChars(parts[0])), JsonElement.Parse(Base64Url.DecodeFromChars(parts[1])), Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]));
    }

    [Test]
    public async Task The_payload_says_who_to_whom_and_for_a_minute()
    {
        using var key = RSA.Create(2048);
        (JsonElement header, JsonElement payload, _, _) = await SignAsync(AssertionSigner.From(key, "k1"));
        long now = Proofs.Now.ToUnixTimeSeconds();
        Assert.Multiple(() =>
        {
            Assert.That(header.GetRawText(), Is.EqualTo("""{"alg":"PS256","typ":"JWT","kid":"k1"}"""));
            Assert.That(payload.GetProperty("iss").GetString(), Is.EqualTo("client-1"));
            Assert.That(payload.GetProperty("sub").GetString(), Is.EqualTo("client-1"));
            Assert.That(payload.GetProperty("aud").GetString(), Is.EqualTo("https://as.example/token"));
            Assert.That(payload.GetProperty("exp").GetInt64(), Is.EqualTo(now + 60));
            Assert.That(payload.GetProperty("nbf").GetInt64(), Is.EqualTo(now));
            Assert.That(payload.GetProperty("iat").GetInt64(), Is.EqualTo(now));
            Assert.That(payload.GetProperty("jti").GetString(), Has.Length.EqualTo(32));
        });
    }

    [Test]
    public async Task Each_assertion_has_a_jti_of_its_own()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        AssertionSigner signer = AssertionSigner.From(key, "k1");
        var seen = new HashSet<string?>();
        for (int i = 0; i < 100; i++)
            Assert.That(seen.Add((await SignAsync(signer)).Payload.GetProperty("jti").GetString()));
    }

    [TestCase(null, "PS256")]
    [TestCase("PS256", "PS256")]
    [TestCase("RS256", "RS256")]
    public async Task An_RSA_key_signs_what_others_can_verify(string? asked, string algorithm)
    {
        using var key = RSA.Create(2048);
        (JsonElement header, _, byte[] signed, byte[] signature) = await SignAsync(AssertionSigner.From(key, "k1", asked));
        Assert.That(header.GetProperty("alg").GetString(), Is.EqualTo(algorithm));
        Assert.That(key.VerifyData(signed, signature, HashAlgorithmName.SHA256, algorithm == "PS256" ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1));
    }

    [Test]
    public async Task An_EC_key_signs_R_and_S_of_fixed_length()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        AssertionSigner signer = AssertionSigner.From(key, "k1");
        for (int i = 0; i < 50; i++)
        {
            (_, _, byte[] signed, byte[] signature) = await SignAsync(signer);
            Assert.That(signature, Has.Length.EqualTo(64));
            Assert.That(key.VerifyData(signed, signature, HashAlgorithmName.SHA256));
        }
    }

    [Test]
    public async Task A_key_service_that_gives_DER_is_turned_into_R_and_S()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        AssertionSigner signer = AssertionSigner.From("ES256", "k1", (digest, _) => new(key.SignHash(digest.ToArray(), DSASignatureFormat.Rfc3279DerSequence)), givesDer: true);
        for (int i = 0; i < 300; i++)   // every 256th has a half that is a byte shorter
        {
            (_, _, byte[] signed, byte[] signature) = await SignAsync(signer);
            Assert.That(signature, Has.Length.EqualTo(64));
            Assert.That(key.VerifyData(signed, signature, HashAlgorithmName.SHA256));
        }
    }

    [Test]
    public void DER_with_short_halves_is_padded_on_the_left()
    {
        byte[] both = EcdsaSignature.FromDer(new byte[] { 0x30, 0x07, 0x02, 0x01, 0x05, 0x02, 0x02, 0x00, 0x80 }, 32);
        Assert.That((both.Length, both[31], both[63], both.Count(b => b != 0)), Is.EqualTo((64, (byte)5, (byte)0x80, 2)));
    }

    private static readonly object[] NoDer =
    [
        Array.Empty<byte>(), new byte[] { 1, 2, 3 }, new byte[64],
        new byte[] { 0x30, 0x06, 0x02, 0x01, 0x05, 0x02, 0x01, 0x05, 0x00 },   // something behind it
        new byte[] { 0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x05 },         // zero
        new byte[] { 0x30, 0x06, 0x02, 0x01, 0x85, 0x02, 0x01, 0x05 },         // negative
        new byte[] { 0x30, 0x09, 0x02, 0x01, 0x05, 0x02, 0x01, 0x05, 0x02, 0x01, 0x05 },
        (byte[])[0x30, 0x26, 0x02, 0x21, 0x01, .. new byte[32], 0x02, 0x01, 0x05],   // longer than the field
    ];

    [TestCaseSource(nameof(NoDer))]
    public void What_is_no_DER_signature_is_refused(byte[] der)
    {
        Assert.That(() => EcdsaSignature.FromDer(der, 32), Throws.TypeOf<CryptographicException>());
        Assert.That(async () => await AssertionSigner.From("ES256", "k1", (_, _) => new(der), givesDer: true).SignAsync(Claims(), default), Throws.TypeOf<IdentityUnavailableException>());
    }

    [Test]
    public async Task A_certificate_is_named_by_its_thumbprints()
    {
        using var key = RSA.Create(2048);
        using X509Certificate2 certificate = new CertificateRequest("CN=job", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(Proofs.Now.AddDays(-1), Proofs.Now.AddDays(1));
        (JsonElement header, _, byte[] signed, byte[] signature) = await SignAsync(AssertionSigner.From(certificate));
        Assert.Multiple(() =>
        {
            Assert.That(header.GetProperty("x5t#S256").GetString(), Is.EqualTo(Base64Url.EncodeToString(SHA256.HashData(certificate.RawData))));
            Assert.That(header.GetProperty("kid").GetString(), Is.EqualTo(certificate.Thumbprint));
            Assert.That(key.VerifyData(signed, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pss));
        });
    }

    [Test]
    public async Task A_certificate_with_an_EC_key_signs_ES256_from_many_threads()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=job", key, HashAlgorithmName.SHA256).CreateSelfSigned(Proofs.Now.AddDays(-1), Proofs.Now.AddDays(1));
        AssertionSigner signer = AssertionSigner.From(certificate);
        await Parallel.ForAsync(0, 64, async (_, _) =>
        {
            (JsonElement header, _, byte[] signed, byte[] signature) = await SignAsync(signer);
            Assert.That(header.GetProperty("alg").GetString(), Is.EqualTo("ES256"));
            using ECDsa verifier = certificate.GetECDsaPublicKey()!;
            Assert.That(verifier.VerifyData(signed, signature, HashAlgorithmName.SHA256));
        });
    }

    [Test]
    public void A_certificate_that_has_ended_signs_nothing()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=job", key, HashAlgorithmName.SHA256).CreateSelfSigned(Proofs.Now.AddDays(-2), Proofs.Now.AddDays(-1));
        Assert.That(async () => await AssertionSigner.From(certificate).SignAsync(Claims(), default), Throws.TypeOf<IdentityUnavailableException>().With.Message.Contains("ended at"));
    }

    [Test]
    public void Weak_or_unfit_keys_are_refused_when_the_signer_is_made()
    {
        using var small = RSA.Create(1024);
        using var rsa = RSA.Create(2048);
        using var p384 = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using X509Certificate2 withKey = new CertificateRequest("CN=job", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(Proofs.Now, Proofs.Now.AddDays(1));
        using X509Certificate2 publicOnly = X509CertificateLoader.LoadCertificate(withKey.RawData);
        Assert.Multiple(() =>
        {
            Assert.That(() => AssertionSigner.From(small, "k"), Throws.ArgumentException.With.Message.Contains("1024"));
            Assert.That(() => AssertionSigner.From(p384, "k"), Throws.ArgumentException.With.Message.Contains("384"));
            Assert.That(() => AssertionSigner.From(rsa, "k", "ES256"), Throws.ArgumentException);
            Assert.That(() => AssertionSigner.From(rsa, ""), Throws.ArgumentException);
            Assert.That(() => AssertionSigner.From(withKey, "ES256"), Throws.ArgumentException);
            Assert.That(() => AssertionSigner.From(publicOnly), Throws.ArgumentException.With.Message.Contains("private key"));
            Assert.That(() => AssertionSigner.From("PS256", "k", (_, _) => default, givesDer: true), Throws.ArgumentException);
        });
    }

    [TestCase("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1")]
    [TestCase("1.3.132.0.10", "secp256k1")]
    public void A_key_of_256_bits_on_another_curve_is_refused(string oid, string name)
    {
        ECDsa key;
        try
        {
            key = ECDsa.Create(ECCurve.CreateFromValue(oid));
        }
        catch (Exception exception) when (exception is PlatformNotSupportedException or CryptographicException)
        {
            Assert.Ignore($"this system has no {name}");
            return;
        }
        using ECDsa owned = key;
        Assert.That(key.KeySize, Is.EqualTo(256));
        Assert.That(() => AssertionSigner.From(key, "k"), Throws.ArgumentException.With.Message.Contains("not on P-256"));
    }

    [TestCase("none")]
    [TestCase("HS256")]
    [TestCase("es256")]
    [TestCase("")]
    public void Other_algorithms_are_refused(string algorithm) =>
        Assert.That(() => AssertionSigner.From(algorithm, "k", (_, _) => default), Throws.ArgumentException);

    [Test]
    public void A_key_that_gives_no_signature_or_one_of_another_length_is_an_error_with_a_hint()
    {
        foreach (byte[]? signature in (byte[]?[])[null, [], new byte[70]])
        {
            Assert.That(async () => await AssertionSigner.From("ES256", "k1", (_, _) => new(signature!)).SignAsync(Claims(), default),
                Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.SourceFailed).And.Property("Hint").Contains("givesDer"));
        }
    }

    [Test]
    public void A_key_service_that_fails_is_named_and_its_own_text_stays_behind()
    {
        var failed = Assert.ThrowsAsync<IdentityUnavailableException>(async () => await AssertionSigner.From("PS256", "k1", (_, _) => throw new InvalidOperationException("canary")).SignAsync(Claims(), default))!;
        Assert.That(failed.Message, Does.Contain("'k1'").And.Contain("InvalidOperationException").And.Not.Contain("canary"));
    }

    [Test]
    public void Cancellation_reaches_the_key_service()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.That(async () => await AssertionSigner.From("PS256", "k1", (_, ct) => throw new OperationCanceledException(ct)).SignAsync(Claims(), cancelled.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [TestCase(0)]
    [TestCase(601)]
    public void A_life_is_from_a_second_to_ten_minutes(int seconds) =>
        Assert.That(async () => await AssertionSigner.From("PS256", "k1", (_, _) => new(new byte[256])).SignAsync(Claims(TimeSpan.FromSeconds(seconds)), default), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void A_signer_shows_algorithm_and_key_id() =>
        Assert.That(AssertionSigner.From("PS256", "k1", (_, _) => default).ToString(), Is.EqualTo("AssertionSigner(PS256, k1)"));
}
