using static Nhi.TokenExchange.Tests.Policy.Policies;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>Tests of a policy: requests and expected decisions, in a file.</summary>
public class PolicyTestsTests
{
    private static readonly PolicyDocument Policy = Of(
        Permit("orders-load", """{ "target": "warehouse", "job": { "dataset": "orders" }, "time": { "from": "06:00", "to": "20:00" } }""", """{ "longestHandOut": "00:15:00", "scopes": [ "sql" ], "refuseLongerLife": true, "attestedOnly": [ "pipeline" ] }"""),
        Forbid("no-pull-requests", """{ "subject": { "glob": "repo:acme/*:pull_request" } }"""));

    private const string Met = """
        { "cases": [
          { "name": "the nightly load",
            "request": { "target": "warehouse", "targetIssuer": "https://workspace.example", "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:acme/orders:ref:refs/heads/main",
                         "claims": { "repository_id": "4711" }, "job": { "pipeline": "orders-nightly", "dataset": "orders" }, "attested": [ "pipeline" ], "scopes": [ "sql", "files" ], "maxLifetime": "00:50:00", "at": "2026-03-04T10:00:00Z" },
            "expect": { "decision": "permit", "rule": "orders-load", "holdsUntil": "2026-03-04T20:00:00Z",
                        "limits": { "longestHandOut": "00:15:00", "scopes": [ "sql" ], "refuseLongerLife": true, "senderConstrained": false } } },
          { "name": "a pull request",
            "request": { "target": "warehouse", "subject": "repo:acme/orders:pull_request" },
            "expect": { "decision": "deny", "rule": "no-pull-requests" } },
          { "name": "another data set",
            "request": { "target": "warehouse", "job": { "dataset": "payments" } },
            "expect": { "decision": "deny", "rule": "default-deny" } }
        ] }
        """;

    [Test]
    public void Cases_that_are_met_say_so()
    {
        IReadOnlyList<PolicyTestResult> results = PolicyTests.Run(Policy, Met);

        Assert.That(results.Select(result => (result.Name, result.IsMet, result.Difference)), Is.EqualTo(new (string, bool, string?)[] { ("the nightly load", true, null), ("a pull request", true, null), ("another data set", true, null) }));
    }

    [TestCase("\"decision\": \"permit\"", "\"decision\": \"deny\"", "decision expected 'deny', was 'permit'")]
    [TestCase("\"rule\": \"orders-load\"", "\"rule\": \"orders\"", "rule expected 'orders', was 'orders-load'")]
    [TestCase("00:15:00", "00:20:00", "longestHandOut expected '00:20:00', was '00:15:00'")]
    [TestCase("\"scopes\": [ \"sql\" ]", "\"scopes\": [ \"sql\", \"files\" ]", "scopes expected 'files sql', was 'sql'")]
    [TestCase("\"refuseLongerLife\": true", "\"refuseLongerLife\": false", "refuseLongerLife expected 'false', was 'true'")]
    [TestCase("\"senderConstrained\": false", "\"senderConstrained\": true", "senderConstrained expected 'true', was 'false'")]
    [TestCase("T20:00:00Z\"", "T21:00:00Z\"", "holdsUntil expected '2026-03-04T21:00:00Z', was '2026-03-04T20:00:00Z'")]
    [TestCase(", \"at\": \"2026-03-04T10:00:00Z\"", "", "the decision depends on the time, and the request has no 'at'")]
    [TestCase("\"attested\": [ \"pipeline\" ]", "\"attested\": [ \"run\" ]", "decision expected 'permit', was 'deny'; rule expected 'orders-load', was 'default-deny'")]
    public void A_case_that_is_not_met_says_what_was_expected_and_what_was_decided(string was, string instead, string difference)
    {
        PolicyTestResult[] results = [.. PolicyTests.Run(Policy, Met.Replace(was, instead, StringComparison.Ordinal))];

        Assert.That(results[0].IsMet, Is.False);
        Assert.That(results[0].Difference, Does.Contain(difference));
        Assert.That(results[0].ToString(), Does.StartWith("the nightly load (line 2): "));
        Assert.That(results.Skip(1).Select(result => result.IsMet), Is.All.True);
    }

