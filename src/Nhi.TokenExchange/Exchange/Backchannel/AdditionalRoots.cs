using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Nhi.TokenExchange;

/// <summary>Trusts certificates under given roots beside those that the system trusts. Names, dates and usages are verified all the same.</summary>
internal sealed class AdditionalRoots
{
    // RFC 5280 §4.2.1.12: id-kp-serverAuth
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private readonly X509Certificate2Collection _roots = [];

    /// <exception cref="ArgumentException">There is none, or one is no certificate authority.</exception>
    public AdditionalRoots(X509Certificate2Collection roots)
    {
        if (roots.Count == 0)
            throw new ArgumentException("There is no certificate.", nameof(roots));
        if (NoAuthorityIn(roots) is { } other)
            throw new ArgumentException($"The certificate '{ExceptionText.Clean(other.Subject)}' is no certificate authority (RFC 5280 §4.2.1.9). Give the authority's, not the server's.", nameof(roots));
        foreach (X509Certificate2 root in roots)
            _roots.Add(X509CertificateLoader.LoadCertificate(root.RawData));   // our own, without a private key: the caller may dispose his
    }

    private AdditionalRoots(AdditionalRoots some, AdditionalRoots others)
    {
        _roots.AddRange(some._roots);
        _roots.AddRange(others._roots);
    }

    /// <summary>The first certificate that is no authority's; null if all are.</summary>
    public static X509Certificate2? NoAuthorityIn(X509Certificate2Collection roots) =>
        roots.FirstOrDefault(root => !root.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority));

    /// <summary>These and those.</summary>
    public AdditionalRoots And(AdditionalRoots? others) => others is null ? this : new AdditionalRoots(this, others);

    public bool Accepts(object sender, X509Certificate? certificate, X509Chain? seen, SslPolicyErrors errors)
    {
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is null)
            return errors == SslPolicyErrors.None;   // another name, or no certificate at all: no root makes that good
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_roots);
        chain.ChainPolicy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(ServerAuthentication));
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;   // as the system's own check here does; private authorities rarely publish lists
        if (seen is not null)
            chain.ChainPolicy.ExtraStore.AddRange(seen.ChainElements.Select(element => element.Certificate).ToArray());
        using X509Certificate2 server = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(server);
    }
}
