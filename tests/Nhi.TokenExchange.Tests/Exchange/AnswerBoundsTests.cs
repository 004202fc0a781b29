using System.Net;
using Nhi.TokenExchange.Tests.Exchange.OAuth;
using Nhi.TokenExchange.Tests.Http;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>An issuer that sends us elsewhere is not followed, and where it pointed is told.</summary>
internal sealed class AnswerBoundsTests
{
    private static readonly Uri Endpoint = new("https://issuer.example/token");

    [TestCase(300, "https://elsewhere.example/token", "host elsewhere.example")]
    [TestCase(307, "https://elsewhere.example/token", "host elsewhere.example")]
    [TestCase(308, "/v2/token", "another path of the same host")]
    [TestCase(302, "//elsewhere.example/token", "host elsewhere.example", Description = "RFC 3986 §4.2")]
    [TestCase(302, "http://issuer.example/token", "port 80 of the same host, by http")]
    [TestCase(302, "https://issuer.example:8443/token", "port 8443 of the same host, by https")]
    [TestCase(302, "words-of-a-token://issuer.example/token", "the same host, by another scheme", Description = "What was sent may stand there, too.")]
    [TestCase(302, "urn:elsewhere", "a place without a host")]
    [TestCase(302, "ps://\ufffd\ufffdelsewhere.example", "a place without a host", Description = "no character of a name (RFC 5891 §4.2)")]
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
    [TestCase("x-amzn-requestid")]
    public void The_issuer_s_name_for_a_request_is_found(string header)
    {
        using var response = new HttpResponseMessage();
        response.Headers.Add(header, "call-1");

        Assert.That(CorrelationIds.Of(response), Is.EqualTo("call-1"));
    }

    [Test]
    public void A_header_without_a_name_in_it_is_passed_by()
    {
        using var response = new HttpResponseMessage();
        response.Headers.TryAddWithoutValidation("x-request-id", "");
        Assert.That(CorrelationIds.Of(response), Is.Null);
        response.Headers.Add("x-amzn-requestid", "call-1");

        Assert.That(CorrelationIds.Of(response), Is.EqualTo("call-1"));
    }

    // Nobody has read the answer then; the issuer calls the request by what it brought.
    [TestCase(503)]
    [TestCase(429)]
    [TestCase(307)]
    public void A_name_with_the_proof_in_it_is_not_told_of_an_answer_that_is_refused_unread(int status)
    {
        using HttpMessageInvoker channel = IssuerBackchannel.Create(new SkippingTime(), () => 0, () => new InMemoryIssuer(_ => InMemoryIssuer.Json("{}", status, ("x-request-id", "r-1 words-that-prove"), ("Location", "https://words-that-prove.evil.example/"))));
        TokenExchanger<BearerToken> exchanger = Targets.Rfc8693(InMemoryIssuer.Address, o => o.TokenEndpoint = InMemoryIssuer.TokenEndpoint);
        var request = new ExchangeRequest { Target = "t", Subject = new SubjectToken("words-that-prove", SubjectTokenType.AccessToken), MaxLifetime = TimeSpan.FromHours(1), Job = new JobContext(), Backchannel = channel, Time = TimeProvider.System };

        TokenExchangeException? failure = Assert.ThrowsAsync<TokenExchangeException>(async () => await exchanger.ExchangeAsync(request, default));

        Assert.That(failure!.CorrelationId, Is.EqualTo("r-1 [redacted]"));
        Assert.That(failure.ToString(), Does.Not.Contain("words-that-prove"));
    }

    [TestCase(typeof(HttpRequestException), false, true)]
    [TestCase(typeof(IOException), false, true)]
    [TestCase(typeof(TaskCanceledException), false, true)]
    [TestCase(typeof(TaskCanceledException), true, false)]
    [TestCase(typeof(HttpRequestException), true, true)]
    [TestCase(typeof(InvalidOperationException), false, false)]
    [TestCase(typeof(InvalidOperationException), true, false)]
    public void Failures_of_the_wire_are_told_in_our_words_and_what_the_caller_ended_or_others_broke_is_not(Type kind, bool isGivenUp, bool isTold)
    {
        var failure = (Exception)Activator.CreateInstance(kind)!;

        Exception? thrown = Assert.CatchAsync(() => SendAsync(new Wire(_ => throw failure), new CancellationToken(canceled: isGivenUp)));

        Assert.That(thrown, isTold ? Is.TypeOf<TokenExchangeException>().With.Property("IsTransient").True : Is.SameAs(failure));
    }

    private static Task<HttpResponseMessage> SendAsync(HttpResponseMessage response) => SendAsync(new Answering(response), CancellationToken.None);

    private static async Task<HttpResponseMessage> SendAsync(HttpMessageHandler wire, CancellationToken cancellationToken)
    {
        using var sender = new HttpMessageInvoker(new AnswerBounds(wire));
        using var request = new HttpRequestMessage(HttpMethod.Post, Endpoint);
        return await sender.SendAsync(request, cancellationToken);
    }

    private sealed class Answering(HttpResponseMessage response) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(response);
    }
}
