using Microsoft.Extensions.Configuration;

namespace Nhi.TokenExchange.Tests.Configuration;

/// <summary>What is wrong in a section, where it is said, and what is said of it.</summary>
internal sealed class ConfigurationErrorTests
{
    private const string W = "Targets:warehouse:";

    // Setting, value, where it is named, what the message says.
    [TestCase("Tragets:x", "y", "TokenExchange:Tragets", "Did you mean Targets")]
    [TestCase(W + "Hosst", "https://workspace.example", "TokenExchange:Targets:warehouse:Hosst", "Did you mean Host")]
    [TestCase(W + "RefreshBefore", "00:10:00", "TokenExchange:Targets:warehouse:RefreshBefore", "unknown setting")]
    [TestCase("Policy:File", "p.json", "TokenExchange:Policy", "unknown setting")]
    [TestCase("Job:Pipelin", "x", "TokenExchange:Job:Pipelin", "Did you mean Pipeline")]
    [TestCase(W + "Identity", "job2", "TokenExchange:Targets:warehouse:Identity", "'job2' is not among the identities: job")]
    [TestCase(W + "Identity", "Job 2", "TokenExchange:Targets:warehouse:Identity", "is not a name")]
    [TestCase(W + "Identity", null, "TokenExchange:Targets:warehouse", "names neither Identity nor Through")]
    [TestCase(W + "Through", "job", "TokenExchange:Targets:warehouse", "names both")]
    [TestCase(W + "Exchange", "DataBrick", "TokenExchange:Targets:warehouse:Exchange", "Did you mean Databricks? Known are: Databricks, JwtBearer, Rfc8693")]
    [TestCase(W + "Exchange", null, "TokenExchange:Targets:warehouse:Exchange", "is missing. Write one of: Databricks, JwtBearer, Rfc8693")]
    [TestCase("Identities:job:Source", "Oidc", "TokenExchange:Identities:job:Source", "Known are: GitHubActions, OidcEnvironmentVariable, OidcFile")]
    [TestCase("Identities:job:ActsFor", "Person", "TokenExchange:Identities:job:ActsFor", "Proven")]
    [TestCase(W + "Host", null, "TokenExchange:Targets:warehouse:Host", "is missing")]
    [TestCase(W + "Host", "http://workspace.example", "TokenExchange:Targets:warehouse:Host", "is not https")]
    [TestCase(W + "Host", "ftp://workspace.example", "TokenExchange:Targets:warehouse:Host", "is not https")]
    [TestCase(W + "Host", "workspace.example", "TokenExchange:Targets:warehouse:Host", "is not an absolute address")]
    [TestCase(W + "Host", "placeholder", "TokenExchange:Targets:warehouse:Host", "is not an absolute address")]
    [TestCase(W + "Host", "https://workspace.example/sql", "TokenExchange:Targets:warehouse:Host", "has a path")]
    [TestCase(W + "Host", "https://workspace.example?o=1", "TokenExchange:Targets:warehouse:Host", "has a query")]
    [TestCase(W + "Host", "https://workspace.example#x", "TokenExchange:Targets:warehouse:Host", "has a fragment")]
    [TestCase(W + "Host", "https://canary@workspace.example", "TokenExchange:Targets:warehouse:Host", "names a user")]
    [TestCase(W + "Host", "https://169.254.169.254", "TokenExchange:Targets:warehouse:Host", "link-local")]
    [TestCase(W + "Host", "https://0.0.0.0", "TokenExchange:Targets:warehouse:Host", "no issuer's")]
    [TestCase(W + "Host", "https://2130706433", "TokenExchange:Targets:warehouse:Host", "number in disguise")]
    [TestCase(W + "Host", "https://0x7f.1", "TokenExchange:Targets:warehouse:Host", "number in disguise")]
    [TestCase(W + "Host", "https://0177.0.0.1", "TokenExchange:Targets:warehouse:Host", "number in disguise")]
    [TestCase(W + "Host", "https://[::ffff:10.0.0.1]", "TokenExchange:Targets:warehouse:Host", "mapped")]
    [TestCase(W + "Host", "https://[fe80::1]", "TokenExchange:Targets:warehouse:Host", "link-local")]
    [TestCase(W + "Host", "https://workspace.example.", "TokenExchange:Targets:warehouse:Host", "dot at the end")]
    [TestCase(W + "Host", "https://wörkspace.example", "TokenExchange:Targets:warehouse:Host", "position 9")]
    [TestCase(W + "Host", "https://work space.example", "TokenExchange:Targets:warehouse:Host", "position 12")]
    [TestCase(W + "Host", "https://adb-1.azuredatabricks.net.example.net", "TokenExchange:Targets:warehouse:Host", "AllowHost")]
    [TestCase(W + "Host", "https://workspace.example:0", "TokenExchange:Targets:warehouse:Host", "1 to 65535")]
    [TestCase(W + "Host", "https://workspace.example:65536", "TokenExchange:Targets:warehouse:Host", "1 to 65535")]
    [TestCase(W + "Host", "https://workspace.example:-1", "TokenExchange:Targets:warehouse:Host", "1 to 65535")]
    [TestCase(W + "MaxLifetime", "0", "TokenExchange:Targets:warehouse:MaxLifetime", "00:00:01 to 12:00:00")]
    [TestCase(W + "MaxLifetime", "-1", "TokenExchange:Targets:warehouse:MaxLifetime", "hh:mm:ss")]
    [TestCase(W + "MaxLifetime", "00:00:00", "TokenExchange:Targets:warehouse:MaxLifetime", "hh:mm:ss")]
    [TestCase(W + "MaxLifetime", "P1D", "TokenExchange:Targets:warehouse:MaxLifetime", "hh:mm:ss")]
    [TestCase(W + "MaxLifetime", "1.00:00:00", "TokenExchange:Targets:warehouse:MaxLifetime", "hh:mm:ss")]
    [TestCase(W + "MaxLifetime", "∞", "TokenExchange:Targets:warehouse:MaxLifetime", "hh:mm:ss")]
    [TestCase(W + "MaxLifetime", "NaN", "TokenExchange:Targets:warehouse:MaxLifetime", "hh:mm:ss")]
    [TestCase(W + "MaxLifetime", "3600", "TokenExchange:Targets:warehouse:MaxLifetime", "hh:mm:ss")]
    [TestCase(W + "MaxLifetime", "12:00:01", "TokenExchange:Targets:warehouse:MaxLifetime", "12:00:00")]
    [TestCase(W + "MaxLifetime", "", "TokenExchange__Targets__warehouse__MaxLifetime", "empty, which is not the same as unset")]
    [TestCase("EndWithin", "00:05:01", "TokenExchange:EndWithin", "00:00:01 to 00:05:00")]
    [TestCase("EndWithin", "-00:00:01", "TokenExchange:EndWithin", "00:00:01 to 00:05:00")]
    [TestCase(W + "Scopes:1", "sql", "TokenExchange:Targets:warehouse:Scopes:1", "repeats")]
    [TestCase(W + "Scopes:1", "a b", "TokenExchange:Targets:warehouse:Scopes:1", "position 1")]
    [TestCase(W + "Scopes:1", "ab\"", "TokenExchange:Targets:warehouse:Scopes:1", "position 2")]
    [TestCase(W + "Scopes:1", "a\r\nb", "TokenExchange:Targets:warehouse:Scopes:1", "position 1")]
    [TestCase(W + "Scopes:1", "é", "TokenExchange:Targets:warehouse:Scopes:1", "position 0")]
    [TestCase(W + "Scopes:1", "", "TokenExchange:Targets:warehouse:Scopes:1", "empty")]
    [TestCase(W + "ClientId", "orders", "TokenExchange:Targets:warehouse:ClientId", "Service principals")]
    [TestCase(W + "ClientId", "00000000-0000-0000-0000-000000000000", "TokenExchange:Targets:warehouse:ClientId", "Service principals")]
    [TestCase(W + "AllowedOrigins:0", "http://workspace.example", "TokenExchange:Targets:warehouse:AllowedOrigins:0", "is not https")]
    [TestCase(W + "AllowedOrigins", "https://workspace.example", "TokenExchange:Targets:warehouse:AllowedOrigins", "is one value")]
    [TestCase("Identities:job:Path", "token", "TokenExchange:Identities:job:Path", "not an absolute path")]
    [TestCase("Identities:job:Path", "~/token", "TokenExchange:Identities:job:Path", "not expanded")]
    [TestCase("Identities:job:Path", "/run/$USER/token", "TokenExchange:Identities:job:Path", "nothing is expanded")]
    [TestCase("Identities:job:Path", "/run/job/", "TokenExchange:Identities:job:Path", "names a folder")]
    [TestCase("Identities:job:Path", "/run/\0job", "TokenExchange:Identities:job:Path", "control character")]
    [TestCase("Identities:job:Path", "", "TokenExchange:Identities:job:Path", "is empty")]
    [TestCase("Identities:job:Source:0", "OidcFile", "TokenExchange:Identities:job", "one identity has one source")]
    [TestCase("Identities:Bad_Name:Source", "GitHubActions", "TokenExchange:Identities:Bad_Name", "lower-case letters, digits and hyphens")]
    [TestCase("Targets:WAREHOUSE-2:Exchange", "Databricks", "TokenExchange:Targets:WAREHOUSE-2", "lower-case letters, digits and hyphens")]
    [TestCase(W + "SkipTlsVerify", "true", "TokenExchange:Targets:warehouse:SkipTlsVerify", "certificate authority")]
    [TestCase(W + "TrustServerCertificate", "true", "TokenExchange:Targets:warehouse:TrustServerCertificate", "nothing here weakens TLS")]
    [TestCase("a:b:c:d:e:f:g:h:i:j:k:l:m:n:o:p:q:r", "x", "TokenExchange:a:b", "nested too deep")]
    public void A_wrong_setting_is_named_with_what_to_do(string key, string? value, string path, string says)
    {
        TokenExchangeException refused = Sections.Refused(Sections.With((key, value)));

        Assert.That(refused.Message, Does.Contain(path).And.Contain(says).And.Not.Contain("canary"));
        Assert.That((refused.Code, refused.Stage, refused.IsTransient), Is.EqualTo(("NHI1001", ExchangeStage.Configure, false)));
    }

