namespace Nhi.TokenExchange.Tests.Configuration;

internal sealed class StaticKeySettingsTests
{
    private static readonly string Until = StaticKeyJob.In(null, TimeSpan.FromDays(90)).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static (string, string?)[] With(params (string Key, string? Value)[] changes) =>
    [
        ("Targets:vault:Identity", "job"), ("Targets:vault:Exchange", "VaultLogin"), ("Targets:vault:Server", "https://vault.example:8200"),
        ("Targets:billing:Through", "vault"), ("Targets:billing:Exchange", "VaultStaticKey"), ("Targets:billing:Server", "https://vault.example:8200"), ("Targets:billing:Path", "legacy/billing"),
        ("Targets:billing:Owner", "Billing team"), ("Targets:billing:Until", Until), ("Targets:billing:Header", "X-Api-Key"), ("Targets:billing:AllowedOrigins:0", "https://billing.example"),
        ("Targets:entra:Identity", "job"), ("Targets:entra:Exchange", "Rfc8693"), ("Targets:entra:Issuer", "https://issuer.example"), ("Targets:entra:Scopes:0", "https://vault.azure.net/.default"),
        ("Targets:mail:Through", "entra"), ("Targets:mail:Exchange", "KeyVaultStaticKey"), ("Targets:mail:Vault", "https://acme-legacy.vault.azure.net"), ("Targets:mail:Name", "mail-api"),
        ("Targets:mail:Owner", "Mail team"), ("Targets:mail:Until", Until), ("Targets:mail:Header", "Authorization"), ("Targets:mail:AllowedOrigins:0", "https://mail.example"),
        .. changes,
    ];

    private static void AnyPolicy(TokenExchangeBuilder builder) => builder.Policy(new TestPolicy());

    [Test]
    public void All_that_code_can_say_a_section_can_say_too()
    {
        SessionPlan plan = Sections.Freeze(Sections.With(With(
            ("Targets:billing:Mount", "kv/eu"), ("Targets:billing:Engine", "Version1"), ("Targets:billing:Field", "api_key"), ("Targets:billing:Namespace", "acme"), ("Targets:billing:Scheme", "Basic"), ("Targets:billing:User", "loader"),
            ("Targets:mail:Version", "0123456789abcdef0123456789abcdef"), ("Targets:billing:MaxLifetime", "00:05:00"))), AnyPolicy);

        TargetPlan billing = plan.Targets.Single(target => target.Name == "billing"), mail = plan.Targets.Single(target => target.Name == "mail");
        Assert.That((billing.Exchanger.StaticKey!.Secret, billing.Exchanger.StaticKey.Owner, billing.MaxLifetime), Is.EqualTo(("acme/kv/eu/legacy/billing#api_key", "Billing team", TimeSpan.FromMinutes(5))));
        Assert.That((mail.Exchanger.StaticKey!.Secret, mail.MaxLifetime), Is.EqualTo(("https://acme-legacy.vault.azure.net/secrets/mail-api", TimeSpan.FromMinutes(15))), "no hand-out is longer");
        Assert.That(mail.Exchanger.StaticKey.Until, Is.EqualTo(DateTimeOffset.Parse(Until, System.Globalization.CultureInfo.InvariantCulture)));
    }

