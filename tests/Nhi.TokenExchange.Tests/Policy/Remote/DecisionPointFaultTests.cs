using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests.Policy.Remote;

/// <summary>A decision point that is down, slow, broken or hostile: no decision, nothing at the issuer, and the error says what to look at.</summary>
internal sealed class DecisionPointFaultTests
{
    private static IEnumerable<TestCaseData> Faults()
    {
        (string Name, Fault Fault, string Said, bool IsTransient)[] faults =
        [
            ("down", Fault.Reset(), "could not be asked", true),
            ("500", Fault.Status(500), "answered 500 instead of a decision", true),
            ("503", Fault.Status(503), "answered 503", true),
            ("429", Fault.Status(429), "answered 429", true),
            ("400", Fault.Status(400), "answered 400 instead of a decision", false),
            ("401", Fault.Status(401), "sends no credential to a decision point", false),
            ("403", Fault.Status(403), "sends no credential to a decision point", false),
            ("404", Fault.Status(404), "answered 404", false),
            ("201 is no 200", Fault.Status(201), "answered 201 instead of a decision", false),
            ("a page", Fault.Html(), "is not plain JSON but 'text/html'", true),
            ("noise", Fault.Garbage(), "well-formed", true),
            ("cut", Fault.Truncate(5), "could not be asked", true),
            ("huge", Fault.Huge(50_000_000), "longer than 1048576 bytes", false),
            ("redirect", Fault.Redirect(new Uri("http://169.254.169.254/latest")), "a redirect", false),
            ("packed", Fault.Header("Content-Encoding", "gzip"), "is not plain JSON", true),
        ];
        return from language in Enum.GetValues<Language>()
               from fault in faults
               select new TestCaseData(language, fault.Fault, fault.Said, fault.IsTransient).SetArgDisplayNames(language.ToString(), fault.Name);
    }

    [TestCaseSource(nameof(Faults))]
    public async Task Nothing_is_granted_and_the_error_says_why(Language language, Fault fault, string said, bool isTransient)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Emulator.Faults.Always(job.Endpoint, fault);

        TokenExchangeException failure = job.Failure();

        Assert.That((failure.Code, failure.Stage, failure.IsTransient, failure.Target), Is.EqualTo(("NHI3002", ExchangeStage.Authorize, isTransient, "warehouse")));
        Assert.That(failure.Message, Does.Contain(said).And.Contain("decision point"));
        Assert.That(job.Issuer.Requests, Is.Empty);
        Assert.That(job.Audit.Kinds, Is.EqualTo([AuditEventKind.Attested, AuditEventKind.Failed]));
    }

    [Test]
    public async Task What_fails_in_passing_is_asked_again_within_the_deadline([Values] Language language, [Values(500, 503, 429)] int status)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Emulator.Faults.Next(job.Endpoint, Fault.Status(status));

        await job.Warehouse.GetAsync();

        Assert.That(job.Asked, Is.EqualTo(2));
    }

    [Test]
    public async Task Who_asks_for_more_patience_than_the_deadline_has_is_told_of_at_once([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Emulator.Faults.Always(job.Endpoint, Fault.Status(429, ("Retry-After", "7")));

        TokenExchangeException failure = job.Failure();

        Assert.That(job.Asked, Is.EqualTo(1));
        Assert.That(failure.RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(7)).Within(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public async Task A_slow_one_is_given_up_at_the_deadline([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        HeldRequest held = job.Emulator.Faults.HoldNext(job.Endpoint);
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await held.Reached;

        job.Time.Advance(TimeSpan.FromSeconds(2));

        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => asking)!;
        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo(("NHI3002", true)));
        Assert.That(failure.Message, Does.Contain("within 2 s"));
    }

    [Test]
    public async Task Another_place_that_a_redirect_names_sees_nothing([Values] Language language, [Values(301, 302, 303, 307, 308)] int status)
    {
        await using var elsewhere = new ScriptedIssuer(_ => throw new InvalidOperationException("nobody comes here"));
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Emulator.Faults.Always(job.Endpoint, Fault.Redirect(elsewhere.Uri, status));

        job.Failure();

        Assert.That(elsewhere.Connections, Is.Zero);
    }

    [Test]
    public async Task The_jobs_end_is_not_held_up_by_a_decision_that_does_not_come([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        HeldRequest held = job.Emulator.Faults.HoldNext(job.Endpoint);
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await held.Reached;

        await job.Session.CompleteAsync();

        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => asking)!.Code, Is.EqualTo("NHI7001"));
    }

    [Test]
    public void Plain_HTTP_leaves_this_machine_for_no_decision()
    {
        Assert.Throws<ArgumentException>(() => AccessPolicies.AuthZen(new Uri("http://pdp.example")));
        Assert.Throws<ArgumentException>(() => AccessPolicies.AuthZen(new Uri("https://pdp.example"), new Uri("http://pdp.example/evaluate")));
        Assert.Throws<ArgumentException>(() => AccessPolicies.Opa(new Uri("http://opa.example"), "tokens/decision"));
        Assert.Throws<ArgumentException>(() => AccessPolicies.Opa(new Uri("https://job@opa.example"), "tokens/decision"));
        Assert.Throws<ArgumentException>(() => AccessPolicies.Opa(new Uri("https://opa.example?pretty"), "tokens/decision"));
    }

    [TestCase("")]
    [TestCase("/tokens")]
    [TestCase("tokens/")]
    [TestCase("tokens//decision")]
    [TestCase("../policies")]
    [TestCase("tokens/%2e%2e/policies")]
    [TestCase("tokens/decision?pretty")]
    [TestCase("v1/data/tokens")]
    [TestCase("data/tokens")]
    public void A_path_that_names_no_rule_is_refused(string path) => Assert.Throws<ArgumentException>(() => AccessPolicies.Opa(new Uri("https://opa.example"), path));

    [TestCase(0)]
    [TestCase(31)]
    public void A_deadline_out_of_its_range_is_refused(int seconds) =>
        Assert.Throws<ArgumentException>(() => AccessPolicies.Opa(new Uri("https://opa.example"), "tokens/decision", o => o.Deadline = TimeSpan.FromSeconds(seconds)));
}