    [Test]
    public void A_denial_that_was_not_expected_says_why()
    {
        PolicyTestResult result = PolicyTests.Run(Policy, Met.Replace("\"dataset\": \"payments\"", "\"dataset\": \"payments\" }, \"at\": \"2026-03-04T10:00:00Z\", \"claims\": { \"a\": \"b\"", StringComparison.Ordinal).Replace("\"deny\", \"rule\": \"default-deny\"", "\"permit\"", StringComparison.Ordinal))[2];

        Assert.That(result.Difference, Is.EqualTo("decision expected 'permit', was 'deny'; denied because no rule permits it; nearest is 'orders-load': job.dataset expected 'orders', presented 'payments'; attestedOnly expected pipeline attested by the proof, presented nothing attested"));
    }

    [Test]
    public void What_a_rule_leaves_of_actions_of_AWS_can_be_tested_by_their_names()
    {
        PolicyDocument policy = Of(Permit("reads", """{ "target": "archive" }""", """{ "scopes": [ "s3:Get*", "s3:ListBucket" ] }"""));

        Assert.That(PolicyTests.Run(policy, """
            { "cases": [ { "name": "reads", "request": { "target": "archive", "scopes": [ "s3:Get*", "s3:Put*" ] }, "expect": { "decision": "permit", "limits": { "scopes": [ "s3:Get*" ] } } } ] }
            """).Single().Difference, Is.Null);
    }

    [Test]
    public void A_document_that_observes_is_tested_by_what_it_would_decide()
    {
        PolicyDocument observing = PolicyDocument.Parse(Text(1).Replace("\"revision\"", "\"mode\": \"observe\", \"revision\"", StringComparison.Ordinal));

        Assert.That(PolicyTests.Run(observing, """{ "cases": [ { "name": "x", "request": { "target": "warehouse" }, "expect": { "decision": "deny" } } ] }""").Single().IsMet, Is.True);
    }

    [TestCase("""{ "cases": [] }""", "cases.json(1,12) cases: is empty: nothing is tested")]
    [TestCase("""{ "case": [ ] }""", "case: is no member of this object. Did you mean cases?")]
    [TestCase("""{ "cases": [ { "name": "x", "request": { "target": "a", "subjet": "b" }, "expect": { "decision": "deny" } } ] }""", "request.subjet: is no member of this object. Did you mean subject?")]
    [TestCase("""{ "cases": [ { "name": "x", "request": { "target": "a" }, "expect": { "decision": "denied" } } ] }""", "expect.decision: is none of the two words. Write permit or deny.")]
    [TestCase("""{ "cases": [ { "name": "x", "request": { "target": "a" } } ] }""", "cases[0]: has no 'expect'")]
    [TestCase("""{ "cases": [ { "name": "x", "request": { "target": "a", "job": { "data": "b" } }, "expect": { "decision": "deny" } } ] }""", "request.job.data: is no member of this object")]
    [TestCase("""{ "cases": [ { "name": "x", "request": { "target": "" }, "expect": { "decision": "deny" } } ] }""", "request.target: is empty")]
    [TestCase("""{ "cases": [ { "name": "x", "request": { "target": "a", "at": "10:00" }, "expect": { "decision": "deny" } } ] }""", "request.at: is no instant")]
    public void A_file_of_cases_that_would_test_something_else_is_refused(string cases, string what)
    {
        TokenExchangeException refused = Assert.Throws<TokenExchangeException>(() => PolicyTests.Run(Policy, cases, "cases.json"))!;

        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.InvalidPolicy));
        Assert.That(refused.Message, Does.Contain(what));
    }
}
