namespace Nhi.TokenExchange.Tests.Configuration;

/// <summary>The section Policy: one kind, and what it says.</summary>
internal sealed class PolicySettingsTests
{
    [Test]
    public void No_section_permits_what_is_declared() => Assert.That(Sections.Freeze(Sections.With()).Policy, Is.TypeOf<AllowAllPolicy>());

    [Test]
    public void A_decision_point_is_named_by_its_kind()
    {
        SessionPlan authZen = Sections.Freeze(Sections.With(("Policy:AuthZen:Url", "https://pdp.example/tenant"), ("Policy:AuthZen:EvaluationEndpoint", "https://pdp.example/ask"), ("Policy:AuthZen:Deadline", "00:00:05"), ("Policy:AuthZen:Claims:0", "sub")));
        SessionPlan opa = Sections.Freeze(Sections.With(("Policy:Opa:Url", "http://127.0.0.1:8181"), ("Policy:Opa:Path", "tokens/decision")));

        Assert.That((authZen.Policy.Revision, opa.Policy.Revision), Is.EqualTo(("authzen https://pdp.example/tenant", "opa http://127.0.0.1:8181/v1/data/tokens/decision")));
    }

    [TestCase("AuthZen:Url", null, "Policy:AuthZen:Url: is missing")]
    [TestCase("AuthZen:Url", "http://pdp.example", "Policy:AuthZen:Url: is not https")]
    [TestCase("AuthZen:EvaluationEndpoint", "pdp.example", "Policy:AuthZen:EvaluationEndpoint")]
    [TestCase("AuthZen:Deadline", "00:01:00", "Policy:AuthZen:Deadline: is 00:01:00, which is out of its range")]
    [TestCase("AuthZen:Deadlin", "00:00:05", "Policy:AuthZen:Deadlin")]
    [TestCase("AuthZen:Claims", "sub", "Policy:AuthZen:Claims: is one value")]
    [TestCase("AuthZen:ApiKey", "x", "Policy:AuthZen:ApiKey")]
    [TestCase("AuthZen:BearerToken", "x", "Policy:AuthZen:BearerToken")]
    [TestCase("AuthZenn:Url", "https://pdp.example", "Policy:AuthZenn")]
    public void A_wrong_setting_is_named_with_what_to_write(string setting, string? value, string said) =>
        Assert.That(Sections.Refused(Sections.With(("Policy:AuthZen:Url", "https://pdp.example"), ("Policy:AuthZen:EvaluationEndpoint", "https://pdp.example/ask"), ($"Policy:{setting}", value))).Message, Does.Contain(said));

    [TestCase(null, "Policy:Opa:Path: is missing")]
    [TestCase("/v1/data/tokens", "Policy:Opa:Path: has a part that is no name")]
    [TestCase("v1/data/tokens", "Policy:Opa:Path: begins with what is put before it")]
    [TestCase("tokens/../x", "Policy:Opa:Path: has a part that is no name")]
    public void A_path_that_names_no_rule_is_told_by_its_setting(string? path, string said) =>
        Assert.That(Sections.Refused(Sections.With(("Policy:Opa:Url", "https://opa.example"), ("Policy:Opa:Path", path))).Message, Does.Contain(said));

    [Test]
    public void One_policy_is_enough_and_none_is_no_section()
    {
        Assert.That(Sections.Refused(Sections.With(("Policy:Opa:Url", "https://opa.example"), ("Policy:Opa:Path", "tokens/decision"), ("Policy:AuthZen:Url", "https://pdp.example"))).Message, Does.Contain("TokenExchange:Policy: has more than one policy: AuthZen, Opa"));
        Assert.That(Sections.Refused(Sections.With(("Policy:Opa:Url", "https://opa.example"), ("Policy:Opa:Path", "tokens/decision")), b => b.Policy(new TestPolicy())).Message, Does.Contain("TokenExchange:Policy: is a second policy beside the one that code gives"));
        Assert.That(Sections.Refused(Sections.With(("Policy", ""))).Message, Does.Contain("TokenExchange:Policy"));
        Assert.That(Sections.Refused(Sections.OfJson("""{ "TokenExchange": { "Identities": { "job": { "Source": "GitHubActions" } }, "Targets": { "warehouse": { "Identity": "job", "Exchange": "Databricks", "Host": "https://workspace.example" } }, "Policy": {} } }""")).Message, Does.Contain("TokenExchange:Policy: names no policy"));
    }
}
