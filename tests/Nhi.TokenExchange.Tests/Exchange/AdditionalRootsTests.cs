using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using static Nhi.TokenExchange.Tests.Exchange.WireCalls;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>Certificate authorities of one's own: trusted for what they sign, and for nothing else about a certificate.</summary>
internal sealed class AdditionalRootsTests
{
    private static readonly DateTimeOffset Today = TimeProvider.System.GetUtcNow();

    [Test]
    public async Task N8_A_server_under_a_given_root_is_trusted()
    {
        using X509Certificate2 root = Root("ours");
        await using var issuer = new ScriptedIssuer(_ => ScriptedAnswer.Json("{}"), Server(root, "127.0.0.1"));
        using HttpResponseMessage response = await GetAsync(issuer.Uri, transport: Trusting(root));
        Assert.That(response.IsSuccessStatusCode, Is.True);
    }

    [TestCase("another root")]
    [TestCase("another name")]
    [TestCase("expired")]
    [TestCase("for clients")]
    public async Task N7_Everything_else_about_a_certificate_is_verified_all_the_same(string fault)
    {
        using X509Certificate2 root = Root("ours");
        using X509Certificate2 other = Root("theirs");
        X509Certificate2 server = fault switch
        {
            "another root" => Server(other, "127.0.0.1"),
            "another name" => Server(root, "10.0.0.1"),
            "expired" => Server(root, "127.0.0.1", Today.AddHours(-1)),
            _ => Server(root, "127.0.0.1", usage: "1.3.6.1.5.5.7.3.2"),
        };
        await using var issuer = new ScriptedIssuer(_ => ScriptedAnswer.Json("{}"), server);
        TokenExchangeException failure = await FailureAsync(issuer.Uri, transport: Trusting(root));
        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo((ErrorCodes.IssuerUnreachable, false)));
        Assert.That(issuer.Requests, Is.Empty);
    }

    [Test]
    public async Task A_job_is_given_them_by_its_builder()
    {
        using X509Certificate2 root = Root("ours");
        await using var issuer = new ScriptedIssuer(_ => ScriptedAnswer.Json("""{"access_token":"canary-token","token_type":"Bearer","expires_in":600,"issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}"""), Server(root, "127.0.0.1"));
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload)
            .Target("warehouse", Targets.Rfc8693(issuer.Uri, o => o.TokenEndpoint = new Uri(issuer.Uri, "/token")), "job")
            .TrustRoots([root]).EndOnSignals(false));
        Assert.That((await job.Provider<BearerToken>("warehouse").GetAsync()).Reveal(), Is.EqualTo("canary-token"));
    }

    [Test]
    public void A_certificate_that_is_no_authority_is_refused_at_once()
    {
        using X509Certificate2 root = Root("ours");
        Assert.That(() => new AdditionalRoots([Server(root, "127.0.0.1")]), Throws.ArgumentException.With.Message.Contains("no certificate authority"));
        Assert.That(() => new AdditionalRoots([]), Throws.ArgumentException.With.Message.StartsWith("There is no certificate."));
    }

    [Test]
    public void One_that_says_nothing_about_itself_is_no_authority_either()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 plain = new CertificateRequest("CN=plain", key, HashAlgorithmName.SHA256).CreateSelfSigned(Today.AddDays(-1), Today.AddDays(1));

        Assert.That(() => new AdditionalRoots([plain]), Throws.ArgumentException.With.Message.Contains("'CN=plain' is no certificate authority"));
    }

    [Test]
    public void Those_of_two_places_are_trusted_both()
    {
        using X509Certificate2 some = Root("some");
        using X509Certificate2 others = Root("others");
        AdditionalRoots both = new AdditionalRoots([some]).And(new AdditionalRoots([others]));

        foreach (X509Certificate2 root in new[] { some, others })
        {
            using X509Certificate2 server = Server(root, "127.0.0.1");
            Assert.That(both.Accepts(this, server, null, System.Net.Security.SslPolicyErrors.RemoteCertificateChainErrors), root.Subject);
        }
        Assert.That(both.And(null), Is.SameAs(both));
    }

    [Test]
    public void An_authority_between_that_the_server_sends_along_is_used()
    {
        using X509Certificate2 root = Root("ours");
        using X509Certificate2 between = Between(root);
        using X509Certificate2 server = Server(between, "127.0.0.1");
        var roots = new AdditionalRoots([root]);
        using var seen = new X509Chain();
        seen.ChainPolicy.ExtraStore.Add(between);
        seen.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        seen.Build(server);

        Assert.That(roots.Accepts(this, server, seen, System.Net.Security.SslPolicyErrors.RemoteCertificateChainErrors));
        Assert.That(roots.Accepts(this, server, null, System.Net.Security.SslPolicyErrors.RemoteCertificateChainErrors), Is.False, "without it there is no way to the root");
    }

    private static X509Certificate2 Between(X509Certificate2 root)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=between", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 signed = request.Create(root, Today.AddDays(-1), Today.AddDays(1.5), RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 made = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    private static Func<HttpMessageHandler> Trusting(X509Certificate2 root) => () => IssuerSockets.Create(roots: new AdditionalRoots([root]));

    private static X509Certificate2 Root(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 made = request.CreateSelfSigned(Today.AddDays(-2), Today.AddDays(2));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    private static X509Certificate2 Server(X509Certificate2 root, string address, DateTimeOffset? until = null, string usage = "1.3.6.1.5.5.7.3.1")
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Parse(address));
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        using X509Certificate2 signed = request.Create(root, Today.AddDays(-1), until ?? Today.AddDays(1), RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 made = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
