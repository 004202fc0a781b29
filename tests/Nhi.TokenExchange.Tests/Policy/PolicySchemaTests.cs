using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Json.Schema;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>The published schema and the compiler say the same of a document's shape; what a schema can't say, the compiler alone does.</summary>
public partial class PolicySchemaTests
{
    private static readonly JsonSchema Schema = JsonSchema.FromText(File.ReadAllText(Path.Combine(Repository.Root, "src/Nhi.TokenExchange/PolicySchema.json")));

    private const string Whole = """
        { "$schema": "./PolicySchema.json", "version": 1, "revision": 7, "mode": "enforce", "maxDatasetsPerIdentity": 2, "rules": [
          { "name": "orders-load", "effect": "permit", "reason": "Nightly.",
            "when": { "target": { "anyOf": [ "warehouse", "lake" ] }, "targetIssuer": "https://workspace.example", "issuer": "https://token.actions.githubusercontent.com", "subject": { "glob": "repo:acme/*:ref:refs/heads/main" },
                      "actorIssuer": "https://a.example", "actorSubject": { "present": true }, "tenant": "t", "claims": { "repository_id": "4711" },
                      "job": { "pipeline": "p", "run": { "glob": "r/**" }, "task": "t", "dataset": "orders", "purpose": "load", "environment": "production" }, "scopes": { "within": [ "sql" ] },
                      "exposure": { "reusableAfterJob": false, "visibleToOperators": false, "tiedToHuman": false },
                      "time": { "days": [ "mon" ], "from": "06:00", "to": "24:00", "zone": "Europe/Berlin", "notBefore": "2026-01-01T00:00:00Z", "notAfter": "2026-12-31T00:00:00+01:00" } },
            "limits": { "longestHandOut": "12:00:00", "refuseLongerLife": true, "scopes": [ "sql" ], "resources": [ "https://warehouse.example" ], "authorizationDetails": [ { "type": "sql", "actions": [ "read" ] } ], "attestedOnly": [ "pipeline", "run" ], "senderConstrained": false, "notPlatformIssued": true } },
          { "name": "elsewhere", "effect": "forbid", "when": { "tenant": { "noneOf": [ "t" ] }, "claims": { "x": { "present": false } }, "scopes": { "beyond": [ "sql" ] }, "exposure": { "tiedToHuman": true } } },
          { "name": "sandbox", "effect": "permit", "any": true, "reason": "All." },
          { "name": "key", "effect": "permit", "when": { "target": "billing", "static": true } } ] }
        """;

    // The place, and what is written there; null takes it out.
    private static IEnumerable<TestCaseData> Wrong()
    {
        (string Place, string? Value)[] wrong =
        [
            ("version", null), ("version", "2"), ("version", "\"1\""), ("revision", null), ("revision", "0"), ("revision", "\"7\""), ("mode", "\"watch\""), ("maxDatasetsPerIdentity", "0"), ("rules", null), ("rules", "{}"), ("more", "1"),
            ("rules/0/name", null), ("rules/0/name", "\"Orders\""), ("rules/0/name", "\"default-deny\""), ("rules/0/effect", null), ("rules/0/effect", "\"Permit\""), ("rules/0/reason", "\"\""), ("rules/0/when", null), ("rules/0/when", "{}"), ("rules/0/unless", "{}"),
            ("rules/0/any", "true"), ("rules/0/when/target", "\"\""), ("rules/0/when/target", "\"a*\""), ("rules/0/when/target", "7"), ("rules/0/when/target", "{}"), ("rules/0/when/target/anyOf", "[]"), ("rules/0/when/target/anyOf", "[ \"a\", \"a\" ]"),
            ("rules/0/when/target/noneOf", "[ \"a\" ]"), ("rules/0/when/target/glob", "\"a/*\""), ("rules/0/when/subject/glob", "\"*\""), ("rules/0/when/subject/glob", "\"a/b*\""), ("rules/0/when/subject/glob", "\"a/**/b\""), ("rules/0/when/subject/glob", "\"a/b\""),
            ("rules/0/when/subject/glob", "\"a/***\""), ("rules/0/when/actorSubject/present", "false"), ("rules/0/when/claims", "{}"), ("rules/0/when/job", "{}"), ("rules/0/when/job/data", "\"x\""), ("rules/0/when/scopes/within", "[]"), ("rules/0/when/scopes/within", "[ \"a b\" ]"),
            ("rules/0/when/static", "false"), ("rules/0/when/static", "\"true\""), ("rules/0/when/scopes", """{ "anyOf": [ "sql" ] }"""), ("rules/0/when/exposure", "{}"), ("rules/0/when/exposure", "false"), ("rules/0/when/exposure/tiedToHuman", "\"no\""), ("rules/0/when/exposure/tiedToPeople", "false"), ("rules/0/when/time", "{}"), ("rules/0/when/time/days", "[ \"monday\" ]"), ("rules/0/when/time/from", null), ("rules/0/when/time/from", "\"6:00\""), ("rules/0/when/time/from", "\"24:00\""),
            ("rules/0/when/time/notAfter", "\"2026-12-31\""), ("rules/0/when/time/zone", "\"CEST\""), ("rules/0/limits", "{}"), ("rules/0/limits/longestHandOut", "\"12:00:01\""), ("rules/0/limits/longestHandOut", "\"00:00:00\""), ("rules/0/limits/refuseLongerLife", "\"true\""),
            ("rules/0/limits/attestedOnly", "[ \"dataset\" ]"), ("rules/0/limits/scopes", "[]"), ("rules/0/limits/resources", "[]"), ("rules/0/limits/resources", "[ \"a\", \"a\" ]"), ("rules/0/limits/resources", "[ \"a/*\" ]"), ("rules/0/limits/authorizationDetails", "[]"), ("rules/0/limits/authorizationDetails", "[ { } ]"), ("rules/0/limits/authorizationDetails", "{ \"type\": \"sql\" }"), ("rules/0/limits/forever", "true"), ("rules/1/limits", """{ "refuseLongerLife": true }"""), ("rules/1/when/tenant/noneOf", "[]"), ("rules/1/when/scopes/anyOf", "[ \"a\" ]"), ("rules/2/reason", null), ("rules/2/any", "false"),
        ];
        return wrong.Select(one => new TestCaseData(one.Place, one.Value));
    }

