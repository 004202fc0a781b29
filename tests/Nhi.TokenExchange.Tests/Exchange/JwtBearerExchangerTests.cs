namespace Nhi.TokenExchange.Tests.Exchange;

internal sealed class JwtBearerExchangerTests
{
    [Test]
    public async Task The_proof_is_the_assertion()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("""{"access_token":"opaque-one","token_type":"bearer","expires_in":60}"""));
        TokenExchanger<BearerToken> exchanger = Targets.JwtBearer(issuer.Uri, o =>
        {
            o.TokenEndpoint = new Uri(issuer.Uri, "/token");
            o.Client.Id = "job-client";
        });
        using HttpMessageInvoker channel = WireSamples.Backchannel();
        Issued<BearerToken> issued = await exchanger.ExchangeAsync(WireSamples.Request(channel, null, null, "sql"), default);
        Assert.That(issued.Flaw, Is.Null);
        Assert.That(issuer.Requests.Single().Form, Is.EqualTo(new[]
        {
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", WireSamples.Proof), ("scope", "sql"), ("client_id", "job-client"),
        }));
    }

    [Test]
    public void An_actor_has_no_place_in_it()
    {
        using HttpMessageInvoker channel = WireSamples.Backchannel();
        var actor = new SubjectToken("actor", SubjectTokenType.Jwt);
        Assert.That(
            async () => await Targets.JwtBearer(new Uri("https://issuer.example")).ExchangeAsync(WireSamples.Request(channel, null, actor), default),
            Throws.TypeOf<TokenExchangeException>().With.Message.Contain("actor"));
    }
}
