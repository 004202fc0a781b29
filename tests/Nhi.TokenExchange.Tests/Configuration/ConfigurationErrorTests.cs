using Microsoft.Extensions.Configuration;
using Nhi.TokenExchange.Tests.Faults;

namespace Nhi.TokenExchange.Tests.Configuration;

/// <summary>How errors are said: together, each once. What may be wrong is in Faults.</summary>
internal sealed class ConfigurationErrorTests
{
    private const string W = "Targets:warehouse:";

    [Test]
    public void A_target_with_a_wrong_name_is_told_as_that_and_not_as_no_target_at_all()
    {
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.StartAsync(b => b.Identity("job", IdentitySources.GitHubActions()).Target("Warehouse", Targets.Databricks(new Uri("https://workspace.example")), "job")))!;

        Assert.That(refused.Message, Does.Contain("Targets:Warehouse").And.Not.Contain("has no entry"));
    }

    [Test]
    public void A_target_whose_identity_is_null_has_none()
    {
        Dictionary<string, string?> settings = Sections.Good();
        settings["Targets:warehouse:Identity"] = null;

        Assert.That(Sections.Refused(Sections.Of(settings)).Message, Does.Contain("TokenExchange:Targets:warehouse: names neither Identity nor Through"));
    }

    [Test]
    public void A_wrong_path_does_not_hide_what_is_wrong_beside_it() =>
        Assert.That(
            Sections.Refused(Sections.With(("Identities:job:Path", "relative"), ("Identities:job:Foo", "1"), ("Identities:job:Pth", "x"))).Message,
            Does.Contain("job:Path: is not an absolute path").And.Contain("job:Foo: is an unknown setting").And.Contain("job:Pth: is an unknown setting"));

    [TestCase("Rfc8693")]
    [TestCase("JwtBearer")]
    public void A_revocation_endpoint_alone_is_told_by_its_setting_and_once(string kind) =>
        Assert.That(
            Sections.Refused(Sections.With((W + "Exchange", kind), (W + "Host", null), (W + "Issuer", "https://issuer.example"), (W + "RevocationEndpoint", "https://issuer.example/revoke"))).Message,
            Does.EndWith("NHI1001 TokenExchange:Targets:warehouse:RevocationEndpoint: is set without TokenEndpoint. Set both, or none to discover them.").And.Not.Contain("settings are wrong"));

    [Test]
    public void All_errors_are_said_at_once_and_each_once()
    {
        TokenExchangeException refused = Sections.Refused(Sections.With(
            (W + "Host", "http://workspace.example"), (W + "Hosst", "x"), ("Identities:job:Path", "token"), (W + "MaxLifetime", "1h"), (W + "Identity", "jobs")));

        Assert.That(refused.Message, Does.StartWith("NHI1001 5 settings are wrong:"));
        string[] lines = BadSettings.Lines(refused);
        Assert.That(lines, Has.Length.EqualTo(5));
        Assert.That(lines, Is.All.Match(@"^NHI1001 TokenExchange:[\w:]+: .+\. .+[.?]$"));
    }

    [Test]
    public void What_is_wrong_in_one_target_stands_together_under_its_name()
    {
        TokenExchangeException refused = Sections.Refused(
            Sections.With(
                ("Targets:lake:Through", "nowhere"), ("Targets:lake:Exchange", "RolesAnywhere"), (W + "Identity", "jobs"), (W + "MaxLifetime", "1h"), (W + "Host", "http://workspace.example"),
                ("Identities:job:Path", "token"), ("Job:Pipelin", "x"), ("EndWithin", "10")),
            b => b.EndWithin(TimeSpan.Zero).Target("box", Targets.Databricks(new Uri("https://box.example")), options => options.Through = "nowhere"));

        string[][] groups = [.. refused.Message.ReplaceLineEndings("\n").Split("\n\n").Select(group => group.Split('\n'))];
        Assert.That(groups.Select(group => group[0]), Is.EqualTo(["NHI1001 10 settings are wrong:", "TokenExchange", "TokenExchange:Job", "Identity 'job'", "Target 'box'", "Target 'lake'", "Target 'warehouse'", "In code"]));
        foreach (string[] group in groups[1..])
        {
            for (int i = 1; i < group.Length; i += 2)
            {
                Assert.That(group[i], Does.Match(@"^  NHI1001 [\w:]+: [^ ].*[^.]\.$"), "code, path, what was wrong");
                Assert.That(group[i + 1], Does.Match(@"^ {10}[^ ].*[.?]$"), "what to do");
            }
        }
        Assert.That(groups[6].Where(line => line.StartsWith("  NHI", StringComparison.Ordinal)).Select(line => line.Split(':')[3]), Is.EquivalentTo(["Identity", "MaxLifetime", "Host"]));
    }

    [Test]
    public void A_section_of_another_name_is_the_heading_of_what_is_wrong_in_it()
    {
        IConfigurationSection section = new ConfigurationBuilder().AddInMemoryCollection(
            [.. Sections.Good().Select(setting => KeyValuePair.Create("Acme:Nhi:" + setting.Key, setting.Value)), KeyValuePair.Create("Acme:Nhi:EndWithin", (string?)"10"), KeyValuePair.Create("Acme:Nhi:Targets:warehouse:Hosst", (string?)"x")]).Build().GetSection("Acme:Nhi");

        string[] lines = Sections.Refused(section).Message.Split(Environment.NewLine);

        Assert.That(lines, Does.Contain("Acme:Nhi").And.Contain("Target 'warehouse'"));
    }

    [Test]
    public void What_an_unknown_kind_would_have_read_is_not_called_unknown() =>
        Assert.That(Sections.Refused(Sections.With((W + "Exchange", "Nonsense"))).Message.Split(Environment.NewLine), Has.Length.EqualTo(1));

    [Test]
    public void Two_sections_are_one_too_many() =>
        Assert.That(Sections.Refused(Sections.With(), b => b.Configuration(Sections.With())).Message, Does.Contain("is the second section"));

    [Test]
    public void An_origin_in_code_never_shows_its_user()
    {
        var builder = new TokenExchangeBuilder();
        builder.Identity("job", IdentitySources.GitHubActions()).Target("warehouse", Targets.Databricks(new Uri("https://workspace.example")), options =>
        {
            options.Identity = "job";
            options.AllowedOrigins.Add(new Uri("https://user:canary@warehouse.example"));
        });

        Assert.That(builder.Freeze, Throws.TypeOf<TokenExchangeException>().With.Message.Contains("names a user").And.Message.Not.Contains("canary"));
    }
}
