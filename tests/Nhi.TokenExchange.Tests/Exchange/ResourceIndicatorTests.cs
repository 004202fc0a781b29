using Nhi.TokenExchange.Tests.Configuration;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>RFC 8693 §2.1, RFC 8707 §2: a resource is any absolute URI without fragment. Settings and code take and refuse the same.</summary>
[TestFixture("Rfc8693")]
[TestFixture("JwtBearer")]
internal sealed class ResourceIndicatorTests(string exchange)
{
    [TestCase("https://warehouse.example")]
    [TestCase("https://warehouse.example/orders?zone=eu")]
    [TestCase("http://warehouse.example")]
    [TestCase("urn:example:orders")]
    [TestCase("api://orders")]
    [TestCase("spiffe://warehouse.example/orders")]
    public async Task An_absolute_URI_is_taken_and_sent_as_it_is_written(string resource)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json(WireSamples.Answer()));
        (string, string?)[] settings = [.. Settings(resource), ("Targets:warehouse:Issuer", issuer.Uri.OriginalString), ("Targets:warehouse:TokenEndpoint", new Uri(issuer.Uri, "/token").AbsoluteUri)];
        var exchanger = (TokenExchanger<BearerToken>)Sections.Freeze(Sections.With(settings)).Targets[0].Exchanger;
        using HttpMessageInvoker channel = WireSamples.Backchannel();

        await exchanger.ExchangeAsync(WireSamples.Request(channel, new SkippingTime()), default);

        Assert.That(issuer.Requests.Single().Field("resource"), Is.EqualTo(resource));
        Assert.That(InCode(resource), Throws.Nothing);
    }

    [TestCase("https://warehouse.example#orders", "has a fragment")]
    [TestCase("https://warehouse.example/#", "has a fragment")]
    [TestCase("urn:example:orders#canary", "has a fragment")]
    [TestCase("/orders", "is not an absolute URI")]
    [TestCase("//warehouse.example/orders", "is not an absolute URI")]
    [TestCase("C:/orders", "is not an absolute URI")]
    [TestCase("urn:", "is not an absolute URI")]
    [TestCase(" urn:example:orders", "has a character at position 0 that no URI has")]
    [TestCase("urn:example:a b", "has a character at position 13")]
    [TestCase("urn:example:größe", "has a character at position 14")]
    public void What_is_none_is_refused_with_its_entry_what_is_wrong_and_what_to_write(string resource, string what)
    {
        TokenExchangeException refused = Sections.Refused(Sections.With(Settings(resource)));

        Assert.That(refused.Message, Does.Contain("TokenExchange:Targets:warehouse:Resources:0: " + what).And.Contain("urn:example:orders").And.Not.Contain("canary"));
        Assert.That(InCode(resource), Throws.ArgumentException.With.Message.Contains("Resources[0] " + what).And.Message.Contains("urn:example:orders").And.Message.Not.Contains("canary"));
    }

    [TestCase("orders")]
    [TestCase("https://")]
    [TestCase("https:warehouse.example")]
    public void What_the_platform_calls_no_URI_is_none_in_settings_either(string resource) =>
        Assert.That(Sections.Refused(Sections.With(Settings(resource))).Message, Does.Contain(":Resources:0: is not an absolute URI"));

    [Test]
    public void The_entry_that_is_wrong_is_the_one_that_is_named() =>
        Assert.That(
            Sections.Refused(Sections.With([.. Settings("urn:example:orders"), ("Targets:warehouse:Resources:1", "/orders")])).Message,
            Does.Contain(":Resources:1: ").And.Not.Contain(":Resources:0: "));

    private (string, string?)[] Settings(string resource) =>
        [("Targets:warehouse:Exchange", exchange), ("Targets:warehouse:Host", null), ("Targets:warehouse:Issuer", "https://issuer.example"), ("Targets:warehouse:Resources:0", resource)];

    private Action InCode(string resource)
    {
        var uri = new Uri(resource);
        var issuer = new Uri("https://issuer.example");
        return () => _ = exchange == "Rfc8693" ? Targets.Rfc8693(issuer, o => o.Resources.Add(uri)) : Targets.JwtBearer(issuer, o => o.Resources.Add(uri));
    }
}
