using System.Net;
using System.Text;
using Nhi.TokenExchange.Tests.Configuration;
using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>What users are told, and what is tried again. P42 to P44 are beside the Azure package.</summary>
internal sealed class ErrorMessageTests
{
    // Status, body, how often it is asked, whether it may pass.
    [TestCase(403, "The job is in a Pending state", 5, true)]
    [TestCase(403, "delayed", 5, true)]
    [TestCase(403, """{"error":"access_denied"}""", 1, false)]
    [TestCase(403, "", 1, false)]
    [TestCase(401, """{"message":"Bad credentials"}""", 1, false)]
    [TestCase(400, """{"message":"Can't issue ID_TOKEN for audience"}""", 1, false)]
    [TestCase(500, "", 2, true)]
    [TestCase(503, "<html>busy</html>", 5, true)]
    public void P45_A_platform_that_is_late_is_asked_again_and_one_that_refuses_is_not(int status, string body, int asked, bool isTransient)
    {
        int count = 0;
        var time = new SkippingTime();
        var environment = new Dictionary<string, string?>
        {
            ["GITHUB_ACTIONS"] = "true", ["ACTIONS_ID_TOKEN_REQUEST_URL"] = "https://runner.example/idtoken?api-version=2.0", ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = Guid.NewGuid().ToString(),
        };
        using HttpMessageInvoker backchannel = IssuerBackchannel.Create(time, () => 0.5, () => new Http.Wire(_ =>
        {
            count++;
            return new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        }));

        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(() =>
            new GitHubActionsSource(environment.GetValueOrDefault).GetSubjectTokenAsync(Proofs.Request(time, backchannel), CancellationToken.None).AsTask())!;

        Assert.That((count, refused.IsTransient), Is.EqualTo((asked, isTransient)));
    }

    [Test]
    public async Task P46_An_error_that_is_no_error_document_is_told_as_any_other(
        [Values(200, 400, 403, 404, 500, 503)] int status, [Values("", "null", "[]", "{}", "\0", "<html>oops</html>", """{"error":null}""", """{"error":{}}""")] string body)
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Text(body, body.StartsWith('<') ? "text/html" : "application/json", status));

        TokenExchangeException failure = await ScriptedJob.FailureAsync(issuer);

        Assert.That(failure.Code, Does.Match("^NHI4[0-9]{3}$").And.Not.EqualTo(ErrorCodes.ExchangerFailed));
        Assert.That(failure.Message, Does.Contain("127.0.0.1").And.Not.Contain("oops"));
        Assert.That(failure.IsTransient, Is.EqualTo(status >= 500 || (status == 200 && body != """{"error":{}}""")));
        Assert.That(issuer.Requests.Count, Is.InRange(1, 5));
    }

    [Test]
    public void P48_Nothing_in_the_public_surface_waits_for_a_person()
    {
        string[] words = ["Interactive", "Browser", "DeviceCode", "UserName", "Prompt", "LoginHint"];
        IEnumerable<string> surface = Directory.EnumerateFiles(Path.Join(Repository.Root, "src"), "PublicAPI.*.txt", SearchOption.AllDirectories)
            .Where(file => !file.Contains("Emulator", StringComparison.Ordinal)).SelectMany(File.ReadAllLines).ToList();

        Assert.That(surface.Count(), Is.GreaterThan(300));
        Assert.That(surface.Where(line => words.Any(word => line.Contains(word, StringComparison.OrdinalIgnoreCase))), Is.Empty);
    }

    [Test]
    public async Task P49_A_bare_403_of_an_issuer_is_a_refusal_and_no_rate_limit()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Json("{}", 403));
        await using JobSession job = await ScriptedJob.StartAsync(issuer.Uri, new ManualTimeProvider());
        CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");

        TokenExchangeException first = Assert.ThrowsAsync<TokenExchangeException>(() => warehouse.GetAsync().AsTask())!;
        TokenExchangeException second = Assert.ThrowsAsync<TokenExchangeException>(() => warehouse.GetAsync().AsTask())!;

        Assert.That((first.Code, first.IsTransient, first.RetryAfter, second.Code), Is.EqualTo((ErrorCodes.IssuerRefused, false, (TimeSpan?)null, ErrorCodes.IssuerRefused)));
        Assert.That(issuer.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public void P50_A_missing_host_is_told_by_its_name_at_the_start()
    {
        TokenExchangeException refused = Sections.Refused(Sections.With(("Targets:warehouse:Host", null)));

        Assert.That(refused.Message, Does.Contain("TokenExchange:Targets:warehouse:Host: is missing"));
        Assert.That(refused.Message.Split('\n').Count(line => line.Contains("TokenExchange:", StringComparison.Ordinal)), Is.EqualTo(1), "and nothing else is said to be wrong");
    }

    [Test]
    [NonParallelizable]
    public async Task P51_Of_two_sources_in_the_environment_the_configured_one_is_used_and_the_audit_says_whose_proof_it_was()
    {
        await using var runner = new ScriptedIssuer(ScriptedAnswer.Json("""{"value":"x"}"""));
        var time = new ManualTimeProvider();
        var audit = new RecordingSink();
        using var environment = new Variables(
            ("GITHUB_ACTIONS", "true"), ("ACTIONS_ID_TOKEN_REQUEST_URL", runner.Uri.AbsoluteUri), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", Guid.NewGuid().ToString()),
            ("CONFIGURED_PROOF", Proofs.Of("https://platform.example", "job:orders", ("aud", "https://issuer.test/"))));
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.OidcEnvironmentVariable("CONFIGURED_PROOF"), ActsFor.Workload)
            .Target("warehouse", new TestExchanger(time), "job").Audit(audit).Time(time).EndOnSignals(false));

        await job.Provider<BearerToken>("warehouse").GetAsync();

        AuditEvent issued = audit.Events.Single(e => e.Kind == AuditEventKind.Issued);
        Assert.That((issued.SubjectIssuer, issued.Subject), Is.EqualTo(("https://platform.example", "job:orders")));
        Assert.That(runner.Connections, Is.Zero);
    }

    [Test]
    public async Task P52_Throttling_with_a_page_for_a_body_is_throttling_and_says_how_long()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Text("<html>slow down</html>", "text/html", 429, "Retry-After: 31"));

        TokenExchangeException failure = await ScriptedJob.FailureAsync(issuer, new ManualTimeProvider());

        Assert.That((failure.Code, failure.IsTransient, failure.RetryAfter), Is.EqualTo((ErrorCodes.IssuerThrottled, true, (TimeSpan?)TimeSpan.FromSeconds(31))));
        Assert.That(issuer.Requests, Has.Count.EqualTo(1), "what would come after the call's deadline is not waited for");
    }

    private sealed class Variables : IDisposable
    {
        private readonly Dictionary<string, string?> _before = [];

        public Variables(params (string Name, string Value)[] variables)
        {
            foreach ((string name, string value) in variables)
            {
                _before[name] = Environment.GetEnvironmentVariable(name);
                Environment.SetEnvironmentVariable(name, value);
            }
        }

        public void Dispose()
        {
            foreach ((string name, string? value) in _before)
                Environment.SetEnvironmentVariable(name, value);
        }
    }
}
