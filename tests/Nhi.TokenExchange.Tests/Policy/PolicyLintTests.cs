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
    [TestCase("over", $$"""{ {{Issuer}}, "subject": "a", "time": { "notAfter": "2026-03-04T10:00:00Z" } }""", "is over since 2026-03-04T10:00:00Z")]
    [TestCase("no-subject", $$"""{ "target": "warehouse", {{Issuer}} }""", "takes proofs of everybody who says so, and names nobody")]
    [TestCase("no-subject", $$"""{ "target": "warehouse", {{Issuer}}, "subject": { "present": true } }""", "names nobody")]
    [TestCase("no-subject", $$"""{ "target": "warehouse", {{Issuer}}, "claims": { "aud": "x", "environment": "production", "repository_id": { "present": true } } }""", "names nobody")]
    [TestCase("only-asserted", """{ "target": "warehouse", "job": { "dataset": "orders" } }""", "rests on what the job says of itself")]
    [TestCase("only-asserted", """{ "target": "warehouse" }""", "whatever proof it has is let in")]
    public void A_permit_that_is_broader_than_it_looks_is_found(string checks, string when, string what)
    {
        IReadOnlyList<PolicyFinding> found = PolicyLint.Check(Of(Permit("broad", when)), Now);

        Assert.That(found.Select(one => one.Check), Is.EquivalentTo(checks.Split(' ')));
        Assert.That(string.Join('\n', found), Does.Contain(what));
        Assert.That(found.Select(one => one.Rule), Is.All.EqualTo("broad"));
        Assert.That(found.Select(one => one.Remedy), Is.All.EndsWith("."));
    }

    [TestCase($$"""{ {{Issuer}}, "claims": { "aud": "x", "repository_id": "4711" } }""", null)]
    [TestCase($$"""{ {{Issuer}}, "claims": { "aud": "x", "sub": "a" } }""", null)]
    [TestCase("""{ "target": "warehouse", "job": { "pipeline": "orders-nightly" } }""", """{ "attestedOnly": [ "pipeline" ] }""")]
    public void A_permit_that_names_somebody_by_what_the_proof_says_is_left_alone(string when, string? limits) =>
        Assert.That(PolicyLint.Check(Of(Permit("well", when, limits)), Now), Is.Empty);

    [Test]
    public void A_permit_for_what_no_exchanger_gives_is_found() =>
        Assert.That(PolicyLint.Check(Of(Permit("bound", $$"""{ {{Issuer}}, "subject": "a" }""", """{ "senderConstrained": true }""")), Now).Select(one => one.Check), Is.EqualTo(["sender-constrained"]));

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

        Assert.That(PolicyLint.Check(policy, Now).Select(one => $"{one.Line} {one.Rule} {one.Check}"), Is.EqualTo(["1  observes", "2 all everybody", "3 none covered", "3 none only-asserted"]));
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

    [TestCase(""" "issuer": "A", "subject": { "glob": "repo:acme/*:ref:refs/heads/main" } """, """ "issuer": "A", "subject": "repo:acme/orders:ref:refs/heads/main" """, "subject 'repo:acme/orders:ref:refs/heads/main' of 'A'")]
    [TestCase(""" "issuer": "A" """, """ "issuer": "A", "subject": "s" """, "subject 's' of 'A'")]
    [TestCase(""" "issuer": "A", "subject": "s" """, """ "issuer": { "anyOf": [ "A", "B" ] }, "subject": "s" """, "subject 's' of 'A'")]
    [TestCase(""" "issuer": "A", "subject": "s" """, """ "claims": { "iss": "A", "sub": "s" } """, "subject 's' of 'A'")]
    [TestCase(""" "subject": { "glob": "team:a/*" } """, """ "subject": { "glob": "team:*/x" } """, "subject 'team:a/x'")]
    [TestCase(""" "issuer": "A", "claims": { "repository_id": "1" } """, """ "issuer": "A", "claims": { "repository_id": { "anyOf": [ "1", "2" ] } } """, "every subject of 'A', claims.repository_id '1'")]
    [TestCase(""" "issuer": "A", "claims": { "repository_id": "1" } """, """ "issuer": "A", "claims": { "repository_id": "2" } """, null)]
    [TestCase(""" "issuer": "A", "subject": "s" """, """ "issuer": "B", "subject": "s" """, null)]
    public void An_identity_that_two_permits_take_by_different_words_is_one(string one, string other, string? identity)
    {
        string text = Text(1, Permit("a", $$"""{ {{one}}, "job": { "dataset": "orders" } }"""), Permit("b", $$"""{ {{other}}, "job": { "dataset": "payments" } }""")).Replace("\"revision\"", "\"maxDatasetsPerIdentity\": 1, \"revision\"", StringComparison.Ordinal);

        PolicyFinding[] found = [.. PolicyLint.Check(PolicyDocument.Parse(text), Now).Where(one => one.Check == "many-datasets")];

        Assert.That(found.Select(one => one.What), identity is null ? Is.Empty : Is.EqualTo([$"makes 2 data sets for {identity} ('orders' or 'payments'), which are 1 at most"]));
    }

    [Test]
    public void Who_has_the_most_data_sets_is_found_as_by_counting_for_everybody()
    {
        string[] issuers = ["A", "B"], segments = ["a", "b", "z"], datasets = ["orders", "returns", "payments", "stock"], repositories = ["1", "2"];
        string[] subjects = [.. from first in segments from second in segments from third in segments select $"{first}:{second}/{third}"];
        int many = 0, few = 0;
        for (int seed = 0; seed < 600; seed++)
        {
            var random = new Random(seed);
            string One(string[] values) => $"\"{values[random.Next(values.Length)]}\"";
            string Segment() => random.Next(2) == 0 ? "*" : segments[random.Next(2)];
            string[] rules = [.. Enumerable.Range(0, 5).Select(i =>
            {
                var when = new List<string> { $$""" "job": { "dataset": {{One(datasets)}} } """ };
                if (random.Next(2) == 0)
                    when.Add($"\"issuer\": {One(issuers)}");
                string glob = random.Next(4) == 0 ? $"{Segment()}:**" : $"{Segment()}:{Segment()}/{Segment()}";
                if (random.Next(4) > 0)
                    when.Add(glob.Contains('*', StringComparison.Ordinal) && glob != "*:*/*" && glob != "*:**" ? $$""" "subject": { "glob": "{{glob}}" } """ : $"\"subject\": {One(subjects)}");
                if (random.Next(3) == 0)
                    when.Add($$""" "claims": { "repository_id": {{One(repositories)}} } """);
                return Permit(System.Globalization.CultureInfo.InvariantCulture.TextInfo.ToLower($"r{(char)('a' + i)}"), $"{{ {string.Join(", ", when)} }}");
            })];
            int most = random.Next(1, 4);
            PolicyDocument policy = PolicyDocument.Parse(Text(1, rules).Replace("\"revision\"", $"\"maxDatasetsPerIdentity\": {most}, \"revision\"", StringComparison.Ordinal));

            int counted = (from issuer in issuers from subject in subjects from repository in repositories select datasets.Count(dataset => policy.Decide(Request(
                subject: subject, issuer: issuer, job: new JobContext { Dataset = dataset }, claims: new Dictionary<string, string> { ["iss"] = issuer, ["sub"] = subject, ["repository_id"] = repository })).IsPermitted)).Max();

            Assert.That(PolicyLint.Check(policy, Now).Any(one => one.Check == "many-datasets"), Is.EqualTo(counted > most), string.Join('\n', rules));
            _ = counted > most ? many++ : few++;
        }
        Assert.That(Math.Min(many, few), Is.GreaterThan(100), "few would prove little");
    }
}
