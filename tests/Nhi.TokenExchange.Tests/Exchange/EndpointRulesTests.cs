namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>Which URI may be asked at all, and what is said of one that may not.</summary>
internal sealed class EndpointRulesTests
{
    [TestCase("https://issuer.example/token", null)]
    [TestCase("http://localhost:8080/token", null)]
    [TestCase("http://issuer.example/token", "is not https")]
    [TestCase("ftp://localhost/token", "is not https")]
    [TestCase("https://user@issuer.example/token", "has user info")]
    [TestCase("https://issuer.example/token#part", "has a fragment")]
    public void A_URI_is_fit_or_its_fault_is_named(string endpoint, string? fault) => Assert.That(EndpointRules.FaultOf(new Uri(endpoint)), Is.EqualTo(fault));

    [Test]
    public void None_and_half_of_one_are_no_absolute_URIs()
    {
        Assert.That(EndpointRules.FaultOf(null), Is.EqualTo("is not an absolute URI"));
        Assert.That(EndpointRules.FaultOf(new Uri("/token", UriKind.Relative)), Is.EqualTo("is not an absolute URI"));
    }

    [TestCase("http://issuer.example/token", "The endpoint on host issuer.example is not https; nothing was sent.")]
    [TestCase("https://\u200d.example/token", "The endpoint on host (no name) has a host that is no name; nothing was sent.")]
    [TestCase("/token", "The endpoint on host (none) is not an absolute URI; nothing was sent.")]
    public void Nothing_is_sent_to_one_that_is_not_fit(string endpoint, string message)
    {
        using var sender = new HttpMessageInvoker(new EndpointRules(new NoWire()));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(endpoint, UriKind.RelativeOrAbsolute));

        TokenExchangeException? refused = Assert.ThrowsAsync<TokenExchangeException>(() => sender.SendAsync(request, CancellationToken.None));

        Assert.That(refused!.Code, Is.EqualTo(ErrorCodes.IssuerAddressRefused));
        Assert.That(refused.Message, Does.Contain(message));
        Assert.That(refused.Hint, Is.EqualTo("Use an absolute https URI without user info and fragment; http is for loopback only."));
    }

    [Test]
    public void What_passes_by_the_rules_of_other_handlers_is_not_sent()
    {
        using var sender = new HttpMessageInvoker(new EndpointRules(new NoWire()));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("https://issuer.example/token"));

        Assert.That(() => sender.Send(request, CancellationToken.None), Throws.TypeOf<NotSupportedException>().With.Message.EqualTo("The back channel sends asynchronously only."));
    }

    private sealed class NoWire : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new AssertionException("Something was sent.");
    }
}
