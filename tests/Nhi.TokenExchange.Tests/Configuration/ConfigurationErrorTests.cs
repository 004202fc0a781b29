namespace Nhi.TokenExchange.Tests.Configuration;

/// <summary>How errors are said: together, each once. What may be wrong is in Faults.</summary>
internal sealed class ConfigurationErrorTests
{
    private const string W = "Targets:warehouse:";

    [Test]
    public void All_errors_are_said_at_once_and_each_once()
    {
        TokenExchangeException refused = Sections.Refused(Sections.With(
            (W + "Host", "http://workspace.example"), (W + "Hosst", "x"), ("Identities:job:Path", "token"), (W + "MaxLifetime", "1h"), (W + "Identity", "jobs")));

        string[] lines = refused.Message.Split(Environment.NewLine);
        Assert.That(lines, Has.Length.EqualTo(6));
        Assert.That(lines[0], Does.Contain("5 settings are wrong"));
        Assert.That(lines[1..], Is.All.Match(@"^NHI1001 TokenExchange:[\w:]+: .+\. .+[.?]$"));
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
