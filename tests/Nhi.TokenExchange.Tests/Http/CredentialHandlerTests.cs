using System.Net;
using System.Net.Http.Json;
using Moq;

namespace Nhi.TokenExchange.Tests.Http;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[TestFixture(false)]
[TestFixture(true)]
internal sealed class CredentialHandlerTests(bool sync)
{
    private readonly NumberedTokens _tokens = new();

    [Test]
    public async Task A_request_to_the_target_carries_its_credential_and_loses_it_with_the_answer()
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        using HttpRequestMessage request = Get();
        using HttpResponseMessage response = await SendAsync(wire, request);

        Assert.That(wire.Tokens, Is.EqualTo(["token-1"]));
        Assert.That(request.ToString(), Does.Not.Contain("token-1"));
    }

    [Test]
    public async Task A_ready_credential_is_taken_without_waiting()
    {
        var ready = new BearerToken("ready", DateTimeOffset.UnixEpoch.AddYears(100));
        var provider = new Mock<CredentialProvider<BearerToken>>(MockBehavior.Strict, "warehouse");
        provider.Setup(p => p.TryGet(out ready)).Returns(true);
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        using HttpRequestMessage request = Get();
        using HttpResponseMessage response = await SendAsync(wire, request, provider.Object);

        Assert.That(wire.Tokens, Is.EqualTo(["ready"]));
        provider.Verify(p => p.GetAsync(It.IsAny<CancellationToken>()), Times.Never);
    }

    [TestCase("https://evil.example/sql")]
    [TestCase("https://warehouse.example.evil.example/sql")]
    [TestCase("https://warehouse.example:8443/sql")]
    [TestCase("https://warehouse.example./sql")]
    [TestCase("https://user@evil.example/sql")]
    [TestCase("http://warehouse.example/sql")]
    [TestCase("http://warehouse.example:443/sql")]
    [TestCase("ftp://warehouse.example/sql")]
    public void A_request_to_another_origin_is_refused_and_not_sent(string address)
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        using var request = new HttpRequestMessage(HttpMethod.Get, address + "?q=canary");

        Assert.That(
            async () => await SendAsync(wire, request),
            Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8001")
                .And.Message.Contains(new Uri(address).IdnHost).And.Message.Contains("https://warehouse.example:443")
                .And.Message.Not.Contain("canary").And.Message.Not.Contain("user@"));
        Assert.That((wire.Tokens.Count, _tokens.Issued), Is.EqualTo((0, 0)));
    }

    [TestCase("https://WAREHOUSE.example/other?x=1")]
    [TestCase("https://warehouse.example:443/")]
    public async Task The_same_origin_written_otherwise_is_the_same(string address)
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        using HttpResponseMessage response = await SendAsync(wire, request);

        Assert.That(wire.Tokens, Is.EqualTo(["token-1"]));
    }

    [Test]
    public void A_request_without_an_address_is_refused()
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        using var request = new HttpRequestMessage(HttpMethod.Get, (Uri?)null);

        Assert.That(async () => await SendAsync(wire, request), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8001"));
    }

    [TestCase("Basic YTpi")]
    [TestCase("not a valid; header")]
    public void An_Authorization_header_of_the_caller_is_refused_and_not_quoted(string header)
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        using HttpRequestMessage request = Get();
        request.Headers.TryAddWithoutValidation("Authorization", header);

        Assert.That(
            async () => await SendAsync(wire, request),
            Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8002").And.Message.Not.Contain(header));
        Assert.That(wire.Tokens, Is.Empty);
    }

    [Test]
    public async Task A_401_rejects_the_credential_and_repeats_once_with_another()
    {
        using Wire wire = Wire.Refusing("token-1");
        using HttpRequestMessage request = Get();
        using HttpResponseMessage response = await SendAsync(wire, request);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(wire.Tokens, Is.EqualTo(["token-1", "token-2"]));
        Assert.That(_tokens.Rejected, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_second_401_goes_to_the_caller()
    {
        using Wire wire = Wire.Always(HttpStatusCode.Unauthorized);
        using HttpRequestMessage request = Get();
        using HttpResponseMessage response = await SendAsync(wire, request);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(wire.Tokens, Has.Count.EqualTo(2));
        Assert.That(_tokens.Rejected, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task The_first_answer_is_disposed_when_the_request_is_repeated()
    {
        using var first = new DisposalProbe();
        using var wire = new Wire(request => request.Headers.Authorization!.Parameter == "token-1" ? new HttpResponseMessage(HttpStatusCode.Unauthorized) { Content = first } : Wire.Answer(HttpStatusCode.OK));
        using HttpRequestMessage request = Get();
        using HttpResponseMessage response = await SendAsync(wire, request);

        Assert.That(first.IsDisposed, Is.True);
    }

    [Test]
    public async Task The_same_token_again_is_not_a_reason_to_repeat()
    {
        CredentialProvider<BearerToken> provider = CredentialProvider.From("warehouse", _ => new ValueTask<BearerToken>(new BearerToken("same", DateTimeOffset.UnixEpoch.AddYears(100))));
        using Wire wire = Wire.Always(HttpStatusCode.Unauthorized);
        using HttpRequestMessage request = Get();
        using HttpResponseMessage response = await SendAsync(wire, request, provider);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(wire.Tokens, Is.EqualTo(["same"]));
    }

    [Test]
    public void Where_no_other_credential_is_to_be_had_the_caller_learns_why()
    {
        using Wire wire = Wire.Refusing("token-1");
        _tokens.GetAsync().AsTask().GetAwaiter().GetResult();
        _tokens.Failure = new AccessDeniedException("orders", "not at night");
        using HttpRequestMessage request = Get();

        Assert.That(async () => await SendAsync(wire, request), Throws.TypeOf<AccessDeniedException>());
        Assert.That(request.Headers.Authorization, Is.Null);
    }

    [TestCase("{\"error_code\":403,\"message\":\"Invalid access token.\"}")]
    [TestCase("<title>Error 403 Invalid access token.</title>")]
    [TestCase("Token is expiring within 30 seconds. (token expired)")]
    [TestCase("{\"error\":\"invalid_token\"}")]
    public async Task A_403_that_says_the_token_is_dead_counts_as_a_401(string body)
    {
        using Wire wire = Wire.Refusing("token-1", HttpStatusCode.Forbidden, body);
        using HttpRequestMessage request = Get();
        using HttpResponseMessage response = await SendAsync(wire, request);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(wire.Tokens, Is.EqualTo(["token-1", "token-2"]));
    }

    [TestCase("X-Databricks-Reason-Phrase", "Invalid access token.")]
    [TestCase("WWW-Authenticate", "Bearer realm=\"w\", error=\"invalid_token\", error_description=\"expired\"")]
    public async Task A_403_may_say_so_in_a_header(string name, string value)
    {
        using var wire = new Wire(request =>
        {
            HttpResponseMessage answer = Wire.Answer(request.Headers.Authorization!.Parameter == "token-1" ? HttpStatusCode.Forbidden : HttpStatusCode.OK);
            answer.Headers.TryAddWithoutValidation(name, value);
            return answer;
        });
        using HttpRequestMessage request = Get();
        using HttpResponseMessage response = await SendAsync(wire, request);

        Assert.That(wire.Tokens, Is.EqualTo(["token-1", "token-2"]));
    }

    [TestCase("")]
    [TestCase("{\"error_code\":\"PERMISSION_DENIED\",\"message\":\"User lacks SELECT on orders.\"}")]
    [TestCase("The access token is not expired, the table is closed.")]
    public async Task A_plain_403_is_a_denial_and_nothing_is_rejected(string body)
    {
        using Wire wire = Wire.Always(HttpStatusCode.Forbidden, body);
        using HttpRequestMessage request = Get();
        using HttpResponseMessage response = await SendAsync(wire, request);

        Assert.That(wire.Tokens, Has.Count.EqualTo(1));
        Assert.That(_tokens.Rejected, Is.Empty);
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo(body));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(4095)]
    [TestCase(4096)]
    [TestCase(4097)]
    [TestCase(300_000)]
    public async Task Looking_into_a_403_takes_nothing_from_its_reader(int length)
    {
        string body = string.Create(length, 42, (into, seed) => new Random(seed).GetItems("abcdefghij".AsSpan(), into));
        using Wire wire = Wire.Always(HttpStatusCode.Forbidden, body);
        using HttpRequestMessage request = Get();
        using HttpResponseMessage response = await SendAsync(wire, request);

        Assert.That(response.Content.Headers.ContentType!.ToString(), Is.EqualTo("text/plain; charset=utf-8"));
        using var reader = new StreamReader(sync ? response.Content.ReadAsStream() : await response.Content.ReadAsStreamAsync());
        Assert.That(sync ? reader.ReadToEnd() : await reader.ReadToEndAsync(), Is.EqualTo(body));
    }

    [Test]
    public async Task What_a_403_says_after_its_first_kibibytes_is_not_looked_at()
    {
        using Wire wire = Wire.Always(HttpStatusCode.Forbidden, new string('x', CredentialRefusal.PeekBytes) + "Invalid access token.");
        using HttpRequestMessage request = Get();
        using HttpResponseMessage response = await SendAsync(wire, request);

        Assert.That(_tokens.Rejected, Is.Empty);
    }

    [Test]
    public async Task A_compressed_403_is_left_alone()
    {
        using var wire = new Wire(_ =>
        {
            HttpResponseMessage answer = Wire.Answer(HttpStatusCode.Forbidden, "Invalid access token.");
            answer.Content.Headers.ContentEncoding.Add("br");
            return answer;
        });
        using HttpRequestMessage request = Get();
        using HttpResponseMessage response = await SendAsync(wire, request);

        Assert.That(_tokens.Rejected, Is.Empty);
        Assert.That(response.Content, Is.TypeOf<StringContent>());
    }

    [Test]
    public async Task An_answer_from_where_a_redirect_led_neither_rejects_nor_repeats([Values] bool toOtherAddress)
    {
        using var wire = new Wire(request =>
        {
            if (toOtherAddress)
                request.RequestUri = new Uri("https://elsewhere.example/");   // as the redirect handler below does, on the same object
            else
                request.Headers.Authorization = null;
            return Wire.Answer(HttpStatusCode.Unauthorized);
        });
        using HttpRequestMessage request = Get();
        using HttpResponseMessage response = await SendAsync(wire, request);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That((wire.Tokens.Count, _tokens.Rejected.Count), Is.EqualTo((1, 0)));
    }

    private static IEnumerable<TestCaseData> Contents()
    {
        yield return new TestCaseData(() => (HttpContent)new StringContent("body"), 2).SetArgDisplayNames("text", "2");
        yield return new TestCaseData(() => (HttpContent)new ByteArrayContent("body"u8.ToArray()), 2).SetArgDisplayNames("bytes", "2");
        yield return new TestCaseData(() => (HttpContent)new ReadOnlyMemoryContent("body"u8.ToArray()), 2).SetArgDisplayNames("memory", "2");
        yield return new TestCaseData(() => (HttpContent)new FormUrlEncodedContent([new("a", "b")]), 2).SetArgDisplayNames("form", "2");
        yield return new TestCaseData(() => (HttpContent)JsonContent.Create("body"), 1).SetArgDisplayNames("json", "1");
        yield return new TestCaseData(() => Buffered(JsonContent.Create("body")), 2).SetArgDisplayNames("buffered json", "2");
        yield return new TestCaseData(() => (HttpContent)new StreamContent(new MemoryStream("body"u8.ToArray())), 1).SetArgDisplayNames("stream", "1");
        yield return new TestCaseData(() => (HttpContent)new MultipartContent { new StringContent("body") }, 1).SetArgDisplayNames("multipart", "1");
    }

    [TestCaseSource(nameof(Contents))]
    public async Task A_request_is_repeated_only_if_its_content_can_be_sent_again(Func<HttpContent> content, int times)
    {
        using Wire wire = Wire.Refusing("token-1");
        using var request = new HttpRequestMessage(HttpMethod.Post, Wire.Warehouse) { Content = content() };
        using HttpResponseMessage response = await SendAsync(wire, request);

        Assert.That(wire.Bodies, Has.Count.EqualTo(times));
        Assert.That(wire.Bodies.Distinct().Count(), Is.EqualTo(1));
        Assert.That(response.StatusCode, Is.EqualTo(times == 2 ? HttpStatusCode.OK : HttpStatusCode.Unauthorized));
        Assert.That(_tokens.Rejected, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Ten_callers_refused_with_the_same_old_token_cause_one_new_one()
    {
        using var allHere = new CountdownEvent(10);
        BearerToken old = await _tokens.GetAsync();
        using var wire = new Wire(request =>
        {
            if (request.Headers.Authorization!.Parameter != old.Reveal())
                return Wire.Answer(HttpStatusCode.OK);
            allHere.Signal();
            Assert.That(allHere.Wait(TimeSpan.FromSeconds(10)), Is.True);
            return Wire.Answer(HttpStatusCode.Unauthorized);
        });
        using HttpMessageInvoker client = Client(wire, _tokens);

        var seen = new System.Collections.Concurrent.ConcurrentBag<HttpStatusCode>();
        Thread[] callers = [.. Enumerable.Range(0, 10).Select(_ => new Thread(() =>
        {
            HttpRequestMessage request = Get();
            using HttpResponseMessage response = sync ? client.Send(request, default) : client.SendAsync(request, default).GetAwaiter().GetResult();
            seen.Add(response.StatusCode);
        }))];
        Array.ForEach(callers, caller => caller.Start());
        Array.ForEach(callers, caller => caller.Join());

        Assert.That(seen, Has.Count.EqualTo(10).And.All.EqualTo(HttpStatusCode.OK));
        Assert.That(_tokens.Rejected, Has.Count.EqualTo(10).And.All.SameAs(old));
        Assert.That(_tokens.Issued, Is.EqualTo(2));
    }

    [Test]
    public async Task A_handler_above_may_send_the_request_again()
    {
        using Wire wire = Wire.Always(HttpStatusCode.ServiceUnavailable);
        using HttpMessageInvoker client = Client(wire, _tokens);
        using HttpRequestMessage request = Get();
        using HttpResponseMessage first = await client.SendAsync(request, default);
        using HttpResponseMessage second = await client.SendAsync(request, default);

        Assert.That(wire.Tokens, Is.EqualTo(["token-1", "token-1"]));
    }

    [Test]
    public void A_failure_of_the_wire_takes_the_header_off_too()
    {
        using var wire = new Wire(_ => throw new HttpRequestException("down"));
        using HttpRequestMessage request = Get();

        Assert.That(async () => await SendAsync(wire, request), Throws.TypeOf<HttpRequestException>());
        Assert.That(request.Headers.Authorization, Is.Null);
    }

    [TestCase("http://warehouse.example")]
    [TestCase("https://warehouse.example/path")]
    [TestCase("https://warehouse.example/?q")]
    [TestCase("https://user:secret@warehouse.example")]
    [TestCase("/relative")]
    public void What_is_no_https_origin_is_refused_at_the_start(string origin) =>
        Assert.That(
            () => new CredentialHandler(_tokens, [new Uri(origin, UriKind.RelativeOrAbsolute)]),
            Throws.ArgumentException.With.Message.Not.Contains("secret"));

    [Test]
    public void No_origin_at_all_is_refused_at_the_start() =>
        Assert.That(() => new CredentialHandler(_tokens, []), Throws.ArgumentException);

    [TestCase("http://localhost:8080")]
    [TestCase("http://127.0.0.1:8080")]
    [TestCase("http://[::1]:8080")]
    public async Task Plain_http_is_for_loopback_only(string origin)
    {
        using Wire wire = Wire.Always(HttpStatusCode.OK);
        using var handler = new CredentialHandler(_tokens, [new Uri(origin)]) { InnerHandler = wire };
        using var client = new HttpMessageInvoker(handler);
        using var request = new HttpRequestMessage(HttpMethod.Get, origin + "/x");
        using HttpResponseMessage response = await client.SendAsync(request, default);

        Assert.That(wire.Tokens, Is.EqualTo(["token-1"]));
    }

    private static HttpRequestMessage Get() => new(HttpMethod.Get, Wire.Warehouse);

    private static HttpContent Buffered(HttpContent content)
    {
        content.LoadIntoBufferAsync().GetAwaiter().GetResult();
        return content;
    }

    private static HttpMessageInvoker Client(Wire wire, CredentialProvider<BearerToken> provider) =>
        new(new CredentialHandler(provider, [new Uri("https://warehouse.example")]) { InnerHandler = wire }, disposeHandler: false);

    private async Task<HttpResponseMessage> SendAsync(Wire wire, HttpRequestMessage request, CredentialProvider<BearerToken>? provider = null)
    {
        using HttpMessageInvoker client = Client(wire, provider ?? _tokens);
        return sync ? client.Send(request, default) : await client.SendAsync(request, default);
    }

    private sealed class DisposalProbe() : ByteArrayContent([])
    {
        public bool IsDisposed { get; private set; }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }
}
