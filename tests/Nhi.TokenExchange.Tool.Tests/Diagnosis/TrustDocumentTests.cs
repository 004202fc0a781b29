using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary><c>nhi doctor --trust</c>: the trust as the vendors' commands show it, compared with the proof, and looked at by itself.</summary>
[NonParallelizable]
public class TrustDocumentTests
{
    private const string GitHub = "repo:octo/orders:ref:refs/heads/main";

    private DoctoredJob _job = null!;

    [SetUp]
    public async Task StartAsync() => _job = await DoctoredJob.StartAsync();

    [TearDown]
    public async Task EndAsync() => await _job.DisposeAsync();

    [Test]
    public async Task P63_A_wildcard_under_an_exact_operator_is_told_with_the_operator_that_knows_patterns()
    {
        UseAws("repo:octo/orders:*");
        string trust = _job.Write("trust.json", AwsRoleTrust("StringEquals", "repo:octo/orders:*"));

        (await _job.DoctorAsync("--trust", trust)).AssertNames("trust", "NHI4014", ExitCodes.Refused, "compares 'repo:octo/orders:*' as it stands", "As a pattern it would take it", "Use StringLike");
    }

    [TestCase("StringLike", "repo:octo/*", "any repository or project")]
    [TestCase("StringLike", "*", "any repository or project")]
    [TestCase("StringLikeIfExists", "repo:octo/orders:ref:*", "holds where the claim is absent, too")]
    [TestCase("ForAllValues:StringEquals", GitHub, "holds where the claim is absent, too")]
    [TestCase(null, null, ":sub: every workload of that issuer gets in")]
    [TestCase("StringNotEquals", "repo:octo/evil:ref:refs/heads/main", "keeps out 'repo:octo/evil:ref:refs/heads/main' and lets everybody else in")]
    [TestCase("StringNotEquals", "repo:octo/evil:ref:refs/heads/main", ":sub: every workload of that issuer gets in")]
    [TestCase("ForAnyValue:StringNotLike", "repo:octo/evil:*", "keeps out 'repo:octo/evil:*' and lets everybody else in")]
    [TestCase("Deny", "repo:octo/evil:ref:refs/heads/main", "has a Deny for that issuer")]
    public async Task P64_A_trust_that_was_made_wide_to_make_it_work_is_marked_though_it_works(string? condition, string? subject, string said)
    {
        UseAws(GitHub);
        string trust = _job.Write("trust.json", AwsRoleTrust(condition, subject));

        Findings found = await _job.DoctorAsync("--trust", trust);

        Assert.That(found.Run.ExitCode, Is.Zero, found.Run.All);
        JsonObject stage = found.Stages.Single(one => (string)one["stage"]! == "trust");
        Assert.That(((string)stage["verdict"]!, (string)stage["said"]!), Is.EqualTo(("warning", (string)stage["said"]!)));
        Assert.That((string)stage["said"]!, Does.Contain(said).And.Not.Contain("another than the one that was named"));
    }

    [TestCase("StringEquals", GitHub)]
    [TestCase("StringLike", "repo:octo/orders:ref:refs/heads/*")]
    [TestCase("StringEqualsIgnoreCase", "repo:Octo/Orders:ref:refs/heads/main")]
    public async Task A_trust_that_is_as_it_should_be_is_not_marked(string condition, string subject)
    {
        UseAws(GitHub);
        string trust = _job.Write("trust.json", AwsRoleTrust(condition, subject));

        Findings found = await _job.DoctorAsync("--trust", trust);

        Assert.That((string)found.Stages.Single(one => (string)one["stage"]! == "trust")["verdict"]!, Is.EqualTo("ok"), found.Run.All);
    }

    [Test]
    public async Task The_nearest_of_several_federated_credentials_is_compared()
    {
        _job.UseEntra(GitHub, ProofShape.GitHub).FederatedCredentials.Add(new FederatedIdentityCredential { Issuer = _job.Emulator.Issuer.OriginalString, Subject = "repo:octo/orders:environment:production" });
        string trust = _job.Write("trust.json", new JsonArray(
            new JsonObject { ["issuer"] = "https://issuer.example", ["subject"] = "another", ["audiences"] = new JsonArray("api://AzureADTokenExchange") },
            new JsonObject { ["issuer"] = _job.Emulator.Issuer.OriginalString, ["subject"] = "repo:octo/orders:environment:production", ["audiences"] = new JsonArray("api://AzureADTokenExchange") }).ToJsonString());

        Findings found = await _job.DoctorAsync("--trust", trust);

        found.AssertNames("trust", "NHI4014", ExitCodes.Refused, "first difference at position 17: expected 'environment:…', presented 'ref:refs/hea…'");
        Assert.That(found.Run.Output, Does.Not.Contain("issuer.example"));
    }