    [Test]
    public void A_section_with_nothing_in_it_is_shown_the_smallest_one_that_works()
    {
        string message = Sections.Refused(Sections.Of([])).Message;
        string sample = message[message.IndexOf('{', StringComparison.Ordinal)..(message.LastIndexOf('}') + 1)];

        Assert.That(message, Does.Contain("TokenExchange: has nothing in it"));
        Assert.That(Sections.Freeze(Sections.OfJson($"{{ \"TokenExchange\": {sample} }}")).Targets, Has.Count.EqualTo(1));
    }

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
    public void Empty_scopes_are_an_error_and_absent_ones_are_not()
    {
        string message = Sections.Refused(Sections.OfJson("""
            { "TokenExchange": { "Identities": { "job": { "Source": "GitHubActions" } }, "Targets": { "warehouse": { "Identity": "job", "Exchange": "Databricks", "Host": "https://workspace.example", "Scopes": [] } } } }
            """)).Message;

        Assert.That(message, Does.Contain("TokenExchange:Targets:warehouse:Scopes: has no entry"));
        Assert.That(Sections.Freeze(Sections.With((W + "Scopes:0", null))).Targets[0].Scopes.IsEmpty, Is.True);
    }

    [Test]
    public void A_circle_of_targets_is_shown_in_order()
    {
        TokenExchangeException refused = Sections.Refused(Sections.With(
            (W + "Identity", null), (W + "Through", "lake"), ("Targets:lake:Through", "warehouse"), ("Targets:lake:Exchange", "Rfc8693"), ("Targets:lake:Issuer", "https://issuer.example/realm")));

        Assert.That(refused.Code, Is.EqualTo("NHI1005"));
        Assert.That(refused.Message, Does.Contain("warehouse -> lake -> warehouse").Or.Contain("lake -> warehouse -> lake"));
    }

