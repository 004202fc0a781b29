using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;

namespace Nhi.TokenExchange;

/// <summary>What a decision costs, by the number of rules: once per exchange, never on a hit. Spread over targets, as in a document that many jobs share; and all of one target, the worst case.</summary>
public class PolicyDecisions
{
    private const int RulesPerTarget = 10;

    private byte[] _text = [];
    private PolicyDocument _spread = null!;
    private PolicyDocument _oneTarget = null!;
    private AccessRequest _permitted = null!;
    private AccessRequest _denied = null!;

    [Params(10, 100, 1000)]
    public int Rules { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        _text = Document(i => Number(i / RulesPerTarget));
        _spread = PolicyDocument.Parse(_text);
        _oneTarget = PolicyDocument.Parse(Document(_ => Number(0)));
        _permitted = Request("orders");
        _denied = Request("payments");
    }

    /// <summary>Ten of the rules are of the target.</summary>
    [Benchmark(Baseline = true, Description = "permit, the rules spread over targets, ten of each")]
    public AccessDecision PermitAmongManyTargets() => _spread.Decide(_permitted);

    [Benchmark(Description = "permit, all rules of one target")]
    public AccessDecision PermitOfOneTarget() => _oneTarget.Decide(_permitted);

    /// <summary>With its reason, for which the nearest rules are looked for.</summary>
    [Benchmark(Description = "denial with its reason, all rules of one target")]
    public AccessDecision DenyWithReason() => _oneTarget.Decide(_denied);

    /// <summary>The same in a document that many jobs share.</summary>
    [Benchmark(Description = "denial with its reason, the rules spread over targets")]
    public AccessDecision DenyAmongManyTargets() => _spread.Decide(_denied);

    [Benchmark(Description = "compiling the document, once when it is read")]
    public PolicyDocument Compile() => PolicyDocument.Parse(_text);

    private static AccessRequest Request(string dataset) => new()
    {
        Target = "warehouse-0", TargetIssuer = "https://workspace.example/", SubjectIssuer = "https://token.actions.githubusercontent.com", Subject = "repo:acme/repo-0:ref:refs/heads/main",
        Claims = new Dictionary<string, string> { ["repository_id"] = "0" }, Job = new JobContext { Pipeline = "orders-nightly", Dataset = dataset }, Scopes = ScopeSet.Of("sql"),
        MaxLifetime = TimeSpan.FromHours(1), At = new DateTimeOffset(2026, 3, 4, 10, 0, 0, TimeSpan.Zero),
    };

    // Nine permits and a forbid for each ten; the forbid has a glob.
    private byte[] Document(Func<int, string> targetOf)
    {
        IEnumerable<string> rules = Enumerable.Range(0, Rules).Select(i => i % 10 == 9 ? Forbid(Number(i), targetOf(i)) : Permit(Number(i), targetOf(i)));
        return Encoding.UTF8.GetBytes($$"""{ "version": 1, "revision": 1, "rules": [ {{string.Join(",\n", rules)}} ] }""");
    }

    private static string Forbid(string number, string target) =>
        $$"""{ "name": "f{{number}}", "effect": "forbid", "when": { "target": "warehouse-{{target}}", "subject": { "glob": "repo:acme/*:pull_request" }, "claims": { "repository_id": "{{number}}" } } }""";

    private static string Permit(string number, string target) => $$"""
        { "name": "p{{number}}", "effect": "permit",
          "when": { "target": "warehouse-{{target}}", "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:acme/repo-{{number}}:ref:refs/heads/main", "job": { "dataset": { "anyOf": [ "orders", "returns" ] } } },
          "limits": { "longestHandOut": "00:15:00" } }
        """;

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
