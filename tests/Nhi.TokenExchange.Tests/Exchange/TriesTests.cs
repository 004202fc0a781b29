using System.Net;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>Whether another try of a call is worth it, and how long it waits.</summary>
internal sealed class TriesTests
{
    private readonly ManualTimeProvider _time = new();

    [TestCase(0, 0.0, 50)]
    [TestCase(0, 1.0, 500)]
    [TestCase(1, 1.0, 1_500)]
    [TestCase(2, 0.5, 2_250)]
    [TestCase(3, 1.0, 13_500)]
    public void The_wait_lies_below_a_bound_that_is_three_times_as_far_each_time(int repeated, double jitter, int milliseconds)
    {
        Tries tries = Of(out _, jitter);

        Assert.That(IsWorthIt(tries, HttpStatusCode.ServiceUnavailable, repeated));
        Assert.That(tries.Wait, Is.EqualTo(TimeSpan.FromMilliseconds(milliseconds)));
    }

    [Test]
    public void Where_nothing_is_tried_again_any_more_the_first_answer_is_told_all_the_same()
    {
        using var noMore = new CancellationTokenSource();
        using HttpMessageInvoker backchannel = IssuerBackchannel.Create(_time, () => 0.5, () => new Http.Wire(_ =>
        {
            noMore.Cancel();   // the job ends while the answer is on its way
            return new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
        }));
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("https://issuer.example/keys"));

        TokenExchangeException said = Assert.ThrowsAsync<TokenExchangeException>(() => new WatchedTries(noMore.Token).Begin(() => backchannel.SendAsync(request, CancellationToken.None)))!;

