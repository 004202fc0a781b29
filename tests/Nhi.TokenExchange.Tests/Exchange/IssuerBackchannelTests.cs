using System.IO.Compression;
using System.Net;
using Nhi.TokenExchange.Tests.Exchange.OAuth;
using static Nhi.TokenExchange.Tests.Exchange.WireCalls;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>One call through the back channel: tries, bounds, what is told of failures.</summary>
internal sealed class IssuerBackchannelTests
{
    [Test]
    public async Task An_answer_comes_back_whole_and_the_first_try_is_the_only_one()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("""{"a":1}"""));
        using HttpResponseMessage response = await GetAsync(issuer.Uri);
        Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("""{"a":1}"""));
        Assert.That(issuer.Requests, Has.Count.EqualTo(1));
        Assert.That(issuer.Requests[0].Headers.Keys, Has.No.Member("Accept-Encoding").And.No.Member("Cookie"));
    }

    [Test]
    public async Task What_an_issuer_would_have_us_remember_is_not_told_it_again()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("{}", 200, "Set-Cookie: session=1; Path=/"));
        using HttpMessageInvoker channel = WireSamples.Backchannel();
        for (int i = 0; i < 2; i++)
        {
            using var get = new HttpRequestMessage(HttpMethod.Get, issuer.Uri);
            using HttpResponseMessage response = await channel.SendAsync(get, default);
            Assert.That(response.IsSuccessStatusCode);
        }
        Assert.That(issuer.Requests.Select(request => request.Headers.ContainsKey("Cookie")), Is.EqualTo(new[] { false, false }));
    }

    [TestCase(408)]
    [TestCase(429)]
    [TestCase(502)]
    [TestCase(503)]
    [TestCase(504)]
    public async Task I4_A_transient_status_is_asked_again_and_the_answer_after_it_is_given(int status)
    {
        var time = new SkippingTime();
        await using ScriptedIssuer issuer = ScriptedIssuer.InOrder(ScriptedAnswer.Status(status), ScriptedAnswer.Status(status), ScriptedAnswer.Json("{}"));
        using HttpResponseMessage response = await GetAsync(issuer.Uri, time);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(time.Waits, Is.EqualTo(new[] { TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(750) }));
    }

    [Test]
    public async Task What_is_put_around_the_wire_sees_each_try()
    {
        var statuses = new Queue<HttpStatusCode>([HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK]);
        var issuer = new InMemoryIssuer(_ => InMemoryIssuer.Json("{}", (int)statuses.Dequeue()));
        var around = new List<HttpMessageHandler>();
        using HttpMessageInvoker channel = IssuerBackchannel.Create(new SkippingTime(), () => 0.5, () => issuer, around: wire =>
        {
            around.Add(wire);
            return new Counting(wire);
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, InMemoryIssuer.Address);
        using HttpResponseMessage response = await channel.SendAsync(request, default);

        Assert.That((response.Headers.GetValues("X-Tries").Single(), around.Single() == issuer), Is.EqualTo(("2", true)));
    }

    [Test]
    public async Task I4_Attempts_are_bounded_and_the_waits_grow()
    {
        var time = new SkippingTime();
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(503, "x-request-id: abc-1"));
        TokenExchangeException failure = await FailureAsync(issuer.Uri, time);
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerUnreachable));
        Assert.That(failure.IsTransient);
        Assert.That(failure.CorrelationId, Is.EqualTo("abc-1"));
        Assert.That(failure.Hint, Is.EqualTo("The server, or what stands before it, is down or restarting: look at its health and its log. If it never answers otherwise, check the address."));
        Assert.That(issuer.Requests, Has.Count.EqualTo(5));
        Assert.That(time.Waits.Select(wait => wait.TotalMilliseconds), Is.EqualTo(new[] { 250, 750, 2250, 6750 }));
    }

    [TestCase(0, 50)]
    [TestCase(0.8, 400)]
    public async Task I4_The_wait_is_the_injected_chance_of_the_bound_but_never_nothing(double chance, double milliseconds)
    {
        var time = new SkippingTime();
        await using ScriptedIssuer issuer = ScriptedIssuer.InOrder(ScriptedAnswer.Status(503), ScriptedAnswer.Json("{}"));
        using HttpResponseMessage response = await GetAsync(issuer.Uri, time, chance);
        Assert.That(time.Waits.Single().TotalMilliseconds, Is.EqualTo(milliseconds));
    }

    [Test]
    public async Task I4_A_500_is_asked_once_more_and_then_given_to_the_caller()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(500));
        using HttpResponseMessage response = await GetAsync(issuer.Uri);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.InternalServerError));
        Assert.That(issuer.Requests, Has.Count.EqualTo(2));
    }

    [TestCase(400)]
    [TestCase(401)]
    [TestCase(403)]
    [TestCase(404)]
    public async Task A_final_status_is_given_at_once(int status)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(status));
        using HttpResponseMessage response = await GetAsync(issuer.Uri);
        Assert.That((int)response.StatusCode, Is.EqualTo(status));
        Assert.That(issuer.Requests, Has.Count.EqualTo(1));
    }

    // The clock of the tests starts on 1 January 2026, 00:00 UTC.
    [TestCase("7", 7.25)]
    [TestCase("Thu, 01 Jan 2026 00:00:09 GMT", 9.25)]
    [TestCase("Wed, 31 Dec 2025 00:00:00 GMT", 0.25)]
    [TestCase("0", 0.25)]
    [TestCase("-5", 0.25)]
    [TestCase("soon", 0.25)]
    [TestCase("99999999999999999999", 0.25)]
    public async Task I3_Retry_after_is_waited_for_and_our_own_wait_comes_on_top_lest_all_who_were_told_it_come_at_once(string header, double seconds)
    {
        var time = new SkippingTime();
        await using ScriptedIssuer issuer = ScriptedIssuer.InOrder(ScriptedAnswer.Status(429, $"Retry-After: {header}"), ScriptedAnswer.Json("{}"));
        using HttpResponseMessage response = await GetAsync(issuer.Uri, time);
        Assert.That(time.Waits.Single().TotalSeconds, Is.EqualTo(seconds));
    }

    [TestCase("120", 120)]
    [TestCase("1000000000", 300)]
    public async Task I3_A_wait_beyond_the_deadline_is_told_at_once_and_capped(string header, int seconds)
    {
        var time = new SkippingTime();
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(429, $"Retry-After: {header}"));
        TokenExchangeException failure = await FailureAsync(issuer.Uri, time);
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerThrottled));
        Assert.That(failure.Hint, Is.EqualTo("The issuer limits how often it is asked; ask less often or have the limit raised."));
        Assert.That(failure.RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(seconds)));
        Assert.That(time.Waits, Is.Empty);
        Assert.That(issuer.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_connection_that_breaks_is_made_again()
    {
        await using ScriptedIssuer issuer = ScriptedIssuer.InOrder(ScriptedAnswer.Nothing, ScriptedAnswer.Raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"), ScriptedAnswer.Json("{}"));
        using HttpResponseMessage response = await GetAsync(issuer.Uri);
        Assert.That(response.IsSuccessStatusCode);
        Assert.That(issuer.Requests, Has.Count.EqualTo(3));
    }

    [Test]
    public async Task N2_A_closed_port_is_transient_and_named()
    {
        var issuer = new ScriptedIssuer(ScriptedAnswer.Nothing);
        Uri gone = issuer.Uri;
        await issuer.DisposeAsync();
        var time = new SkippingTime();
        TokenExchangeException failure = await FailureAsync(gone, time);
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerUnreachable));
        Assert.That(failure.IsTransient);
        Assert.That(failure.Message, Does.Contain($"127.0.0.1:{gone.Port}").And.Contain("ConnectionRefused"));
        Assert.That(time.Waits, Has.Count.EqualTo(4));
    }

    [Test]
    public async Task A_body_that_can_be_read_once_is_sent_once()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(503));
        using HttpMessageInvoker channel = WireSamples.Backchannel();
        using var once = new StreamContent(new MemoryStream([1, 2, 3]));
        once.Headers.ContentLength = 3;
        using var post = new HttpRequestMessage(HttpMethod.Post, issuer.Uri) { Content = once };
        Assert.That(async () => await channel.SendAsync(post, default), Throws.TypeOf<TokenExchangeException>());
        Assert.That(issuer.Requests, Has.Count.EqualTo(1));
    }

    [TestCase(301)]
    [TestCase(302)]
    [TestCase(303)]
    [TestCase(307)]
    [TestCase(308)]
    public async Task N10_A_redirect_is_never_followed_and_names_only_the_host(int status)
    {
        await using var elsewhere = new ScriptedIssuer(ScriptedAnswer.Json("{}"));
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(status, $"Location: http://localhost:{elsewhere.Port}/steal?q={WireSamples.TokenCanary}"));
        TokenExchangeException failure = await FailureAsync(issuer.Uri);
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.RedirectRefused));
        Assert.That(failure.IsTransient, Is.False);
        Assert.That(failure.Message, Does.Contain("localhost").And.Not.Contain("steal"));
        WireSamples.AssertNoCanary(failure);
        Assert.That(issuer.Requests, Has.Count.EqualTo(1));
        Assert.That(elsewhere.Connections, Is.Zero);
    }

    [Test]
    public async Task N10_A_token_in_the_name_of_the_host_is_not_shown()
    {
        string random = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(302, $"Location: https://at-{random}.adb-1234567890123456.7.example/"));
        TokenExchangeException failure = await FailureAsync(issuer.Uri);
        Assert.That(failure.Message, Does.Contain("a redirect to host [redacted].adb-1234567890123456.7.example").And.Not.Contain(random));
    }

    [Test]
    public async Task B85_N10_A_redirect_to_a_metadata_service_is_refused()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(307, "Location: http://169.254.169.254/latest/"));
        TokenExchangeException failure = await FailureAsync(issuer.Uri);
        Assert.That(failure.Message, Does.Contain("307").And.Contain("169.254.169.254"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task I6_An_endless_body_is_read_to_the_cap_and_no_further(bool sayLength)
    {
        const int total = 100 * 1024 * 1024;
        long written = 0;
        await using var issuer = new ScriptedIssuer(new ScriptedAnswer(async (stream, cancellationToken) =>
        {
            await stream.WriteAsync(ScriptedAnswer.Head(200, "Content-Type: application/json", sayLength ? $"Content-Length: {total}" : "X-Length: none"), cancellationToken);
            byte[] block = new byte[64 * 1024];
            for (; written < total; written += block.Length)
                await stream.WriteAsync(block, cancellationToken);
        }));
        TokenExchangeException failure = await FailureAsync(issuer.Uri);
        await issuer.DisposeAsync();
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerAnswerMalformed));
        Assert.That(failure.Message, Does.Contain("1048576 bytes"));
        Assert.That(written, Is.LessThan(total / 2));
        Assert.That(issuer.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_body_of_exactly_the_cap_is_taken()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Bytes(new byte[BoundedContent.MaxBytes], ["Content-Type: application/json"]));
        using HttpResponseMessage response = await GetAsync(issuer.Uri);
        Assert.That((await response.Content.ReadAsByteArrayAsync()).Length, Is.EqualTo(BoundedContent.MaxBytes));
    }

    [Test]
    public async Task I6_A_packed_body_is_not_unpacked()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize))
            await gzip.WriteAsync(new byte[50 * 1024 * 1024]);
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Bytes(packed.ToArray(), ["Content-Type: application/json", "Content-Encoding: gzip"]));
        using HttpResponseMessage response = await GetAsync(issuer.Uri);
        Assert.That((await response.Content.ReadAsByteArrayAsync()).Length, Is.EqualTo(packed.ToArray().Length));
    }

    [Test]
    public async Task B84_Headers_beyond_the_cap_are_refused()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(200, $"X-Long: {new string('a', 1024 * 1024)}"));
        TokenExchangeException failure = await FailureAsync(issuer.Uri);
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerAnswerMalformed));
        Assert.That(failure.Message, Does.Contain("64 KiB"));
    }

    [TestCase("garbage\r\n\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + WireSamples.TokenCanary + "\r\n")]
    [TestCase("HTTP/1.1 200 OK\r\n" + WireSamples.TokenCanary + "\r\n\r\n")]
    public async Task B84_Garbage_on_the_wire_is_a_broken_connection_and_is_not_quoted(string raw)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Raw(raw));
        TokenExchangeException failure = await FailureAsync(issuer.Uri);
        WireSamples.AssertNoCanary(failure);
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.IssuerUnreachable));
    }

    [Test]
    public async Task The_deadline_bounds_an_issuer_that_says_nothing()
    {
        var time = new ManualTimeProvider();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Silence(() => asked.TrySetResult()));
        Task<TokenExchangeException> failing = FailureAsync(issuer.Uri, time);
        await asked.Task;
        time.Advance(TimeSpan.FromSeconds(29));
        Assert.That(failing.IsCompleted, Is.False);
        time.Advance(TimeSpan.FromSeconds(1));
        TokenExchangeException failure = await failing;
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.DeadlineExceeded));
        Assert.That(failure.IsTransient);
    }

    [Test]
    public async Task N6_The_deadline_counts_the_whole_answer_and_not_the_pauses_in_it()
    {
        var time = new ManualTimeProvider();
        await using var issuer = new ScriptedIssuer(new ScriptedAnswer(async (stream, cancellationToken) =>
        {
            await stream.WriteAsync(ScriptedAnswer.Head(200, "Content-Type: application/json"), cancellationToken);
            while (!cancellationToken.IsCancellationRequested)
            {
                await stream.WriteAsync(new byte[] { 0x20 }, cancellationToken);   // one byte a second
                time.Advance(TimeSpan.FromSeconds(1));
            }
        }));
        TokenExchangeException failure = await FailureAsync(issuer.Uri, time);
        Assert.That(failure.Code, Is.EqualTo(ErrorCodes.DeadlineExceeded));
    }

    [Test]
    public async Task A_caller_that_gives_up_gets_its_own_cancellation()
    {
        using var given = new CancellationTokenSource();
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Silence(given.Cancel));
        using HttpMessageInvoker channel = WireSamples.Backchannel();
        using var get = new HttpRequestMessage(HttpMethod.Get, issuer.Uri);
        Assert.That(async () => await channel.SendAsync(get, given.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void The_synchronous_way_is_closed()
    {
        using HttpMessageInvoker channel = WireSamples.Backchannel();
        using var get = new HttpRequestMessage(HttpMethod.Get, "https://issuer.example/");
        Assert.That(() => channel.Send(get, default), Throws.TypeOf<NotSupportedException>());
    }

    private sealed class Counting(HttpMessageHandler wire) : DelegatingHandler(wire)
    {
        private int _tries;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
            response.Headers.Add("X-Tries", $"{++_tries}");
            return response;
        }
    }
}
