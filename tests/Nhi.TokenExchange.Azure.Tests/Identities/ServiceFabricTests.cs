using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests;

/// <summary>Over a real wire: the one host whose certificate is known by its thumbprint alone.</summary>
[NonParallelizable]
internal sealed class ServiceFabricTests
{
    [Test]
    public async Task Its_certificate_is_taken_by_the_declared_thumbprint_and_no_other([Values] bool isDeclared)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=fabric", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 made = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        using X509Certificate2 certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        int asked = 0;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(certificate)));
        await using WebApplication host = builder.Build();
        host.MapGet("/token", () =>
        {
            asked++;
            return Results.Text(ManagedIdentitySourceTests.Answer(end: $"{Proofs.Now.AddHours(24).ToUnixTimeSeconds()}"), "application/json");
        });
        await host.StartAsync();
        using var variables = HostVariables.ServiceFabric();
        Environment.SetEnvironmentVariable("IDENTITY_ENDPOINT", host.Urls.Single() + "/token");
        Environment.SetEnvironmentVariable("IDENTITY_SERVER_THUMBPRINT", isDeclared ? made.Thumbprint.ToLowerInvariant() : new string('a', 40));
        var subject = new SubjectTokenRequest { Audience = new Audience("api://AzureADTokenExchange"), Backchannel = new Wire().Backchannel, Time = new SkippingTime() };

        Func<Task<SubjectToken>> ask = () => IdentitySources.ManagedIdentity().GetSubjectTokenAsync(subject, default).AsTask();

        if (isDeclared)
            Assert.That((await ask()).Reveal(), Is.EqualTo(Proofs.Token()));
        else
            Assert.That(ask, Throws.InstanceOf<IdentityUnavailableException>().With.Message.Contain("presented a certificate that was not accepted"));
        Assert.That(asked, Is.EqualTo(isDeclared ? 1 : 0));
    }
}
