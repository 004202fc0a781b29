using System.Net;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>An issuer that sends us elsewhere is not followed, and where it pointed is told.</summary>
internal sealed class AnswerBoundsTests
{
    private static readonly Uri Endpoint = new("https://issuer.example/token");

    [TestCase(300, "https://elsewhere.example/token", "host elsewhere.example")]
    [TestCase(307, "https://elsewhere.example/token", "host elsewhere.example")]
    [TestCase(308, "/v2/token", "another path of the same host")]
    [TestCase(399, null, "nowhere")]
    public async Task A_redirect_is_refused_with_the_place_it_points_to(int status, string? location, string place)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent("elsewhere") };
        response.Headers.Location = location is null ? null : new Uri(location, UriKind.RelativeOrAbsolute);
        response.Headers.Add("x-correlation-id", "call-1");

        TokenExchangeException? refused = Assert.ThrowsAsync<TokenExchangeException>(() => SendAsync(response));

        Assert.That(refused!.Message, Does.Contain($"Host issuer.example answered {status}, a redirect to {place}. It was not followed."));
        Assert.That((refused.Code, refused.CorrelationId, refused.Hint), Is.EqualTo((ErrorCodes.RedirectRefused, "call-1", "Configure the URI that the issuer itself uses.")));
        Assert.That(async () => await response.Content.ReadAsStringAsync(), Throws.TypeOf<ObjectDisposedException>(), "what is refused is put away");
    }

    [TestCase(299)]
    [TestCase(400)]
    public async Task What_is_no_redirect_comes_through_whole(int status)
    {
        using var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent("all of it") };
        HttpContent unread = response.Content;

        using HttpResponseMessage answer = await SendAsync(response);

        Assert.That(await answer.Content.ReadAsStringAsync(), Is.EqualTo("all of it"));
        Assert.That(async () => await unread.ReadAsStringAsync(), Throws.TypeOf<ObjectDisposedException>(), "its connection is free for the next request");
    }

    [TestCase("x-request-id")]
    [TestCase("x-ms-request-id")]
    [TestCase("x-correlation-id")]
    public void The_issuer_s_name_for_a_request_is_found(string header)
    {
        using var response = new HttpResponseMessage();
        response.Headers.Add(header, "call-1");

        Assert.That(CorrelationIds.Of(response), Is.EqualTo("call-1"));
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpResponseMessage response)
    {
        using var sender = new HttpMessageInvoker(new AnswerBounds(new Answering(response)));
        using var request = new HttpRequestMessage(HttpMethod.Post, Endpoint);
        return await sender.SendAsync(request, CancellationToken.None);
    }

    private sealed class Answering(HttpResponseMessage response) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(response);
    }
}
