using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>The verifier is that of the RFC; that a server takes it is seen wherever a login works.</summary>
internal sealed class ScramVerifierTests
{
    // RFC 7677 §3: the example's exchange, with what both sides prove.
    private const string AuthMessage = "n=user,r=rOprNGfwEbeRWgbNEkqO,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

    [Test]
    public void Both_keys_prove_what_the_example_of_RFC_7677_proves()
    {
        string[] parts = ScramVerifier.Of("pencil", Convert.FromBase64String("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096).Split('$', ':');
        byte[] message = Encoding.ASCII.GetBytes(AuthMessage), storedKey = Convert.FromBase64String(parts[3]), serverKey = Convert.FromBase64String(parts[4]);

        Assert.That(parts[..3], Is.EqualTo(["SCRAM-SHA-256", "4096", "W22ZaJ0SNY7soEsUEjb6gQ=="]));
        Assert.That(Convert.ToBase64String(HMACSHA256.HashData(serverKey, message)), Is.EqualTo("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        byte[] proof = Convert.FromBase64String("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        byte[] clientKey = [.. HMACSHA256.HashData(storedKey, message).Zip(proof, (left, right) => (byte)(left ^ right))];
        Assert.That(SHA256.HashData(clientKey), Is.EqualTo(storedKey));
    }

    [Test]
    public void Each_verifier_has_a_salt_of_its_own()
    {
        string[] verifiers = [ScramVerifier.Of("pencil"), ScramVerifier.Of("pencil")];
        Assert.That(verifiers, Is.Unique);
    }
}
