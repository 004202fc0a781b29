namespace Nhi.TokenExchange.Tests.Policy.Remote;

/// <summary>Where an AuthZEN decision point is asked: told by its own document on its own host, or by us.</summary>
internal sealed class AuthZenMetadataTests
{
    private IdentityEmulator _emulator = null!;

    [SetUp]
    public async Task StartAsync() => _emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");

    [TearDown]
    public async Task StopAsync() => await _emulator.DisposeAsync();

    private Uri Point => _emulator.DecisionPoint.Address;

    private int Discovered => _emulator.Ledger.Requests.Of(EmulatorEndpoint.AuthZenMetadata);

    [Test]
    public async Task The_document_is_fetched_once_an_hour_and_again_after_a_failure()
    {
        var time = new ManualTimeProvider();
        IAccessPolicy policy = AccessPolicies.AuthZen(Point);
        await policy.DecideAsync(Questions.Of(time));
        await policy.DecideAsync(Questions.Of(time));
        Assert.That(Discovered, Is.EqualTo(1));
        time.Advance(TimeSpan.FromHours(1));
        await policy.DecideAsync(Questions.Of(time));
        Assert.That(Discovered, Is.EqualTo(2));

        _emulator.Faults.Next(EmulatorEndpoint.AuthZenEvaluation, Fault.Status(404));
        policy.Failure(Questions.Of(time));
        await policy.DecideAsync(Questions.Of(time));
        Assert.That(Discovered, Is.EqualTo(3), "it may have moved");
    }

    [Test]
    public async Task The_document_is_fetched_again_after_an_endpoint_that_gave_no_answer_in_time()
    {
        var time = new ManualTimeProvider();
        IAccessPolicy policy = AccessPolicies.AuthZen(Point);
        await policy.DecideAsync(Questions.Of(time));
        HeldRequest held = _emulator.Faults.HoldNext(EmulatorEndpoint.AuthZenEvaluation);
        Task<AccessDecision> silent = policy.DecideAsync(Questions.Of(time));
        await held.Reached;
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => silent)!.Message, Does.Contain("gave no decision within 2 s"));

        await policy.DecideAsync(Questions.Of(time));

        Assert.That(Discovered, Is.EqualTo(2), "it may have moved");
    }

    [Test]
    public async Task A_named_endpoint_needs_no_document()
    {
        IAccessPolicy policy = AccessPolicies.AuthZen(new Uri("https://pdp.example"), new Uri(Point, "/access/v1/evaluation"));

        Assert.That((await policy.DecideAsync(Questions.Of())).IsPermitted, Is.True);
        Assert.That(Discovered, Is.Zero);
    }

    [Test]
    public async Task A_path_of_the_identifier_stands_behind_the_well_known_part()
    {
        await using var server = new Exchange.ScriptedIssuer(_ => Exchange.ScriptedAnswer.Json("{}"));
        var tenant = new Uri(server.Uri, "/tenants/a/");

        AccessPolicies.AuthZen(tenant).Failure();

        Assert.That(server.Requests.Select(request => request.Path).First(), Is.EqualTo("/.well-known/authzen-configuration/tenants/a"));
    }

    [TestCase("policy_decision_point", "\"https://other.example\"", "names 'https://other.example' as 'policy_decision_point'")]
    [TestCase("policy_decision_point", "7", "'policy_decision_point' that is no string")]
    [TestCase("access_evaluation_endpoint", "\"https://other.example/access\"", "on another host, other.example")]
    [TestCase("access_evaluation_endpoint", "\"http://other.example/access\"", "is not https")]
    [TestCase("access_evaluation_endpoint", "\"/access/v1/evaluation\"", "'access_evaluation_endpoint' that is not")]
    [TestCase("access_evaluation_endpoint", "\"\"", "'access_evaluation_endpoint' that is missing")]
    [TestCase("access_evaluation_endpoint", "null", "'access_evaluation_endpoint' that is missing")]
    public void A_document_that_can_not_be_believed_sends_no_claims_anywhere(string field, string json, string said)
    {
        _emulator.Faults.Always(EmulatorEndpoint.AuthZenMetadata, Fault.Field(field, json));

        TokenExchangeException failure = AccessPolicies.AuthZen(Point).Failure();

        Assert.That((failure.Code, _emulator.DecisionPoint.Questions.Count), Is.EqualTo(("NHI3002", 0)));
        Assert.That(failure.Message, Does.Contain(said));
    }

    [Test]
    public void A_slash_more_makes_another_decision_point() =>
        Assert.That(AccessPolicies.AuthZen(new Uri(Point.OriginalString + "/")).Failure().Message, Does.Contain("Configure it exactly as it names itself"));

    [Test]
    public void A_redirected_document_is_none()
    {
        _emulator.Faults.Always(EmulatorEndpoint.AuthZenMetadata, Fault.Redirect(new Uri("https://other.example/")));

        Assert.That(AccessPolicies.AuthZen(Point).Failure().Message, Does.Contain("a redirect to host other.example"));
    }
}
