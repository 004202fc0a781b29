using System.Globalization;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>Random rules and requests over few values, so that many match. Of a seed.</summary>
internal sealed class RandomPolicies(int seed)
{
    private static readonly string[] Targets = ["warehouse", "lake"];
    private static readonly string[] Subjects = ["team:a/x", "team:a/y", "team:b/x", "other:b/x"];
    private static readonly string[] Datasets = ["orders", "returns", "payments"];
    private static readonly string[] Scopes = ["sql", "files", "jobs"];
    private static readonly string[] Resources = ["https://warehouse.example/orders", "lake"];
    private static readonly string[] Actions = ["read", "write"];
    private static readonly string[] Repositories = ["1", "2"];
    private static readonly string[] Questions = ["reusableAfterJob", "visibleToOperators", "tiedToHuman"];

    private readonly Random _random = new(seed);

    public IEnumerable<string> Rules(int count) =>
        Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"r{i}")).Select(name => _random.Next(4) == 0 ? Forbid(name) : Permit(name)).ToArray();

    public string Permit(string name) => _random.Next(8) == 0
        ? Policies.Permit(name, $$"""{ "target": "{{One(Targets)}}", "static": true }""")
        : Policies.Permit(name, When(isPermit: true), _random.Next(10) switch
        {
            0 => $$"""{ "longestHandOut": "00:{{_random.Next(10, 60)}}:00" }""",
            1 => $$"""{ "scopes": [ {{Some(Scopes)}} ] }""",
            2 => """{ "refuseLongerLife": true }""",
            3 => $$"""{ "resources": [ {{Some(Resources)}} ] }""",
            4 => $$"""{ "authorizationDetails": [ { "type": "sql", "actions": [ {{Some(Actions)}} ] } ] }""",
            5 => """{ "attestedOnly": [ "pipeline" ] }""",
            6 => """{ "senderConstrained": true }""",
            7 => """{ "notPlatformIssued": true }""",
            _ => null,
        });

    public string Forbid(string name) => _random.Next(8) == 0 ? Policies.Forbid(name, """{ "static": true }""") : Policies.Forbid(name, When(isPermit: false));

    public AccessRequest Request()
    {
        bool isStatic = _random.Next(6) == 0;
        string subject = One(Subjects);
        return new AccessRequest
        {
            Target = One(Targets), TargetIssuer = "https://workspace.example/", SubjectIssuer = Policies.GitHub, Subject = subject,
            Scopes = ScopeSet.Parse(isStatic || _random.Next(5) == 0 ? null : string.Join(' ', Scopes.Where(_ => _random.Next(2) == 0))),
            Resources = isStatic ? [] : [.. Resources.Where(_ => _random.Next(4) > 0)],
            AuthorizationDetails = isStatic || _random.Next(4) == 0 ? null : """[{"type":"sql","actions":["read","write"]}]""",
            Job = new JobContext { Pipeline = "nightly", Dataset = _random.Next(5) == 0 ? null : One(Datasets) },
            AttestedFacts = _random.Next(2) == 0 ? JobFacts.Pipeline : JobFacts.None,
            Claims = _random.Next(4) == 0 ? new Dictionary<string, string>() : new Dictionary<string, string> { ["repository_id"] = One(Repositories) },
            Exposure = new CredentialExposure(Answer(isStatic), Answer(isStatic), Answer(isStatic)),
            StaticKey = isStatic ? new StaticKeyUse { Owner = "Billing team", Until = Policies.Now.AddDays(90), Secret = "secret/data/legacy#value" } : null,
            IsPlatformIssued = !isStatic && _random.Next(8) == 0,
            MaxLifetime = TimeSpan.FromHours(1),
            At = Policies.Now.AddHours(_random.Next(48)),
        };
    }

    private ExposureAnswer Answer(bool isYes) => isYes || _random.Next(2) == 0 ? ExposureAnswer.Yes("so it is drawn") : ExposureAnswer.No("so it is drawn");

    private string When(bool isPermit)
    {
        var conditions = new List<string>();
        if (_random.Next(3) > 0)
            conditions.Add($"\"target\": {Matcher(Targets, isPermit)}");
        if (_random.Next(2) == 0)
            conditions.Add($"\"subject\": {(_random.Next(2) == 0 ? Matcher(Subjects, isPermit) : One(["""{ "glob": "team:*/x" }""", """{ "glob": "team:**" }""", """{ "glob": "*:b/x" }"""]))}");
        if (_random.Next(2) == 0)
            conditions.Add($$"""
                "job": { "dataset": {{Matcher(Datasets, isPermit)}} }
                """);
        if (_random.Next(4) == 0)
            conditions.Add($$"""
                "claims": { "repository_id": {{Matcher(Repositories, isPermit)}} }
                """);
        if (_random.Next(4) == 0)
            conditions.Add($$"""
                "exposure": { "{{One(Questions)}}": {{(_random.Next(2) == 0 ? "true" : "false")}} }
                """);
        if (_random.Next(3) == 0)
            conditions.Add($$"""
                "scopes": { "{{One(isPermit ? ["within"] : ["within", "anyOf", "beyond"])}}": [ {{Some(Scopes)}} ] }
                """);
        if (_random.Next(4) == 0)
            conditions.Add($$"""
                "time": { "from": "{{_random.Next(10, 16)}}:00", "to": "{{_random.Next(16, 24)}}:00" }
                """);
        return $"{{ {(conditions.Count == 0 ? $"\"target\": \"{One(Targets)}\"" : string.Join(", ", conditions))} }}";
    }

    private string Matcher(string[] values, bool isPermit) => _random.Next(isPermit ? 3 : 5) switch
    {
        0 => $"\"{One(values)}\"",
        1 => $$"""{ "anyOf": [ {{Some(values)}} ] }""",
        2 => """{ "present": true }""",
        3 => $$"""{ "noneOf": [ {{Some(values)}} ] }""",
        _ => """{ "present": false }""",
    };

    private string Some(string[] values)
    {
        string[] some = [.. values.Where(_ => _random.Next(2) == 0)];
        return string.Join(", ", (some.Length == 0 ? [One(values)] : some).Select(value => $"\"{value}\""));
    }

    private string One(string[] values) => values[_random.Next(values.Length)];
}
