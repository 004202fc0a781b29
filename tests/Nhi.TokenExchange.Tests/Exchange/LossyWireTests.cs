namespace Nhi.TokenExchange.Tests.Exchange;

internal sealed class LossyWireTests
{
    [Test]
    public async Task N12_A_tenth_of_the_requests_lost_costs_less_than_a_third_more()
    {
        const int calls = 200;
        var chance = new Random(8693);
        await using var issuer = new ScriptedIssuer(_ => chance.NextDouble() < 0.1 ? ScriptedAnswer.Nothing : ScriptedAnswer.Json("{}"));
        using HttpMessageInvoker channel = WireSamples.Backchannel();
        for (int i = 0; i < calls; i++)
        {
            using var get = new HttpRequestMessage(HttpMethod.Get, issuer.Uri);
            using HttpResponseMessage response = await channel.SendAsync(get, default);
            Assert.That(response.IsSuccessStatusCode);
        }
        Assert.That(issuer.Requests.Count, Is.InRange(calls + 1, calls * 1.3));
    }
}