    [TestCase("""{ "policies": [ { "uid": "1", "oidc_policy": { "issuer": "{issuer}", "audiences": [ "{audience}" ], "subject": "another" } } ] }""", "The trust's subject 'another'")]
    [TestCase("""{ "oidc": { "issuerUri": "{issuer}/", "allowedAudiences": [ "{audience}" ] }, "attributeCondition": "true" }""", "they differ in the slash at the end only")]
    public async Task Policies_of_Databricks_and_providers_of_Google_Cloud_are_read(string form, string said)
    {
        ServicePrincipal principal = _job.UseDatabricks();
        principal.Policies[0] = principal.Policies[0] with { Subject = "another" };
        string trust = _job.Write("trust.json", form.Replace("{issuer}", _job.Emulator.Issuer.OriginalString, StringComparison.Ordinal).Replace("{audience}", _job.Emulator.Databricks.TokenEndpoint.OriginalString, StringComparison.Ordinal));

        (await _job.DoctorAsync("--trust", trust)).AssertNames("trust", "NHI4011", ExitCodes.Refused, said);
    }

    [TestCase("{}")]
    [TestCase("no JSON")]
    [TestCase("[1]")]
    [TestCase("""{ "Statement": [ { "Effect": "Allow", "Principal": { "AWS": "*" } } ] }""")]
    public async Task A_file_that_is_no_trust_is_an_error_of_the_command_line(string text)
    {
        _job.UseDatabricks();

        ToolRun run = await ToolRun.HereAsync("doctor", "--config", _job.WriteSettings(), "--trust", _job.Write("trust.json", text));

        Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Usage), run.All);
        Assert.That(run.Error, Does.StartWith("--trust: ").And.Contain("aws iam get-role"));
    }

    [TestCase("repo:octo/*", "repo:octo/orders", true)]
    [TestCase("*", "", true)]
    [TestCase("a*b*c", "a-b-b-c", true)]
    [TestCase("a?c", "abc", true)]
    [TestCase("a?c", "ac", false)]
    [TestCase("a*b", "abc", false)]
    [TestCase("", "a", false)]
    [TestCase("A", "a", false)]
    public void A_pattern_takes_what_IAM_lets_it_take(string pattern, string text, bool taken) => Assert.That(TrustRule.Matches(pattern, text), Is.EqualTo(taken));

    private void UseAws(string trusted)
    {
        AwsRole role = _job.Emulator.Aws.AddRole("orders", trusted);
        _job.IdentityEntry["ActsFor"] = "Workload";
        _job.Target = new JsonObject { ["Identity"] = "job", ["Exchange"] = "AwsSts", ["RoleArn"] = role.Arn, ["Region"] = "eu-central-1", ["Endpoint"] = _job.Emulator.Aws.Endpoint.OriginalString.TrimEnd('/') };
        _job.Emulator.JobIdentity(ProofShape.GitHub, GitHub).WriteProofFile(_job.Proof, "sts.amazonaws.com");
    }

    // What aws iam get-role shows.
    private string AwsRoleTrust(string? condition, string? subject)
    {
        string host = _job.Emulator.Issuer.OriginalString;
        JsonObject Statement(string effect, JsonObject conditions) => new()
        {
            ["Effect"] = effect, ["Action"] = "sts:AssumeRoleWithWebIdentity", ["Condition"] = conditions, ["Principal"] = new JsonObject { ["Federated"] = $"arn:aws:iam::123456789012:oidc-provider/{host}" },
        };
        var conditions = new JsonObject { ["StringEquals"] = new JsonObject { [$"{host}:aud"] = "sts.amazonaws.com" } };
        if (condition == "StringEquals")
            conditions["StringEquals"]![$"{host}:sub"] = subject;
        else if (condition is not null)
            conditions[condition == "Deny" ? "StringLike" : condition] = new JsonObject { [$"{host}:sub"] = subject };
        return new JsonObject
        {
            ["Role"] = new JsonObject
            {
                ["RoleName"] = "orders",
                ["AssumeRolePolicyDocument"] = new JsonObject
                {
                    ["Version"] = "2012-10-17",
                    ["Statement"] = condition == "Deny" ? new JsonArray(Statement("Allow", new JsonObject { ["StringEquals"] = new JsonObject { [$"{host}:aud"] = "sts.amazonaws.com", [$"{host}:sub"] = GitHub } }), Statement("Deny", conditions)) : new JsonArray(Statement("Allow", conditions)),
                },
            },
        }.ToJsonString();
    }
}
