using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class GitHubActionsSourceTests
{
    private const string RequestToken = "request-canary";
    private readonly SkippingTime _time = new();
    private readonly Dictionary<string, string?> _environment = new()
    {
        ["GITHUB_ACTIONS"] = "true", ["ACTIONS_ID_TOKEN_REQUEST_URL"] = "https://runner.example/idtoken?api-version=2.0", ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = RequestToken,
    };

    private readonly List<(string Url, AuthenticationHeaderValue? Authorization)> _asked = [];
    private Func<int, HttpResponseMessage> _answer = _ => throw new InvalidOperationException("no answer set");

    private async Task<SubjectToken> GetAsync(string audience = Proofs.Audience)
    {
        var source = new GitHubActionsSource(_environment.GetValueOrDefault);
        using HttpMessageInvoker backchannel = IssuerBackchannel.Create(_time, () => 0.5, () => new Wire(request =>
        {
            _asked.Add((request.RequestUri!.OriginalString, request.Headers.Authorization));
            return _answer(_asked.Count);
        }));
        var request = new SubjectTokenRequest { Audience = new Audience(audience), Backchannel = backchannel, Time = _time };
        return await source.GetSubjectTokenAsync(request, CancellationToken.None);
    }

    private IdentityUnavailableException Refused()
    {
        var refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => GetAsync())!;
        Assert.That(refused.ToString(), Does.Not.Contain(RequestToken).And.Not.Contain("body-canary"));
        Assert.That(refused.Stage, Is.EqualTo(ExchangeStage.Attest));
        return refused;
    }

    private static HttpResponseMessage Json(string body, HttpStatusCode status = HttpStatusCode.OK) => new(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    [Test]
    public async Task It_asks_the_runners_endpoint_for_the_audience_each_time()
    {
        string token = Proofs.With();
        _answer = _ => Json($$"""{"count":1,"value":"{{token}}"}""");
        Assert.That((await GetAsync()).Reveal(), Is.EqualTo(token));
        _ = await GetAsync("api://a b&c=d");
        Assert.That(_asked.Select(asked => asked.Url), Is.EqualTo(new[]
        {
            "https://runner.example/idtoken?api-version=2.0&audience=https%3A%2F%2Fsts.example",
            "https://runner.example/idtoken?api-version=2.0&audience=api%3A%2F%2Fa%20b%26c%3Dd",
        }));
        Assert.That(_asked[0].Authorization, Is.EqualTo(new AuthenticationHeaderValue("Bearer", RequestToken)));
    }

    [Test]
    public async Task An_address_without_a_query_gets_one()
    {
        _environment["ACTIONS_ID_TOKEN_REQUEST_URL"] = "http://127.0.0.1:8080/idtoken";
        _answer = _ => Json($$"""{"value":"{{Proofs.With()}}"}""");
        _ = await GetAsync();
        Assert.That(_asked[0].Url, Is.EqualTo("http://127.0.0.1:8080/idtoken?audience=https%3A%2F%2Fsts.example"));
    }

    [TestCase("ACTIONS_ID_TOKEN_REQUEST_URL")]
    [TestCase("ACTIONS_ID_TOKEN_REQUEST_TOKEN")]
    public void S15_A_job_that_may_not_ask_is_told_which_permission_to_grant(string missing)
    {
        _environment[missing] = "";
        IdentityUnavailableException refused = Refused();
        Assert.That(refused.Message, Does.Contain(missing).And.Contain("permissions: id-token: write"));
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.ProofUnavailable, false)));
        _environment["GITHUB_ACTIONS"] = null;
        Assert.That(Refused().Message, Does.Contain("no job of GitHub Actions"));
    }

    [TestCase("http://runner.example/idtoken")]
    [TestCase("ftp://runner.example/")]
    [TestCase("not an address")]
    [TestCase("https://user:pass@runner.example/")]
    [TestCase("https://runner.example/#x")]
    public void Only_https_is_asked(string url)
    {
        _environment["ACTIONS_ID_TOKEN_REQUEST_URL"] = url;
        Assert.That(Refused().Message, Does.Contain("not an https address"));
        Assert.That(_asked, Is.Empty);
    }

    [Test]
    public void A_request_token_with_a_newline_in_it_is_not_quoted()
    {
        _environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = RequestToken + "\r\nX-Evil: 1";
        Assert.That(Refused().Message, Does.Contain("no bearer token has"));
    }

    [Test]
    public async Task S14_The_race_at_the_jobs_start_is_waited_for()
    {
        string token = Proofs.With();
        _answer = number => number < 4 ? Json("""{"message":"the job is in a Pending state"}""", HttpStatusCode.Forbidden) : Json($$"""{"value":"{{token}}"}""");
        Assert.That((await GetAsync()).Reveal(), Is.EqualTo(token));
        Assert.That(_asked, Has.Count.EqualTo(4));
        Assert.That(_time.Waits.Select(wait => wait.TotalSeconds), Is.EqualTo(new[] { 1, 2, 4 }));
    }

    [Test]
    public void S14_But_five_times_at_most()
    {
        _answer = _ => Json("the job is Delayed", HttpStatusCode.Forbidden);
        Assert.That(Refused().IsTransient);
        Assert.That(_asked, Has.Count.EqualTo(5));
    }

    [TestCase(400, false)]
    [TestCase(401, false)]
    [TestCase(403, false)]
    [TestCase(404, false)]
    [TestCase(500, true)]
    [TestCase(501, true)]
    public void A_refusal_says_status_and_code_and_nothing_of_the_body(int status, bool isTransient)
    {
        _answer = _ => Json("""{"error":"access_denied","message":"body-canary"}""", (HttpStatusCode)status);
        IdentityUnavailableException refused = Refused();
        Assert.That(refused.Message, Does.Contain($"status {status}").And.Contain("'access_denied'"));
        Assert.That((refused.IsTransient, refused.IssuerError), Is.EqualTo((isTransient, "access_denied")));
        Assert.That(_asked, Has.Count.EqualTo(status == 500 ? 2 : 1));
    }

    [Test]
    public void What_the_request_brought_is_no_code()
    {
        _answer = _ => Json($$"""{"error":"{{RequestToken}}","code":"access_denied"}""", HttpStatusCode.NotFound);

        Assert.That(Refused().IssuerError, Is.EqualTo("access_denied"));
    }

    [Test]
    public void Nor_is_it_told_as_the_name_of_a_request()
    {
        _answer = _ =>
        {
            HttpResponseMessage answer = Json("{}", HttpStatusCode.ServiceUnavailable);
            answer.Headers.TryAddWithoutValidation("x-request-id", $"of words {RequestToken}");
            return answer;
        };

        Assert.That(Refused().CorrelationId, Is.EqualTo("of words [redacted]"));
    }

    [TestCase(302, false, 1)]
    [TestCase(408, true, 5)]
    [TestCase(429, true, 5)]
    [TestCase(503, true, 5)]
    public void What_the_back_channel_gives_up_is_a_missing_proof(int status, bool isTransient, int asked)
    {
        _answer = _ =>
        {
            HttpResponseMessage answer = Json("body-canary", (HttpStatusCode)status);
            answer.Headers.TryAddWithoutValidation("Retry-After", "3");
            answer.Headers.TryAddWithoutValidation("x-request-id", "c-7");
            return answer;
        };
        IdentityUnavailableException refused = Refused();
        Assert.That((refused.Code, refused.IsTransient, refused.CorrelationId), Is.EqualTo((ErrorCodes.ProofUnavailable, isTransient, "c-7")));
        Assert.That(refused.RetryAfter, Is.EqualTo(isTransient ? TimeSpan.FromSeconds(3) : (TimeSpan?)null));
        Assert.That(refused.Message, Does.Contain("runner.example").And.Contain($"{status}"));
        Assert.That(_asked, Has.Count.EqualTo(asked));
    }

    [TestCase("")]
    [TestCase("<html>body-canary</html>")]
    [TestCase("[]")]
    [TestCase("{}")]
    [TestCase("""{"value":5}""")]
    [TestCase("""{"value":""}""")]
    [TestCase("""{"value":"body-canary with space"}""")]
    [TestCase("""{"value":"body-canary","value":"body-canary"}""")]
    [TestCase("""{"value":"\ud800body-canary"}""")]
    public void An_answer_without_a_proof_is_an_error(string body)
    {
        _answer = _ => Json(body);
        Assert.That(Refused(), Has.Property("Code").EqualTo(ErrorCodes.ProofMalformed));
    }

    [Test]
    public void S18_An_answer_that_is_too_long_is_not_read()
    {
        _answer = _ => Json($$"""{"value":"{{new string('x', 100 * 1024)}}"}""");
        Assert.That(Refused(), Has.Property("Code").EqualTo(ErrorCodes.ProofMalformed));
        _answer = _ => Json($$"""{"value":"{{new string('x', 16 * 1024 * 1024)}}"}""");
        Assert.That(Refused(), Has.Property("Code").EqualTo(ErrorCodes.ProofUnavailable).And.Message.Contains("1048576 bytes"));
    }

    [Test]
    public void An_endpoint_that_is_not_reached_is_transient()
    {
        _answer = _ => throw new HttpRequestException("body-canary", new SocketException((int)SocketError.HostUnreachable));
        IdentityUnavailableException refused = Refused();
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.ProofUnavailable, true)));
        Assert.That(refused.Message, Does.Contain("HostUnreachable"));
        for (Exception? inner = refused; inner is not null; inner = inner.InnerException)
            Assert.That(inner, Is.Not.InstanceOf<HttpRequestException>());
    }

    [Test]
    public async Task S13_A_proof_for_another_audience_is_caught_by_the_check()
    {
        _answer = _ => Json($$"""{"value":"{{Proofs.With(("aud", "https://github.com/acme"))}}"}""");
        SubjectToken token = await GetAsync();
        Assert.That(() => ProofCheck.Check(token, new Audience(Proofs.Audience), ActsFor.Proven, Proofs.Now), Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.ProofForAnotherAudience));
    }

    private sealed class Wire(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
    }
}
