using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using static Nhi.TokenExchange.Tests.Exchange.WireCalls;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>Where the back channel goes, and through whom: endpoints, addresses, proxies, certificates.</summary>
internal sealed class IssuerAddressTests
{
    [TestCase("http://issuer.example/token")]
    [TestCase("http://10.0.0.1/token")]
    [TestCase("https://user:pass@issuer.example/token")]
    [TestCase("https://issuer.example/token#fragment")]
    [TestCase("ftp://issuer.example/")]
    [TestCase("http://127.0.0.1.issuer.example/")]
    public async Task An_endpoint_that_must_not_be_asked_is_refused_before_anything_is_sent(string endpoint)
    {
        TokenExchangeException failure = await FailureAsync(new Uri(endpoint), transport: () => IssuerSockets.Create((_, _) => throw new InvalidOperationException("was resolved")));
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerAddressRefused));
        Assert.That(failure.Message, Does.Not.Contain("pass"));
    }

    [TestCase("127.0.0.1")]
    [TestCase("::1")]
    [TestCase("::ffff:127.0.0.1")]
    [TestCase("169.254.169.254")]
    [TestCase("::ffff:169.254.169.254")]
    [TestCase("fe80::1")]
    [TestCase("fe80::1%3")]
    [TestCase("fd00:ec2::254")]
    [TestCase("fd20:ce::254")]
    [TestCase("168.63.129.16")]
    [TestCase("::ffff:168.63.129.16")]
    [TestCase("100.100.100.200")]
    [TestCase("192.0.0.192")]
    [TestCase("64:ff9b::169.254.169.254")]
    [TestCase("64:ff9b::127.0.0.1")]
    [TestCase("64:ff9b::0.0.0.0")]
    [TestCase("0.0.0.0")]
    [TestCase("::")]
    [TestCase("224.0.0.1")]
    [TestCase("255.255.255.255")]
    public async Task A_name_that_leads_to_a_neighbour_or_to_metadata_is_refused_when_it_connects(string address)
    {
        await using var neighbour = new ScriptedIssuer(ScriptedAnswer.Json("{}"));
        TokenExchangeException failure = await FailureAsync(
            new Uri($"https://issuer.example:{neighbour.Port}/"), transport: () => IssuerSockets.Create((_, _) => Task.FromResult(new[] { IPAddress.Parse(address) })));
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerAddressRefused));
        Assert.That(failure.IsTransient, Is.False);
        Assert.That(neighbour.Connections, Is.Zero);
    }

    [Test]
    public async Task The_name_localhost_leads_to_loopback_and_nowhere_else()
    {
        TokenExchangeException failure = await FailureAsync(new Uri("http://localhost:9/"), transport: () => IssuerSockets.Create((_, _) => Task.FromResult(new[] { IPAddress.Parse("192.0.2.1") })));
        Assert.That((failure.Code, failure.Detail, failure.Hint), Is.EqualTo((
            ErrorCodes.IssuerAddressRefused,
            "Host localhost leads to 192.0.2.1, which is not an issuer's address; nothing was sent.",
            "Loopback is reached as localhost, 127.0.0.1 or [::1]; metadata services, link-local, unspecified and multicast addresses are not reached at all. Look at the name service.")));
    }

    [Test]
    public async Task A_name_that_leads_nowhere_was_not_resolved()
    {
        TokenExchangeException failure = await FailureAsync(new Uri("https://issuer.example/"), transport: () => IssuerSockets.Create((_, _) => Task.FromResult(Array.Empty<IPAddress>())));
        Assert.That((failure.Code, failure.Detail, failure.IsTransient), Is.EqualTo((ErrorCodes.IssuerUnreachable, "The name issuer.example was not resolved.", true)));
    }

    [Test]
    public async Task While_the_first_address_connects_no_other_is_asked()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("{}"));
        int opened = 0;
        Socket Open(AddressFamily family)
        {
            opened++;
            return new Socket(family, SocketType.Stream, ProtocolType.Tcp);
        }

        using HttpResponseMessage response = await GetAsync(
            new Uri($"http://localhost:{issuer.Port}/"), transport: () => IssuerSockets.Create((_, _) => Task.FromResult(new[] { IPAddress.Loopback, IPAddress.Loopback }), Open));
        Assert.That(response.IsSuccessStatusCode);
        Assert.That(opened, Is.EqualTo(1));
    }

    [Test]
    public async Task A_socket_that_did_not_connect_is_closed_before_the_next_is_opened()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("{}"));
        Socket? dead = null;
        bool? isClosed = null;
        Socket Open(AddressFamily family)
        {
            isClosed = dead?.SafeHandle.IsClosed;
            return dead = new Socket(family, SocketType.Stream, ProtocolType.Tcp);
        }

        using HttpResponseMessage response = await GetAsync(
            new Uri($"http://localhost:{issuer.Port}/"), transport: () => IssuerSockets.Create((_, _) => Task.FromResult(new[] { IPAddress.Parse("127.0.0.2"), IPAddress.Loopback }), Open));
        Assert.That(response.IsSuccessStatusCode);
        Assert.That(isClosed, Is.True);
    }

    [Test]
    public async Task What_is_sent_goes_out_at_once_however_short_it_is()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("{}"));
        bool? isSentAtOnce = null;
        using HttpResponseMessage response = await GetAsync(issuer.Uri, transport: () =>
        {
            SocketsHttpHandler sockets = IssuerSockets.Create();
            sockets.PlaintextStreamFilter = (context, _) =>
            {
                isSentAtOnce = ((NetworkStream)context.PlaintextStream).Socket.NoDelay;
                return new(context.PlaintextStream);
            };
            return sockets;
        });
        Assert.That(isSentAtOnce, Is.True);
    }

    [Test]
    public async Task N13_A_dead_first_address_does_not_stop_the_second()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("{}"));
        using HttpResponseMessage response = await GetAsync(
            new Uri($"http://localhost:{issuer.Port}/"), transport: () => IssuerSockets.Create((_, _) => Task.FromResult(new[] { IPAddress.IPv6Loopback, IPAddress.Loopback })));
        Assert.That(response.IsSuccessStatusCode);
    }

    [Test]
    [NonParallelizable]
    public async Task An_address_for_which_there_is_no_socket_fails_like_one_that_does_not_answer()
    {
        const string canary = "no such family of addresses";
        bool isUnobserved = false;
        void Note(object? sender, UnobservedTaskExceptionEventArgs told) => isUnobserved |= told.Exception.ToString().Contains(canary, StringComparison.Ordinal);
        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("{}"));
            Socket Open(AddressFamily family) => family == AddressFamily.InterNetworkV6 ? throw new NotSupportedException(canary) : new Socket(family, SocketType.Stream, ProtocolType.Tcp);
            for (int round = 0; round < 5; round++)
            {
                using HttpResponseMessage response = await GetAsync(
                    new Uri($"http://localhost:{issuer.Port}/"), transport: () => IssuerSockets.Create((_, _) => Task.FromResult(new[] { IPAddress.IPv6Loopback, IPAddress.Loopback }), Open));
                Assert.That(response.IsSuccessStatusCode);
            }
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }
        Assert.That(isUnobserved, Is.False);
    }

    [TestCase("169.254.170.2")]
    [TestCase("fd00:ec2::254")]
    [TestCase("fd20:ce::254")]
    [TestCase("168.63.129.16")]
    [TestCase("100.100.100.200")]
    [TestCase("192.0.0.192")]
    [TestCase("64:ff9b::169.254.169.254")]
    public void What_is_never_connected_to_is_never_told_to_a_proxy_either(string address)
    {
        Assert.That(NetworkAddresses.IsLocalName(address));
        Assert.That(NetworkAddresses.IsAllowed(IPAddress.Parse(address), "issuer.example"), Is.False);
        Assert.That(NetworkAddresses.IsAllowed(IPAddress.Parse(address), address), Is.False);
    }

    [TestCase("::ffff:0.0.0.0")]
    [TestCase("::ffff:127.0.0.1")]
    [TestCase("::ffff:169.254.170.2")]
    [TestCase("::ffff:224.0.0.1")]
    [TestCase("::ffff:255.255.255.255")]
    [TestCase("0.255.255.255")]
    [TestCase("224.0.0.0")]
    [TestCase("fe80::1%3")]
    [TestCase("ff02::1")]
    [TestCase("ff02::1%3")]
    public void An_address_of_nobody_in_particular_is_no_issuers_however_it_is_written(string address) =>
        Assert.That(NetworkAddresses.IsAllowed(IPAddress.Parse(address), "issuer.example"), Is.False);

    [TestCase("10.1.2.3")]
    [TestCase("::ffff:10.1.2.3")]
    [TestCase("1.0.0.0")]
    [TestCase("223.255.255.255")]
    [TestCase("2001:db8::1%3")]
    [TestCase("100.100.100.201")]
    [TestCase("fd00::1")]
    [TestCase("64:ff9b::192.0.2.1")]
    [TestCase("2001:db8::1")]
    public void A_private_address_is_an_issuers_like_any_other(string address)
    {
        Assert.That(NetworkAddresses.IsAllowed(IPAddress.Parse(address), "issuer.example"));
        Assert.That(NetworkAddresses.IsLocalName(address), Is.False);
    }

    [Test]
    public void Loopback_behind_a_translator_is_not_loopback_by_name() => Assert.That(NetworkAddresses.IsLoopbackName("64:ff9b::7f00:1"), Is.False);

    [Test]
    [NonParallelizable]
    public async Task A_proxy_of_the_environment_is_not_asked_for_loopback()
    {
        await using var proxy = new ScriptedIssuer(ScriptedAnswer.Json("{}"));
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("{}"));
        await WithDefaultProxyAsync(new WebProxy(proxy.Uri), async () =>
        {
            using (await GetAsync(issuer.Uri))
            using (await GetAsync(new Uri($"http://localhost:{issuer.Port}/")))
                Assert.That(issuer.Requests, Has.Count.EqualTo(2));
        });
        Assert.That(proxy.Connections, Is.Zero);
        Assert.That(new OutsideProxy().IsBypassed(new Uri("http://169.254.169.254/")), Is.True);
    }

    [TestCase("https://issuer.example/", "proxy.example:3128")]
    [TestCase("https://inside.example/", null)]
    [TestCase("https://localhost/", null)]
    [TestCase("https://127.0.0.1/", null)]
    [TestCase("http://169.254.169.254/", null)]
    [NonParallelizable]
    public Task The_proxy_of_the_environment_is_for_what_lies_outside_and_is_told_without_its_credentials(string endpoint, string? proxy) =>
        WithDefaultProxyAsync(new WebProxy("http://user:pass@proxy.example:3128") { BypassList = [@"inside\.example"] }, () =>
        {
            var asked = new Uri(endpoint);
            var outside = new OutsideProxy();
            Assert.That((OutsideProxy.Describe(asked), outside.GetProxy(asked)?.Authority, outside.IsBypassed(asked)), Is.EqualTo((proxy, proxy, proxy is null)));
            return Task.CompletedTask;
        });

    [Test]
    public void Nobody_gives_it_other_credentials() =>
        Assert.That(() => new OutsideProxy().Credentials = CredentialCache.DefaultCredentials, Throws.TypeOf<NotSupportedException>().With.Message.EqualTo("The environment names the proxy."));

    [TestCase(407, false)]
    [TestCase(502, true)]
    [NonParallelizable]
    public async Task N9_A_proxy_that_gives_no_way_is_named_without_its_credentials(int status, bool isTransient)
    {
        await using var proxy = new ScriptedIssuer(ScriptedAnswer.Status(status));
        await WithDefaultProxyAsync(new WebProxy($"http://user:{WireSamples.TokenCanary}@127.0.0.1:{proxy.Port}"), async () =>
        {
            TokenExchangeException failure = await FailureAsync(new Uri("https://issuer.example/"));
            Assert.That(failure.Message, Does.Contain($"proxy 127.0.0.1:{proxy.Port}").And.Contain("issuer.example"));
            Assert.That(failure.IsTransient, Is.EqualTo(isTransient));
            WireSamples.AssertNoCanary(failure);
        });
        Assert.That(proxy.Requests[0].Method, Is.EqualTo("CONNECT"));
    }

    [Test]
    public async Task An_untrusted_certificate_is_final_and_tells_host_and_reason()
    {
        using X509Certificate2 certificate = SelfSigned("issuer.example");
        await using var issuer = new ScriptedIssuer(_ => ScriptedAnswer.Json("{}"), certificate);
        TokenExchangeException failure = await FailureAsync(issuer.Uri);
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerUnreachable));
        Assert.That(failure.IsTransient, Is.False);
        Assert.That(failure.Message, Does.Contain("TLS with host 127.0.0.1 failed").And.Contain("certificate"));
        Assert.That(issuer.Requests, Is.Empty);
        Assert.That(issuer.Connections, Is.EqualTo(1));
    }

    private static async Task WithDefaultProxyAsync(WebProxy proxy, Func<Task> act)
    {
        IWebProxy before = HttpClient.DefaultProxy;
        HttpClient.DefaultProxy = proxy;
        try
        {
            await act();
        }
        finally
        {
            HttpClient.DefaultProxy = before;
        }
    }

    private static X509Certificate2 SelfSigned(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 ephemeral = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(ephemeral.Export(X509ContentType.Pkcs12), null);
    }
}
