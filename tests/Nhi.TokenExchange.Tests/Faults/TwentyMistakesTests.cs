using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Nhi.TokenExchange.Tests.Configuration;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>A configuration that is wrong in each room at once: all is said in one error, each path once, and nothing else.</summary>
internal sealed class TwentyMistakesTests
{
    // The path that is named, the code, and the setting that is wrong; the rest of the file is right.
    private static readonly (string Path, string Code, string Key, string? Value)[] Mistakes =
    [
        ("EndWithin", "NHI1001", "EndWithin", "10"),
        ("Tragets", "NHI1001", "Tragets:lake:Host", "https://lake.example"),
        ("ApiKey", "NHI1002", "ApiKey", "canary"),
        ("TrustRoots", "NHI1001", "TrustRoots", "~/roots.pem"),
        ("Job:Pipelin", "NHI1001", "Job:Pipelin", "orders"),
        ("Job:Purpose", "NHI1001", "Job:Purpose", ""),
        ("Identities:job:Path", "NHI1001", "Identities:job:Path", "token"),
        ("Identities:job:ActsFor", "NHI1001", "Identities:job:ActsFor", "Person"),
        ("Identities:ci:Source", "NHI1001", "Identities:ci:Source", "GitHub"),
        ("Identities:Bad_Name", "NHI1001", "Identities:Bad_Name:Source", "GitHubActions"),
        ("Targets:warehouse:Host", "NHI1001", "Targets:warehouse:Host", "http://workspace.example"),
        ("Targets:warehouse:ClientId", "NHI1001", "Targets:warehouse:ClientId", "orders"),
        ("Targets:warehouse:Scopes:1", "NHI1001", "Targets:warehouse:Scopes:1", "a b"),
        ("Targets:warehouse:MaxLifetime", "NHI1001", "Targets:warehouse:MaxLifetime", "1h"),
        ("Targets:warehouse:AllowedOrigins:0", "NHI1001", "Targets:warehouse:AllowedOrigins:0", "workspace.example"),
        ("Targets:warehouse:Identity", "NHI1001", "Targets:warehouse:Identity", "jobs"),
        ("Targets:lake:Exchange", "NHI1001", "Targets:lake:Exchange", "RolesAnywhere"),
        ("Targets:lake:Through", "NHI1001", "Targets:lake:Through", "nowhere"),
        ("Targets:box:SkipTlsVerify", "NHI1001", "Targets:box:SkipTlsVerify", "true"),
        ("Targets:box:Issuer", "NHI1002", "Targets:box:Issuer", "https://job:canary@issuer.example"),
    ];

    private static IConfigurationSection Section() =>
        Sections.With([("Targets:box:Identity", "job"), ("Targets:box:Exchange", "Rfc8693"), .. Mistakes.Select(mistake => (mistake.Key, mistake.Value))]);

    private static void AssertSaid(TokenExchangeException refused)
    {
        string[] lines = BadSettings.Lines(refused);

        Assert.That(refused.Message, Does.Contain("20 settings are wrong:"));
        Assert.That(lines.Select(line => line[..line.IndexOf(": ", StringComparison.Ordinal)]), Is.EquivalentTo(Mistakes.Select(mistake => $"{mistake.Code} TokenExchange:{mistake.Path}")));
        Assert.That(lines, Is.All.Match(@"^NHI100[12] TokenExchange:[\w:-]+: .+\. .+[.?]$"), "path, what was wrong, what to do");
        Assert.That(refused.Code, Is.EqualTo("NHI1002"), "the most telling of them");
        Assert.That(refused.ToString(), Does.Not.Contain("canary"));
    }

    [Test]
    public void All_twenty_are_named_in_one_error_and_nothing_else_is()
    {
        Assert.That(Mistakes, Has.Length.EqualTo(20));
        AssertSaid(Sections.Refused(Section()));
    }

    [Test]
    public void They_stand_together_by_target_and_fit_a_console()
    {
        string[] lines = Sections.Refused(Section()).Message.Split(Environment.NewLine);

        Assert.That(
            lines.Where(line => line.Length > 0 && line[0] != ' '),
            Is.EqualTo(["NHI1002 20 settings are wrong:", "TokenExchange", "TokenExchange:Job", "Identity 'Bad_Name'", "Identity 'ci'", "Identity 'job'", "Target 'box'", "Target 'lake'", "Target 'warehouse'"]));
    }

    [Test]
    public void Without_them_nothing_is_wrong() =>
        Assert.That(() => Sections.Freeze(Sections.With(("Targets:box:Identity", "job"), ("Targets:box:Exchange", "Rfc8693"), ("Targets:box:Issuer", "https://issuer.example"))), Throws.Nothing);

    [Test]
    public async Task The_start_of_a_host_names_them_all()
    {
        HostApplicationBuilder builder = new(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddTokenExchange(Section());
        using IHost host = builder.Build();
        try
        {
            await host.StartAsync();
        }
        catch (TokenExchangeException refused)
        {
            AssertSaid(refused);
            return;
        }
        Assert.Fail("The host started.");
    }
}
