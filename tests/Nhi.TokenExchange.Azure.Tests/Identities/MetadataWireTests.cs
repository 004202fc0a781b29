using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests;

[NonParallelizable]
internal sealed class MetadataWireTests
{
    private static Task<SubjectToken> AskAsync(HttpMessageHandler wire) => new ManagedIdentitySource(AzureManagedIdentityId.SystemAssigned, wire)
        .GetSubjectTokenAsync(new SubjectTokenRequest { Audience = new Audience("api://AzureADTokenExchange"), Backchannel = new Wire().Backchannel, Time = new SkippingTime() }, default).AsTask();

    [Test]
    public void It_uses_no_proxy_no_cookie_no_redirect_and_waits_two_and_a_half_seconds_for_a_connection()
    {
        using SocketsHttpHandler sockets = MetadataWire.Sockets();

        Assert.That((sockets.UseProxy, sockets.UseCookies, sockets.AllowAutoRedirect, sockets.ConnectTimeout), Is.EqualTo((false, false, false, TimeSpan.FromMilliseconds(2500))));
    }

    [TestCase("127.0.0.1", true)]
    [TestCase("169.254.130.2", true)]
    [TestCase("10.1.2.3", true)]
    [TestCase("172.16.0.1", true)]
    [TestCase("172.31.255.255", true)]
    [TestCase("192.168.7.7", true)]
    [TestCase("::1", true)]
    [TestCase("fe80::1", true)]
    [TestCase("fd00:ec2::254", true)]
    [TestCase("::ffff:10.0.0.1", true)]
    [TestCase("203.0.113.7", false)]
    [TestCase("172.32.0.1", false)]
    [TestCase("169.253.0.1", false)]
    [TestCase("0.0.0.0", false)]
    [TestCase("2001:db8::1", false)]
    [TestCase("fec0::1", false)]
    [TestCase("::ffff:203.0.113.7", false)]
    public void Near_is_loopback_link_local_and_private(string address, bool isNear) => Assert.That(MetadataWire.IsNear(IPAddress.Parse(address)), Is.EqualTo(isNear));

    [TestCase("app service", "IDENTITY_ENDPOINT", "http://203.0.113.7/msi/token")]
    [TestCase("app service", "IDENTITY_ENDPOINT", "http://[2001:db8::1]:8081/msi/token")]
    [TestCase("arc", "IDENTITY_ENDPOINT", "http://203.0.113.7:40342/token")]
    [TestCase("ml", "MSI_ENDPOINT", "http://203.0.113.7/msi/token")]
    public void Nothing_is_sent_in_plain_http_to_an_address_elsewhere_and_the_variable_is_named(string kind, string variable, string endpoint)
    {
        using var host = HostVariables.Named(kind);
        Environment.SetEnvironmentVariable(variable, endpoint);
        var wire = new Wire(Wire.Json(ManagedIdentitySourceTests.Answer()));

        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => AskAsync(wire))!;

        Assert.That((refused.Code, refused.IsTransient, wire.Requests.Count), Is.EqualTo((ErrorCodes.ProofUnavailable, false, 0)));
        Assert.That(refused.Message, Does.Contain($"{variable} names ").And.Contain("in plain http").And.Contain(new Uri(endpoint).Authority));
    }

    [Test]
    public void The_variable_of_pod_identity_is_named_too()   // MSAL reads it once in a process
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://203.0.113.7/metadata/identity/oauth2/token?api-version=2018-02-01");

        Assert.That(() => MetadataWire.RequireNear(MetadataHost.Of(request)), Throws.InstanceOf<IdentityUnavailableException>().With.Message.Contain("AZURE_POD_IDENTITY_AUTHORITY_HOST names 203.0.113.7"));
    }

    [TestCase("203.0.113.7")]
    [TestCase("127.0.0.1", "203.0.113.7")]
    public void A_name_is_refused_when_it_is_resolved_to_an_address_elsewhere(params string[] addresses)
    {
        using var host = HostVariables.AppService();
        Environment.SetEnvironmentVariable("IDENTITY_ENDPOINT", "http://metadata.example/msi/token");
        using SocketsHttpHandler sockets = MetadataWire.Sockets((_, _) => Task.FromResult(addresses.Select(IPAddress.Parse).ToArray()));

        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => AskAsync(sockets))!;

        Assert.That(refused.IsTransient, Is.False);
        Assert.That(refused.Message, Does.Contain("IDENTITY_ENDPOINT names metadata.example (203.0.113.7) in plain http"));
    }

    [Test]
    public async Task A_name_that_is_near_is_asked_at_the_address_that_was_looked_at()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using WebApplication near = builder.Build();
        near.MapGet("/token", () => Results.Text(ManagedIdentitySourceTests.Answer(), "application/json"));
        await near.StartAsync();
        using var host = HostVariables.AppService();
        Environment.SetEnvironmentVariable("IDENTITY_ENDPOINT", $"http://metadata.example:{new Uri(near.Urls.Single()).Port}/token");
        int resolved = 0;
        using SocketsHttpHandler sockets = MetadataWire.Sockets((_, _) =>
        {
            resolved++;
            return Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
        });

        Assert.That(((await AskAsync(sockets)).Reveal(), resolved), Is.EqualTo((Proofs.Token(), 1)));
    }

    [Test]
    public void Https_may_be_anywhere()
    {
        using var host = HostVariables.ServiceFabric();
        Environment.SetEnvironmentVariable("IDENTITY_ENDPOINT", "https://203.0.113.7:2377/token");

        Assert.That(() => AskAsync(new Wire(Wire.Json(ManagedIdentitySourceTests.Answer()))), Throws.Nothing);
    }
}