        Assert.That((said.Code, said.Detail), Is.EqualTo((ErrorCodes.IssuerUnreachable, "Host issuer.example:443 answered 503 at /keys.")));
    }

    [Test]
    public async Task What_was_given_already_is_unwrapped_though_nothing_new_is_tried_again()
    {
        using var noMore = new CancellationTokenSource();
        int lookups = 0;
        using HttpMessageInvoker backchannel = IssuerBackchannel.Create(new SkippingTime(), () => 0.5, () => new Http.Wire(request =>
            new HttpResponseMessage(request.Method == HttpMethod.Get && ++lookups == 1 ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK)));
        using var login = new HttpRequestMessage(HttpMethod.Post, new Uri("https://vault.example/login"));
        using var lookup = new HttpRequestMessage(HttpMethod.Get, new Uri("https://vault.example/lookup"));

        using HttpResponseMessage answer = await new WatchedTries(noMore.Token).Begin(async () =>
        {
            (await backchannel.SendAsync(login, CancellationToken.None)).Dispose();
            await noMore.CancelAsync();
            return await backchannel.SendAsync(lookup, CancellationToken.None);
        });

        Assert.That((answer.StatusCode, lookups), Is.EqualTo((HttpStatusCode.OK, 2)));
    }

    [TestCase("GET", HttpStatusCode.OK)]
    [TestCase("POST", HttpStatusCode.Forbidden)]
    public void Where_nothing_was_given_before_nothing_new_is_tried_again(string method, HttpStatusCode first)
    {
        using var noMore = new CancellationTokenSource();
        int asked = 0;
        using HttpMessageInvoker backchannel = IssuerBackchannel.Create(new SkippingTime(), () => 0.5, () => new Http.Wire(_ => new HttpResponseMessage(++asked == 1 ? first : HttpStatusCode.ServiceUnavailable)));
        using var before = new HttpRequestMessage(new HttpMethod(method), new Uri("https://vault.example/keys"));
        using var lookup = new HttpRequestMessage(HttpMethod.Get, new Uri("https://vault.example/lookup"));

        Task<HttpResponseMessage> answer = new WatchedTries(noMore.Token).Begin(async () =>
        {
            (await backchannel.SendAsync(before, CancellationToken.None)).Dispose();
            await noMore.CancelAsync();
            return await backchannel.SendAsync(lookup, CancellationToken.None);
        });

        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => answer)!.Detail, Is.EqualTo("Host vault.example:443 answered 503 at /lookup."));
        Assert.That(asked, Is.EqualTo(2));
    }

    [Test]
    public async Task A_wait_that_is_wanted_no_more_ends_with_what_was_said_last()
    {
        using var noMore = new CancellationTokenSource();
        int asked = 0;
        using HttpMessageInvoker backchannel = Answering(() => asked++);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("https://issuer.example/keys"));
        Task<HttpResponseMessage> answer = new WatchedTries(noMore.Token).Begin(() => backchannel.SendAsync(request, CancellationToken.None));
        Assert.That(answer.IsCompleted, Is.False, "it waits before the next try");

        await noMore.CancelAsync();

        TokenExchangeException said = Assert.ThrowsAsync<TokenExchangeException>(() => answer.WaitAsync(TimeSpan.FromSeconds(20)))!;
        Assert.That((said.Code, said.Detail, asked), Is.EqualTo((ErrorCodes.IssuerUnreachable, "Host issuer.example:443 answered 503 at /keys.", 1)));
    }

    [Test]
    public async Task A_caller_who_gives_up_in_a_wait_gets_his_own_cancellation()
    {
        using var caller = new CancellationTokenSource();
        int asked = 0;
        using HttpMessageInvoker backchannel = Answering(() => asked++);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("https://issuer.example/keys"));
        Task<HttpResponseMessage> answer = backchannel.SendAsync(request, caller.Token);
        Assert.That(answer.IsCompleted, Is.False, "it waits before the next try");

        await caller.CancelAsync();

        Assert.That(() => answer.WaitAsync(TimeSpan.FromSeconds(20)), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(asked, Is.EqualTo(1));
    }

    [Test]
    public void So_does_one_who_gives_up_while_the_first_answer_is_on_its_way()
    {
        using var caller = new CancellationTokenSource();
        using HttpMessageInvoker backchannel = Answering(caller.Cancel);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("https://issuer.example/keys"));

        Assert.That(() => backchannel.SendAsync(request, caller.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void And_one_who_gives_up_when_the_deadline_has_come_too()
    {
        using var caller = new CancellationTokenSource();
        using HttpMessageInvoker backchannel = Answering(() =>
        {
            caller.Cancel();
            _time.Advance(IssuerBackchannel.CallDeadline);
            throw new OperationCanceledException();
        });
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("https://issuer.example/keys"));

        Assert.That(() => backchannel.SendAsync(request, caller.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void What_the_issuer_asked_for_comes_on_top()
    {
        Tries tries = Of(out _, jitter: 1);

        Assert.That(IsWorthIt(tries, HttpStatusCode.ServiceUnavailable, 0, retryAfter: TimeSpan.FromSeconds(7)));
        Assert.That(tries.Wait, Is.EqualTo(TimeSpan.FromSeconds(7.5)));
    }

    [TestCase(500, false)]
    [TestCase(501, true)]
    public void One_that_would_begin_at_the_limit_is_not_worth_it(int limit, bool isWorthIt) =>
        Assert.That(IsWorthIt(Of(out _, jitter: 1, limit: TimeSpan.FromMilliseconds(limit)), HttpStatusCode.ServiceUnavailable, 0), Is.EqualTo(isWorthIt));

    [Test]
    public void The_time_since_the_first_try_counts()
    {
        Tries tries = Of(out _, jitter: 1, limit: TimeSpan.FromSeconds(10));
        _time.Advance(TimeSpan.FromSeconds(9.5));

        Assert.That(IsWorthIt(tries, HttpStatusCode.ServiceUnavailable, 0), Is.False);
    }

    [Test]
    public void A_server_error_is_asked_about_once_more()
    {
        Tries tries = Of(out _);

        Assert.That(IsWorthIt(tries, HttpStatusCode.InternalServerError, 0));
        Assert.That(IsWorthIt(tries, HttpStatusCode.InternalServerError, 1), Is.False);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Where_a_server_error_is_final_it_is(bool isFinal)
    {
        Tries tries = Of(out HttpRequestMessage request);
        request.Options.Set(IssuerBackchannel.ServerErrorIsFinal, isFinal);

        Assert.That(IsWorthIt(tries, HttpStatusCode.InternalServerError, 0), Is.EqualTo(!isFinal));
    }

    [TestCase(HttpStatusCode.ServiceUnavailable, false)]
    [TestCase(HttpStatusCode.TooManyRequests, true)]
    public void Where_each_try_makes_something_only_a_throttled_one_is_repeated(HttpStatusCode status, bool isWorthIt)
    {
        Tries tries = Of(out HttpRequestMessage request);
        request.Options.Set(IssuerBackchannel.EachOneMakesAnew, true);

        Assert.That(IsWorthIt(tries, status, 0), Is.EqualTo(isWorthIt));
    }

    [TestCase(HttpStatusCode.ServiceUnavailable, true)]
    [TestCase(HttpStatusCode.TooManyRequests, false)]
    public void After_a_throttled_one_nothing_was_done_after_another_it_may_have_been(HttpStatusCode status, bool mayBeARepetition)
    {
        Tries tries = Of(out HttpRequestMessage request);

        Assert.That(IsWorthIt(tries, status, 0));
        Assert.That(request.Options.TryGetValue(IssuerBackchannel.MayRepeatALostOne, out bool may) && may, Is.EqualTo(mayBeARepetition));
    }

    [Test]
    public async Task A_new_body_is_made_for_each_try_and_the_old_one_put_away()
    {
        Tries tries = Of(out HttpRequestMessage request);
        var old = new StringContent("first");
        request.Content = old;
        request.Options.Set(IssuerBackchannel.NewContent, _ => new ValueTask<HttpContent>(new StringContent("second")));
        Assert.That(async () => await tries.NextAsync(), Throws.TypeOf<TokenExchangeException>(), "what came of the first");

        using HttpResponseMessage second = await tries.NextAsync();

        Assert.That(await request.Content.ReadAsStringAsync(), Is.EqualTo("second"));
        Assert.That(async () => await old.ReadAsStringAsync(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void A_body_that_can_go_out_once_goes_out_once()
    {
        Tries tries = Of(out HttpRequestMessage request);
        request.Content = new StreamContent(new MemoryStream());

        Assert.That(IsWorthIt(tries, HttpStatusCode.ServiceUnavailable, 0), Is.False);
    }

    /// <summary>A back channel that hears "not now" from each issuer.</summary>
    private HttpMessageInvoker Answering(Action whenAsked) => IssuerBackchannel.Create(_time, () => 0.5, () => new Http.Wire(_ =>
    {
        whenAsked();
        return new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
    }));

    private Tries Of(out HttpRequestMessage request, double jitter = 0.5, TimeSpan? limit = null)
    {
        request = new HttpRequestMessage(HttpMethod.Post, new Uri("https://issuer.example/token"));
        return new Tries(
            request, _time.GetTimestamp(), limit ?? TimeSpan.FromSeconds(30), _time, () => jitter, (_, _) => Task.FromResult(new HttpResponseMessage()), null,
            new TokenExchangeException(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, "down") { IsTransient = true });
    }

    private static bool IsWorthIt(Tries tries, HttpStatusCode status, int repeated, TimeSpan? retryAfter = null)
    {
        using var response = new HttpResponseMessage(status);
        if (retryAfter is { } wait)
            response.Headers.RetryAfter = new System.Net.Http.Headers.RetryConditionHeaderValue(wait);
        return tries.IsAnotherWorthIt(response, null, repeated);
    }
}