    [Test]
    public void The_same_name_in_code_and_section_is_said_with_both_places() =>
        Assert.That(
            Sections.Refused(Sections.With(), b => b.Target("warehouse", Targets.Databricks(new Uri("https://other.example")), "job").Identity("job", IdentitySources.GitHubActions())).Message,
            Does.Contain("TokenExchange:Targets:warehouse: is declared twice, here and at Targets:warehouse").And.Contain("TokenExchange:Identities:job: is declared twice"));

    [TestCase("production")]
    [TestCase("Prod")]
    public void A_test_issuer_is_refused_in_production(string environment)
    {
        (string, string?) host = (W + "Host", "https://warehouse.emulator.invalid");

        Assert.That(Sections.Refused(Sections.With(host, ("Job:Environment", environment))).Message, Does.Contain("TokenExchange:Targets:warehouse: has a test issuer"));
        Assert.That(() => Sections.Freeze(Sections.With(host, ("Job:Environment", "test"))), Throws.Nothing);
    }

    [Test]
    public void Two_sections_are_one_too_many() =>
        Assert.That(Sections.Refused(Sections.With(), b => b.Configuration(Sections.With())).Message, Does.Contain("is the second section"));

    [Test]
    public void Duplicate_keys_are_refused_by_the_reader_of_JSON() =>
        Assert.That(() => Sections.OfJson("""{ "TokenExchange": { "Job": { "Run": "1", "run": "2" } } }"""), Throws.InstanceOf<FormatException>().Or.InstanceOf<InvalidDataException>());

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