    [TestCase("billing:Owner", null, "billing:Owner: is missing")]
    [TestCase("billing:Until", null, "billing:Until: is missing")]
    [TestCase("mail:Owner", null, "mail:Owner: is missing")]
    [TestCase("mail:Until", null, "mail:Until: is missing")]
    [TestCase("billing:Until", "2027-01-31", "billing:Until: is no instant with its zone")]
    [TestCase("billing:Until", "2027-01-31T00:00:00", "billing:Until: is no instant with its zone")]
    [TestCase("billing:Until", "9999-12-31T00:00:00Z", "billing:Until: is 9999-12-31, more than a year ahead")]
    [TestCase("billing:Header", null, "billing:Scheme")]
    [TestCase("billing:Header", "Host", "billing:Header: is no header for a key")]
    [TestCase("billing:Header", "Content-Type", "billing:Header: is no header for a key")]
    [TestCase("billing:Header", "X-Api-Key: x", "billing:Header: is no header for a key")]
    [TestCase("billing:Scheme", "Api Key", "billing:Scheme: is no scheme of a header")]
    [TestCase("billing:Engine", "V2", "billing:Engine: is none of the known words")]
    [TestCase("billing:Mount", "sys", "billing:Mount: is Vault's own")]
    [TestCase("billing:Path", "../sys", "billing:Path: has a segment of dots")]
    [TestCase("billing:Field", "a b", "billing:Field: is no field of a secret")]
    [TestCase("billing:AllowedOrigins:0", null, "billing:AllowedOrigins: is missing, and nothing says where the key may go")]
    [TestCase("billing:Server", "https://other.example", "billing:Through: names a login to another server")]
    [TestCase("billing:Scopes:0", "read", "billing:Scopes: are set; a static key has none")]
    [TestCase("billing:Value", "x", "billing:Value")]
    [TestCase("billing:ApiKey", "x", "static secrets have no place here")]
    [TestCase("mail:Vault", "https://acme-legacy.vault.azure.net.evil.example", "mail:Vault: is not an address of Key Vault")]
    [TestCase("mail:Name", "mail_api", "mail:Name: is no name of a secret")]
    [TestCase("mail:Version", "newest", "mail:Version: is no version of a secret")]
    [TestCase("mail:Through", "vault", "mail:Through: names a login to HashiCorp Vault")]
    [TestCase("entra:Scopes:0", "https://graph.microsoft.com/.default", "mail:Through: names a target that says nowhere that its token is for Key Vault")]
    [TestCase("entra:Scopes:1", "https://graph.microsoft.com/.default", "mail:Through: names a target that says nowhere that its token is for Key Vault alone")]
    [TestCase("entra:Scopes:0", null, "mail:Through: names a target that says nowhere that its token is for Key Vault")]
    [TestCase("entra:Scopes:0", "https://vault.azure.net.evil.example/.default", "mail:Through: names a target that says nowhere that its token is for Key Vault")]
    [TestCase("entra:Scopes:0", "https://vault.azure.cn/.default", "mail:Through: names a target that says nowhere that its token is for Key Vault")]
    [TestCase("mail:Through", "warehouse", "mail:Through: names a target at Databricks")]
    public void A_wrong_setting_is_named_with_what_to_write(string setting, string? value, string said) =>
        Assert.That(Sections.Refused(Sections.With(With(("Targets:billing:Scheme", "Basic"), ($"Targets:{setting}", value))), AnyPolicy).Message, Does.Contain(said));

    [TestCase("Scopes", "https://vault.azure.net/user_impersonation")]
    [TestCase("Scopes", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093/.default", Description = "Key Vault by the id of its application")]
    [TestCase("Scopes", "openid", Description = "beside the usual one")]
    [TestCase("Audiences", "https://vault.azure.net")]
    [TestCase("Audiences", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093")]
    public void A_target_whose_token_is_for_key_vault_alone_is_one_to_go_through(string setting, string value) =>
        Assert.That(() => Sections.Freeze(Sections.With(With(("Targets:billing:Scheme", "Basic"), ($"Targets:entra:{setting}:{(value.Contains("user_impersonation", StringComparison.Ordinal) || value.EndsWith("/.default", StringComparison.Ordinal) ? 0 : 1)}", value))), AnyPolicy), Throws.Nothing);

    [TestCase("internal-api")]
    [TestCase("https://graph.microsoft.com")]
    public void A_target_whose_token_is_for_somebody_else_too_is_none(string audience) =>
        Assert.That(
            Sections.Refused(Sections.With(With(("Targets:billing:Scheme", "Basic"), ("Targets:entra:Audiences:0", audience))), AnyPolicy).Message,
            Does.Contain("mail:Through: names a target that says nowhere that its token is for Key Vault alone"));

    [Test]
    public void Without_a_policy_there_is_no_static_key() =>
        Assert.That(Sections.Refused(Sections.With(With())).Message, Does.Contain("Targets:billing: has a static key, and there is no policy").And.Contain("Targets:mail: has a static key"));
}
