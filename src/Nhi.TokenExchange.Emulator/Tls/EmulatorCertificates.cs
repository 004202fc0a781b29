using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nhi.TokenExchange;

/// <summary>A certificate authority of this start and the one server certificate it signed. Made when first needed; keys live in memory only.</summary>
/// <remarks>Valid by the system's clock, since TLS looks at no other.</remarks>
internal sealed class EmulatorCertificates : IDisposable
{
    private readonly Lazy<(X509Certificate2 Authority, X509Certificate2 Server)> _pair;

    public EmulatorCertificates(IPAddress address) => _pair = new(() => Make(address));

    /// <summary>The authority, without its private key.</summary>
    public X509Certificate2 Authority => _pair.Value.Authority;

    /// <summary>The server's certificate, with its private key.</summary>
    public X509Certificate2 Server => _pair.Value.Server;

    public void Dispose()
    {
        if (!_pair.IsValueCreated)
            return;
        Authority.Dispose();
        Server.Dispose();
    }

    private static (X509Certificate2 Authority, X509Certificate2 Server) Make(IPAddress address)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest("CN=Nhi.TokenExchange.Emulator, O=For tests only", authorityKey, HashAlgorithmName.SHA256);
        // RFC 5280 §4.2.1: what a chain builder that is not .NET's (OpenSSL, Node) wants to see.
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, pathLengthConstraint: 0, critical: true));
        authorityRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        authorityRequest.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(authorityRequest.PublicKey, critical: false));
        using X509Certificate2 authority = authorityRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        using ECDsa serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = ServerRequest(serverKey, address, authority);
        using X509Certificate2 signed = request.Create(authority, now.AddDays(-1), now.AddDays(29), RandomNumberGenerator.GetBytes(16));
        using X509Certificate2 withKey = signed.CopyWithPrivateKey(serverKey);
        // Through PKCS #12: Windows refuses TLS with a key that was never exported and loaded.
        X509Certificate2 server = X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), password: null);
        return (X509CertificateLoader.LoadCertificate(authority.RawData), server);
    }

    private static CertificateRequest ServerRequest(ECDsa key, IPAddress address, X509Certificate2 authority)
    {
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], critical: false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        foreach (string host in EntraClouds.AllHosts)
            names.AddDnsName(host);
        foreach (IPAddress one in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback, address }.Distinct())
            names.AddIpAddress(one);
        request.CertificateExtensions.Add(names.Build());
        return request;
    }
}
