namespace Nhi.TokenExchange.Tests.Policy.Remote;

/// <summary>What a decision point may answer, word for word. Only a clear yes permits; only a clear no denies; all else is no decision.</summary>
internal sealed class DecisionAnswerTests
{
    private IdentityEmulator _emulator = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");

    [OneTimeTearDown]
    public async Task StopAsync() => await _emulator.DisposeAsync();

    [TestCase("""{"decision":true}""")]
    [TestCase("""{"decision":true,"other":{"decision":false},"context":null}""")]
    [TestCase("""{"context":{"id":"4","anything":[1,{}],"reason_admin":{"en":"fine"},"obligations":[]},"decision":true}""")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"scopes":["read"],"max_lifetime_seconds":600,"holds_for_seconds":60,"rule":"a"}}}""")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"scopes":null,"max_lifetime_seconds":null,"holds_for_seconds":null,"rule":null}}}""")]
    public async Task AuthZEN_permits(string body) => Assert.That((await AuthZenAsync(body)).IsPermitted, Is.True);

    [TestCase("""{"decision":false}""", "the decision point gave no reason")]
    [TestCase("""{"decision":false,"context":{"reason":"policy_denied"}}""", "policy_denied")]
    [TestCase("""{"decision":false,"context":{"reason_user":{"en":"ask ann"},"reason_admin":{"de":"Nacht","en-403":"night"}}}""", "night")]
    [TestCase("""{"decision":false,"context":{"reason_user":{"403":"forbidden"}}}""", "forbidden")]
    [TestCase("""{"decision":false,"context":{"reason_admin":[{}]}}""", "the decision point gave no reason")]
    [TestCase("""{"decision":false,"context":{"nhi_token_exchange":{"holds_for_seconds":-1}}}""", "the decision point gave no reason")]
    [TestCase("""{"decision":false,"context":"x"}""", "the decision point gave no reason")]
    public async Task AuthZEN_denies_and_a_clear_no_stands_whatever_else_is_wrong(string body, string reason)
    {
        AccessDecision decision = await AuthZenAsync(body);
        Assert.That((decision.IsPermitted, decision.Reason), Is.EqualTo((false, reason)));
        Assert.That(decision.HoldsUntil, Is.Not.Null, "nobody pushes a change from there: a deny is asked again");
    }

    [TestCase("""{"decision":"true"}""", "no 'decision' that is true or false")]
    [TestCase("""{"decision":1}""", "no 'decision'")]
    [TestCase("""{"decision":null}""", "no 'decision'")]
    [TestCase("""{"decision":[true]}""", "no 'decision'")]
    [TestCase("""{"Decision":true}""", "no 'decision'")]
    [TestCase("{}", "no 'decision'")]
    [TestCase("", "is not well-formed JSON")]
    [TestCase("true", "is not a JSON object")]
    [TestCase("[]", "is not a JSON object")]
    [TestCase("""{"decision":true,"decision":true}""", "has 'decision' twice")]
    [TestCase("""{"decision":false,"decision":true}""", "has 'decision' twice")]
    [TestCase("""{"decision":true}{}""", "well-formed")]
    [TestCase("""{"decision":true""", "well-formed")]
    [TestCase("""{"decision":true,"context":[]}""", "has a 'context' that is not a JSON object")]
    [TestCase("""{"decision":true,"context":"ok"}""", "has a 'context' that")]
    [TestCase("""{"decision":true,"context":{"reason":"a","reason":"b"}}""", "has a 'context' that has 'reason' twice")]
    [TestCase("""{"decision":true,"context":{"obligations":[{"id":"log"}]}}""", "with 'obligations'")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":[]}}""", "is not a JSON object")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"max_lifetime_second":600}}}""", "has 'max_lifetime_second', which is no limit that is known")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"max_lifetime_seconds":0}}}""", "'max_lifetime_seconds' that is no whole number")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"max_lifetime_seconds":-60}}}""", "'max_lifetime_seconds' that is no whole number")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"max_lifetime_seconds":60.5}}}""", "'max_lifetime_seconds' that is no whole number")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"max_lifetime_seconds":1e400}}}""", "'max_lifetime_seconds' that is no whole number")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"max_lifetime_seconds":"600"}}}""", "'max_lifetime_seconds' that is no whole number")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"holds_for_seconds":99999999999999999999}}}""", "'holds_for_seconds' that is no whole number")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"holds_for_seconds":31536001}}}""", "'holds_for_seconds' that is no whole number")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"scopes":"read"}}}""", "'scopes' that is no list of scopes")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"scopes":[]}}}""", "'scopes' that is no list of scopes")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"scopes":["a b"]}}}""", "'scopes' that is no list of scopes")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"scopes":[1]}}}""", "'scopes' that is no list of scopes")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"resources":"orders"}}}""", "'resources' that is no list of names")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"resources":[]}}}""", "'resources' that is no list of names")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"authorization_details":{"type":"sql"}}}}""", "'authorization_details' that is one JSON object, not an array of them")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"authorization_details":[]}}}""", "'authorization_details' that is not a JSON array of objects")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"rule":7}}}""", "'rule' that is no string")]
    [TestCase("""{"decision":true,"context":{"nhi_token_exchange":{"scopes":["read"],"scopes":["write"]}}}""", "has 'scopes' twice")]
    public void AuthZEN_has_not_decided(string body, string what) => AssertUndecided(AuthZenFailure(body), what);

    [TestCase("""{"result":true}""")]
    [TestCase("""{"result":true,"decision_id":"70b1","metrics":{},"warning":{"code":"x"}}""")]
    [TestCase("""{"result":{"allow":true}}""")]
    [TestCase("""{"result":{"allow":true,"reasons":[],"scopes":["read"],"max_lifetime_seconds":600,"holds_for_seconds":60,"rule":"a"}}""")]
    public async Task OPA_permits(string body) => Assert.That((await OpaAsync(body)).IsPermitted, Is.True);

    [TestCase("{}", "'tokens/decision' is undefined for this input: no rule permits it, or there is no such rule")]
    [TestCase("""{"result":{"allow":false,"rule":7}}""", "the decision point gave no reason")]
    [TestCase("""{"result":false,"decision_id":7}""", "the decision point gave no reason")]
    [TestCase("""{"decision_id":"70b1"}""", "'tokens/decision' is undefined for this input: no rule permits it, or there is no such rule")]
    [TestCase("""{"result":false}""", "the decision point gave no reason")]
    [TestCase("""{"result":{"allow":false,"reasons":["night","not attested"]}}""", "night; not attested")]
    [TestCase("""{"result":{"allow":false,"reasons":"night","scopes":7,"other":1}}""", "night")]
    public async Task OPA_denies_and_undefined_is_a_deny(string body, string reason)
    {
        AccessDecision decision = await OpaAsync(body);
        Assert.That((decision.IsPermitted, decision.Reason), Is.EqualTo((false, reason)));
    }

    [TestCase("""{"result":"true"}""", "neither true nor false nor an object")]
    [TestCase("""{"result":1}""", "neither true nor false nor an object")]
    [TestCase("""{"result":null}""", "neither true nor false nor an object")]
    [TestCase("""{"result":[true]}""", "neither true nor false nor an object")]
    [TestCase("""{"result":{}}""", "has no 'allow' that is true or false")]
    [TestCase("""{"result":{"allow":"true"}}""", "has no 'allow' that is true or false")]
    [TestCase("""{"result":{"allow":true,"is_admin":false}}""", "has 'is_admin', which is nothing that is known (name a rule, not a package)")]
    [TestCase("""{"result":{"allow":true,"max_lifetime_seconds":-1}}""", "'max_lifetime_seconds' that is no whole number")]
    [TestCase("""{"result":{"allow":true,"allow":true}}""", "has 'allow' twice")]
    [TestCase("""{"result":true,"result":true}""", "has 'result' twice")]
    [TestCase("""{"result":true,"decision_id":7}""", "has 'decision_id' that is no string")]
    [TestCase("true", "is not a JSON object")]
    public void OPA_has_not_decided(string body, string what)
    {
        _emulator.Faults.Next(EmulatorEndpoint.OpaData, Fault.Body(body));
        AssertUndecided(Language.Opa.Policy(_emulator.DecisionPoint).Failure(), what);
    }

    [Test]
    public async Task Limits_are_read_and_the_decision_id_is_the_correlation_id()
    {
        AccessDecision decision = await OpaAsync("""{"decision_id":"4f4e4a6e-5d5e-4b1c-9d1e-4a5d6a7b8c9d","result":{"allow":true,"scopes":["write","read"],"max_lifetime_seconds":600,"rule":"orders \u001b[2J"}}""");

        Assert.That((decision.Scopes.ToString(), decision.MaxLifetime, decision.HoldsUntil), Is.EqualTo(("read write", TimeSpan.FromMinutes(10), (DateTimeOffset?)null)));
        Assert.That((decision.CorrelationId, decision.Rule), Is.EqualTo(("4f4e4a6e-5d5e-4b1c-9d1e-4a5d6a7b8c9d", "orders ·[2J")));
    }

    [Test]
    public async Task Resources_and_authorization_details_are_read()
    {
        AccessDecision decision = await OpaAsync("""{"result":{"allow":true,"resources":["https://warehouse.example/orders","lake"],"authorization_details":[ {"type":"sql","actions":["read"]} ]}}""");

        Assert.That(decision.Resources, Is.EqualTo(["https://warehouse.example/orders", "lake"]));
        Assert.That(decision.AuthorizationDetails, Is.EqualTo("""[ {"type":"sql","actions":["read"]} ]"""));
    }

    [Test]
    public async Task What_looks_like_a_token_in_a_reason_is_taken_out_and_a_long_one_is_cut()
    {
        string jwt = TestProofs.Jwt(TimeProvider.System, "x");
        AccessDecision decision = await OpaAsync($$$"""{"result":{"allow":false,"reasons":["token {{{jwt}}} is not welcome","{{{string.Concat(Enumerable.Repeat("and so on ", 500))}}}"]}}""");

        Assert.That(decision.Reason, Does.StartWith("token [redacted] is not welcome").And.Length.LessThan(250));
    }

    private static void AssertUndecided(TokenExchangeException failure, string what)
    {
        Assert.That((failure.Code, failure.Stage), Is.EqualTo(("NHI3002", ExchangeStage.Authorize)));
        Assert.That(failure.Message, Does.Contain(what));
        Assert.That(failure.CorrelationId, Is.Not.Null);
    }

    private Task<AccessDecision> AuthZenAsync(string body)
    {
        _emulator.Faults.Next(EmulatorEndpoint.AuthZenEvaluation, Fault.Body(body));
        return Language.AuthZen.Policy(_emulator.DecisionPoint).DecideAsync(Questions.Of());
    }

    private TokenExchangeException AuthZenFailure(string body)
    {
        _emulator.Faults.Next(EmulatorEndpoint.AuthZenEvaluation, Fault.Body(body));
        return Language.AuthZen.Policy(_emulator.DecisionPoint).Failure();
    }

    private Task<AccessDecision> OpaAsync(string body)
    {
        _emulator.Faults.Next(EmulatorEndpoint.OpaData, Fault.Body(body));
        return Language.Opa.Policy(_emulator.DecisionPoint).DecideAsync(Questions.Of());
    }
}