    [Test]
    public void A_whole_document_is_taken_by_both()
    {
        Assert.That(IsTaken(Whole), Is.EqualTo((true, true)));
    }

    [TestCaseSource(nameof(Wrong))]
    public void What_is_not_of_the_shape_is_refused_by_both(string place, string? value)
    {
        JsonNode document = JsonNode.Parse(Whole)!;
        string[] path = place.Split('/');
        JsonObject parent = path[..^1].Aggregate(document, (at, step) => int.TryParse(step, out int index) ? at[index]! : at[step]!).AsObject();
        parent.Remove(path[^1]);
        if (value is not null)
            parent[path[^1]] = JsonNode.Parse(value);

        Assert.That(IsTaken(document.ToJsonString()), Is.EqualTo((false, false)), document.ToJsonString());
    }

    [Test]
    public void The_package_has_it() =>
        Assert.That(File.ReadAllText(Path.Combine(Repository.Root, "src/Nhi.TokenExchange/Nhi.TokenExchange.csproj")), Does.Contain("<None Update=\"PolicySchema.json\" Pack=\"true\" PackagePath=\"\\\" />"));

    [Test]
    public void Random_documents_are_taken_by_both()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            string document = Policies.Text(1, [.. new RandomPolicies(seed).Rules(4)]);
            (bool compiled, bool valid) = IsTaken(document);
            Assert.That(valid, Is.True, document);
            Assert.That(compiled || Policies.ErrorsOf(document).All(error => error.Contains("permits nothing", StringComparison.Ordinal) || error.Contains("leaves none of the scopes", StringComparison.Ordinal)), Is.True, document);
        }
    }

    [Test]
    public void Examples_on_the_pages_are_taken_by_both_and_their_cases_are_met()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs/policy.md"));
        string[] blocks = [.. JsonBlocks().Matches(page).Select(block => block.Groups["json"].Value)];
        string[] documents = [.. blocks.Where(block => block.Contains("\"version\"", StringComparison.Ordinal))], cases = [.. blocks.Where(block => block.Contains("\"cases\"", StringComparison.Ordinal))];

        Assert.That(documents, Is.Not.Empty);
        Assert.That(cases, Has.Length.EqualTo(1));
        Assert.That(documents.Select(IsTaken), Is.All.EqualTo((true, true)));
        Assert.That(PolicyTests.Run(PolicyDocument.Parse(documents[0]), cases[0]).Where(result => !result.IsMet), Is.Empty);
        Assert.That(PolicyLint.Check(PolicyDocument.Parse(documents[0]), Policies.Now), Is.Empty);
        foreach (string rule in blocks.Where(block => block.TrimStart().StartsWith("{ \"name\"", StringComparison.Ordinal) && !block.Contains("\"cases\"", StringComparison.Ordinal)))
            Assert.That(IsTaken(Policies.Text(1, rule)), Is.EqualTo((true, true)), rule);
    }

    [Test]
    public void The_example_on_the_page_of_the_three_questions_is_taken_by_both() =>
        Assert.That(IsTaken(JsonBlocks().Match(File.ReadAllText(Path.Combine(Repository.Root, "docs/three-questions.md"))).Groups["json"].Value), Is.EqualTo((true, true)));

    private static (bool IsCompiled, bool IsValid) IsTaken(string json)
    {
        bool isCompiled = PolicyDocument.TryParse(System.Text.Encoding.UTF8.GetBytes(json), new PolicyErrors("test.json")) is not null;
        using JsonDocument document = JsonDocument.Parse(json);
        return (isCompiled, Schema.Evaluate(document.RootElement).IsValid);
    }

    [GeneratedRegex("```json\\n(?<json>.*?)\\n```", RegexOptions.Singleline)]
    private static partial Regex JsonBlocks();
}
