using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>Documents and requests for tests.</summary>
internal static class Policies
{
    public const string GitHub = "https://token.actions.githubusercontent.com";
    public const string MainBranch = "repo:acme/orders:ref:refs/heads/main";

    /// <summary>A Wednesday, 10:00 UTC.</summary>
    public static readonly DateTimeOffset Now = new(2026, 3, 4, 10, 0, 0, TimeSpan.Zero);

    /// <summary>A document of these rules, each a JSON object.</summary>
    public static PolicyDocument Of(params string[] rules) => PolicyDocument.Parse(Text(1, rules), "test.json");

    public static string Text(long revision, params string[] rules) => $$"""{ "version": 1, "revision": {{revision}}, "rules": [ {{string.Join(",\n", rules)}} ] }""";

    public static string Permit(string name, string when, string? limits = null) =>
        $$"""{ "name": "{{name}}", "effect": "permit", "when": {{when}}{{(limits is null ? "" : $", \"limits\": {limits}")}} }""";

    public static string Forbid(string name, string when) => $$"""{ "name": "{{name}}", "effect": "forbid", "when": {{when}} }""";

    /// <summary>The nightly load of orders, on the main branch.</summary>
    public static AccessRequest Request(
        string target = "warehouse", string subject = MainBranch, string issuer = GitHub, string? scopes = "sql", JobContext? job = null, JobFacts attested = JobFacts.None,
        IReadOnlyDictionary<string, string>? claims = null, DateTimeOffset? at = null, string? tenant = null, bool isPlatformIssued = false) => new()
        {
            Target = target,
            TargetIssuer = "https://workspace.example/",
            Subject = subject,
            SubjectIssuer = issuer,
            Scopes = ScopeSet.Parse(scopes),
            Job = job ?? new JobContext { Pipeline = "orders-nightly", Dataset = "orders", Purpose = "load" },
            AttestedFacts = attested,
            Claims = claims ?? new Dictionary<string, string> { ["sub"] = subject, ["iss"] = issuer, ["repository_id"] = "4711" },
            MaxLifetime = TimeSpan.FromHours(1),
            At = at ?? Now,
            Tenant = tenant,
            IsPlatformIssued = isPlatformIssued,
        };

    /// <summary>All errors of a document, one a line.</summary>
    public static string[] ErrorsOf(string json)
    {
        TokenExchangeException refused = Assert.Throws<TokenExchangeException>(() => PolicyDocument.Parse(json, "test.json"))!;
        Assert.That((refused.Code, refused.Stage), Is.EqualTo((ErrorCodes.InvalidPolicy, ExchangeStage.Configure)));
        string[] lines = [.. refused.Detail.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];
        return lines.Length == 1 ? lines : lines[1..];
    }

    /// <summary>The one error of a document with this rule in line 1.</summary>
    public static string ErrorOf(string rule)
    {
        string[] errors = ErrorsOf(Text(1, rule));
        Assert.That(errors, Has.Length.EqualTo(1), string.Join('\n', errors));
        return errors[0];
    }

    public static JsonObject Json(string json) => JsonNode.Parse(json)!.AsObject();
}
