namespace Nhi.TokenExchange.Tests.Configuration;

internal sealed class DatabricksSettingsTests
{
    private const string W = "Targets:warehouse:";
    private const string Details = """[{"type":"t","actions":["read"]}]""";

    [Test]
    public void All_that_code_can_say_a_section_can_say_too()
    {
        SessionPlan plan = Sections.Freeze(Sections.With(
            (W + "Host", "https://accounts.cloud.databricks.com"), (W + "AccountId", "acc-1"), (W + "SubjectAudience", "mine"), (W + "Dialect", "JwtBearer"),
            (W + "AuthorizationDetails", Details), (W + "AllowUnstatedDetails", "true"), (W + "UsableMargin", "00:01:00"), (W + "AttestedFacts:0", "Run"), (W + "AttestedFacts:1", "Environment"),
            (W + "AttestingIssuer", "https://gitlab.acme.example")));

        TargetPlan target = plan.Targets.Single();
        Assert.That(target.Exchanger.SubjectAudience.ToString(), Is.EqualTo("mine"));
        Assert.That(target.Exchanger.UsableMargin, Is.EqualTo(TimeSpan.FromMinutes(1)));
        Assert.That(target.AttestedFacts, Is.EqualTo(JobFacts.Run | JobFacts.Environment));
        Assert.That(target.AttestingIssuer, Is.EqualTo("https://gitlab.acme.example"));
    }

    [TestCase("AccountId", "a/b", "AccountId: has other characters")]
    [TestCase("Dialect", "jwt", "Dialect: is none of the known words. Write one of: TokenExchange, JwtBearer")]
    [TestCase("Dialect", "1", "Dialect: is none of the known words")]
    [TestCase("AuthorizationDetails", "{}", "AuthorizationDetails: is one JSON object, not an array of them")]
    [TestCase("AuthorizationDetails", "7", "AuthorizationDetails: is not a JSON array of objects")]
    [TestCase("AuthorizationDetails", "[", "AuthorizationDetails: is not well-formed JSON")]
    [TestCase("AllowUnstatedDetails", "yes", "AllowUnstatedDetails: is neither true nor false")]
    [TestCase("AllowUnstatedDetails", "true", "AllowUnstatedDetails: is set without AuthorizationDetails")]
    [TestCase("UsableMargin", "00:11:00", "UsableMargin: is 00:11:00, which is out of its range")]
    [TestCase("UsableMargin", "40", "UsableMargin: is 40, which is not a time")]
    [TestCase("AttestedFacts:0", "Dataset", "AttestedFacts:0: is no fact that a platform attests. Write one of: Pipeline, Run, Task, Environment")]
    [TestCase("AttestedFacts:0", "None", "AttestedFacts:0: is no fact")]
    [TestCase("AttestedFacts", "Run", "AttestedFacts: is one value")]
    [TestCase("AttestingIssuer", "http://gitlab.acme.example", "AttestingIssuer: is not https. Write the issuer as its proofs name it")]
    [TestCase("AttestingIssuer", "gitlab.acme.example", "AttestingIssuer: is not an absolute address")]
    [TestCase("AttestingIsuer", "https://gitlab.acme.example", "Did you mean AttestingIssuer?")]
    [TestCase("Scopes:0", "offline_access", "Scopes: name offline_access")]
    [TestCase("Dialec", "JwtBearer", "Did you mean Dialect?")]
    public void A_wrong_setting_is_named_with_what_to_write(string setting, string value, string said)
    {
        TokenExchangeException refused = Sections.Refused(Sections.With((W + setting, value)));
        Assert.That(refused.Message, Does.Contain(said));
    }

    [Test]
    public void The_accounts_host_without_an_account_is_said_once()
    {
        TokenExchangeException refused = Sections.Refused(Sections.With((W + "Host", "https://accounts.azuredatabricks.net")));
        Assert.That(refused.Message, Does.Contain("AccountId: is missing, while Host is the accounts'").And.Not.Contain("was refused by the kind"));
    }

    [Test]
    public void A_fact_that_is_none_is_refused_in_code_too() =>
        Assert.That(
            Sections.Refused(Sections.With(), b => b.Target("lake", Targets.Databricks(new Uri("https://lake.example")), t => (t.Identity, t.AttestedFacts) = ("job", (JobFacts)64))).Message,
            Does.Contain("AttestedFacts: has a value that is no fact"));

    [Test]
    public void An_attesting_issuer_is_named_where_the_proof_is() =>
        Assert.That(
            Sections.Refused(Sections.With(
                ("Targets:narrow:Through", "warehouse"), ("Targets:narrow:Exchange", "Databricks"), ("Targets:narrow:Host", "https://workspace.example"), ("Targets:narrow:AttestingIssuer", "https://gitlab.acme.example"))).Message,
            Does.Contain("Targets:narrow:AttestingIssuer: is set on a target that goes through another"));
}
