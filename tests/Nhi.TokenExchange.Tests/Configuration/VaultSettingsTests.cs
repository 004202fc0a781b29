using Microsoft.Extensions.DependencyInjection;

namespace Nhi.TokenExchange.Tests.Configuration;

internal sealed class VaultSettingsTests
{
    private static (string, string?)[] With(params (string Key, string? Value)[] changes) =>
    [
        ("Targets:vault:Identity", "job"), ("Targets:vault:Exchange", "VaultLogin"), ("Targets:vault:Server", "https://vault.example:8200"), ("Targets:vault:Role", "orders"),
        ("Targets:database:Through", "vault"), ("Targets:database:Exchange", "VaultSecret"), ("Targets:database:Server", "https://vault.example:8200"), ("Targets:database:Path", "database/creds/readonly"),
        .. changes,
    ];

    [Test]
    public void All_that_code_can_say_a_section_can_say_too()
    {
        SessionPlan plan = Sections.Freeze(Sections.With(With(
            ("Targets:vault:Method", "Kubernetes"), ("Targets:vault:Mount", "k8s/eu"), ("Targets:vault:Namespace", "acme"), ("Targets:vault:SubjectAudience", "vault"), ("Targets:vault:WrapLifetime", "00:01:00"), ("Targets:vault:UsableMargin", "00:00:30"),
            ("Targets:database:Method", "Post"), ("Targets:database:Namespace", "acme/eu"), ("Targets:database:WrapLifetime", "00:00:10"), ("Targets:database:UsableMargin", "00:01:00"))));

        TokenExchanger login = plan.Targets.Single(target => target.Name == "vault").Exchanger, secret = plan.Targets.Single(target => target.Name == "database").Exchanger;
        Assert.That((login.SubjectAudience.ToString(), login.UsableMargin, login.Issuer), Is.EqualTo(("vault", TimeSpan.FromSeconds(30), new Uri("https://vault.example:8200"))));
        Assert.That((secret.UsableMargin, secret.CredentialType), Is.EqualTo((TimeSpan.FromMinutes(1), typeof(VaultSecret))));
    }

    [TestCase("vault:Server", "https://vault.example/v1", "vault:Server: has a path")]
    [TestCase("vault:Server", null, "vault:Server: is missing")]
    [TestCase("vault:Method", "AppRole", "vault:Method: is none of the known words")]
    [TestCase("vault:Mount", "../sys", "vault:Mount: has a segment of dots")]
    [TestCase("vault:Namespace", "acme/", "vault:Namespace: begins or ends with a slash")]
    [TestCase("vault:WrapLifetime", "00:20:00", "vault:WrapLifetime: is 00:20:00, which is out of its range")]
    [TestCase("vault:SecretId", "x", "vault:SecretId")]
    [TestCase("database:Path", "database/../sys/raw", "database:Path: has a segment of dots")]
    [TestCase("database:Path", "database//creds", "database:Path: has two slashes together")]
    [TestCase("database:Path", "database/%2e%2e", "database:Path: has a percent sign")]
    [TestCase("database:Path", "/v1/database/creds", "database:Path: begins or ends with a slash")]
    [TestCase("database:Path", "v1/database/creds", "database:Path: begins with v1")]
    [TestCase("database:Path", "auth/token/create", "database:Path: is Vault's own")]
    [TestCase("database:Path", null, "database:Path: is missing")]
    [TestCase("database:Scopes:0", "read", "database:Scopes: are set; Vault knows none")]
    [TestCase("database:Server", "https://vault2.example", "database:Through: names a login to another server")]
    [TestCase("vault:Namespace", "acme", "database:Through: names a login of another namespace")]
    public void A_wrong_setting_is_named_with_what_to_write(string setting, string? value, string said) =>
        Assert.That(Sections.Refused(Sections.With(With(($"Targets:{setting}", value)))).Message, Does.Contain(said));

    [Test]
    public void The_Kubernetes_method_wants_a_role() =>
        Assert.That(Sections.Refused(Sections.With(With(("Targets:vault:Method", "Kubernetes"), ("Targets:vault:Role", null)))).Message, Does.Contain("vault:Role: is missing; the Kubernetes auth method has no default role"));

    [Test]
    public async Task A_container_gives_the_provider_of_a_secret_by_the_name_of_its_target()
    {
        await using ServiceProvider container = new ServiceCollection().AddTokenExchange(Sections.With(With())).BuildServiceProvider();

        Assert.That(container.GetRequiredKeyedService<CredentialProvider<VaultSecret>>("database"), Is.SameAs(container.GetRequiredService<JobSession>().Provider<VaultSecret>("database")));
    }
}
