using static Nhi.TokenExchange.Tests.Policy.Policies;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>Each check finds what it is for, with rule, line and what to do, and leaves alone what is well.</summary>
public class PolicyLintTests
{
    private const string Issuer = $"\"issuer\": \"{GitHub}\"";

    private static readonly string Well = Permit("well", $$"""{ "target": "warehouse", {{Issuer}}, "subject": "{{MainBranch}}", "job": { "dataset": "orders" }, "claims": { "aud": "https://workspace.example", "repository_id": "4711" } }""");

    [Test]
    public void Nothing_is_found_in_a_document_that_names_what_it_means()
    {
        string forbid = Forbid("elsewhere", """{ "target": "warehouse", "job": { "environment": { "noneOf": [ "production" ] } } }""");

        Assert.That(PolicyLint.Check(Of(Well, forbid), Now), Is.Empty);
    }

    [TestCase("wildcard-subject", $$"""{ {{Issuer}}, "subject": { "glob": "repo:acme/*:ref:refs/heads/main" } }""", "takes every subject of 'repo:acme/*:ref:refs/heads/main'")]
    [TestCase("wildcard-subject pull-request", $$"""{ {{Issuer}}, "subject": { "glob": "repo:acme/orders:**" } }""", "permits runs of pull requests by subject")]
    [TestCase("wildcard-subject pull-request", $$"""{ {{Issuer}}, "subject": { "glob": "repo:acme/orders:*" } }""", "takes every subject")]
    [TestCase("pull-request", $$"""{ {{Issuer}}, "subject": "repo:acme/orders:pull_request" }""", "who may open one runs code of his own with it")]
    [TestCase("pull-request", $$"""{ {{Issuer}}, "subject": "a", "claims": { "aud": "x", "event_name": { "anyOf": [ "push", "pull_request_target" ] } } }""", "by claims.event_name")]
    [TestCase("missing-issuer", """{ "subject": "repo:acme/orders:ref:refs/heads/main" }""", "not who signed it")]
    [TestCase("missing-audience", $$"""{ {{Issuer}}, "claims": { "repository_id": "4711" } }""", "looks at claims and not at aud")]
    [TestCase("name-prefix", $$"""{ {{Issuer}}, "subject": "a", "job": { "dataset": { "glob": "orders/**" } } }""", "takes every job.dataset that begins as segments 'orders/**'")]
    [TestCase("look-alike", $$"""{ {{Issuer}}, "subject": "repo:acme/\u043erders" }""", """letters beyond ASCII in 'repo:acme/\u043erders'""")]
    [TestCase("not-a-pattern", $$"""{ {{Issuer}}, "subject": "^repo:acme/orders$" }""", "looks like a regular expression")]
    [TestCase("over", """{ "target": "warehouse", "time": { "notAfter": "2026-03-04T10:00:00Z" } }""", "is over since 2026-03-04T10:00:00Z")]
    public void A_permit_that_is_broader_than_it_looks_is_found(string checks, string when, string what)
    {
        IReadOnlyList<PolicyFinding> found = PolicyLint.Check(Of(Permit("broad", when)), Now);

        Assert.That(found.Select(one => one.Check), Is.EquivalentTo(checks.Split(' ')));
        Assert.That(string.Join('\n', found), Does.Contain(what));
        Assert.That(found.Select(one => one.Rule), Is.All.EqualTo("broad"));
        Assert.That(found.Select(one => one.Remedy), Is.All.EndsWith("."));
    }

    [TestCase("""{ "target": "warehouse", "claims": { "environment": "staging" } }""", "where claims.environment is absent")]
    [TestCase("""{ "target": "warehouse", "job": { "environment": { "anyOf": [ "staging", "test" ] } } }""", "where job.environment is absent")]
    [TestCase("""{ "target": "warehouse", "scopes": { "anyOf": [ "jobs" ] } }""", "where no scope is asked for")]
    public void A_forbid_that_is_passed_by_who_says_nothing_is_found(string when, string what)
    {
        PolicyFinding found = PolicyLint.Check(Of(Well, Forbid("weak", when)), Now).Single();

        Assert.That((found.Check, found.Rule), Is.EqualTo(("absent-value", "weak")));
        Assert.That(found.What, Does.Contain(what));
    }

    [Test]
    public void A_rule_for_everybody_one_that_changes_nothing_and_a_document_that_observes_are_found()
    {
        PolicyDocument policy = PolicyDocument.Parse("""
            { "version": 1, "revision": 1, "mode": "observe", "rules": [
              { "name": "all", "effect": "permit", "any": true, "reason": "A sandbox." },
              { "name": "none", "effect": "permit", "when": { "target": "warehouse" } } ] }
            """);

        Assert.That(PolicyLint.Check(policy, Now).Select(one => $"{one.Line} {one.Rule} {one.Check}"), Is.EqualTo(["1  observes", "2 all everybody", "3 none covered"]));
    }

    [Test]
    public void One_identity_over_more_data_sets_than_it_may_have_is_found()
    {
        string Rule(string name, string subject, string dataset) => Permit(name, $$"""{ "target": "{{name}}", {{Issuer}}, "subject": "{{subject}}", "job": { "dataset": {{dataset}} } }""");
        string text = Text(1, Rule("a", "one", "\"orders\""), Rule("b", "one", """{ "anyOf": [ "orders", "returns" ] }"""), Rule("c", "other", "\"payments\""), Rule("d", "third", """{ "glob": "team/*" }"""))
            .Replace("\"revision\"", "\"maxDatasetsPerIdentity\": 1, \"revision\"", StringComparison.Ordinal);

        PolicyFinding[] found = [.. PolicyLint.Check(PolicyDocument.Parse(text), Now)];

        Assert.That(found.Select(one => $"{one.Rule} {one.Check}"), Is.EqualTo(["b many-datasets", "d many-datasets"]));
        Assert.That(found[0].ToString(), Does.StartWith($"line 2, rule 'b': makes 2 data sets for subject 'one' of '{GitHub}' ('orders' or 'returns'), which are 1 at most. Give each data product an identity of its own."));
        Assert.That(found[1].What, Is.EqualTo("does not count the data sets of its identities, which are 1 at most"));
        Assert.That(PolicyLint.Check(PolicyDocument.Parse(text.Replace("Identity\": 1", "Identity\": 2", StringComparison.Ordinal)), Now).Select(one => one.Rule), Is.EqualTo(["d"]));
    }
}
