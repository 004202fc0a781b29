using System.Security.Cryptography.X509Certificates;

namespace Nhi.TokenExchange;

/// <summary>Certificates, and where the emulator's handler goes.</summary>
[TestFixture]
internal sealed class TransportTests : AzureFixture
{
    [Test]
    public void Nobody_trusts_the_certificate_but_the_emulator_s_own_handler()
    {
        using var plain = new RawClient();
        Assert.That(() => plain.GetAsync(Emulator.AzureResource.Address), Throws.InstanceOf<HttpRequestException>().With.Property(nameof(HttpRequestException.HttpRequestError)).EqualTo(HttpRequestError.SecureConnectionError));
    }

    [Test]
    public async Task The_handler_of_one_emulator_does_not_trust_another()
    {
        await using IdentityEmulator other = await IdentityEmulator.StartAsync();
        using var raw = new RawClient(other.CreateHandler());
        Assert.That(() => raw.GetAsync(Emulator.AzureResource.Address), Throws.InstanceOf<HttpRequestException>().With.Property(nameof(HttpRequestException.HttpRequestError)).EqualTo(HttpRequestError.SecureConnectionError));
    }

    [TestCase("https://example.invalid/")]
    [TestCase("http://169.254.169.254/metadata/instance")]
    [TestCase("http://login.microsoftonline.com/")]
    [TestCase("https://login.microsoftonline.com.evil.invalid/")]
    [TestCase("https://login.microsoftonline.com:8443/")]
    public void The_handler_reaches_nothing_outside(string address) =>
        Assert.That(() => Raw.GetAsync(new Uri(address)), Throws.InstanceOf<HttpRequestException>().With.Message.Contains("connects to this machine alone"));

    [Test]
    public async Task The_handler_reaches_the_plain_parts_too() =>
        Assert.That((await Raw.GetAsync(new Uri(Emulator.Issuer + "/jwks"))).Json.GetProperty("keys").GetArrayLength(), Is.Positive);

    [Test]
    public void The_public_certificate_has_no_private_key_and_is_an_authority()
    {
        Assert.That(Emulator.Certificate.HasPrivateKey, Is.False);
        Assert.That(Emulator.Certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority, Is.True);
        using X509Certificate2 again = X509Certificate2.CreateFromPem(Emulator.CertificatePem);
        Assert.That(again.Thumbprint, Is.EqualTo(Emulator.Certificate.Thumbprint));
        Assert.That(Emulator.CertificatePem, Does.Not.Contain("PRIVATE"));
    }
}
