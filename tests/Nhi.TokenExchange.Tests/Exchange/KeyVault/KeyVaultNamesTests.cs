namespace Nhi.TokenExchange.Tests.Exchange.KeyVault;

/// <summary>Which vaults, names and versions a target takes, and which targets it may go through: a token for Key Vault is shown to no one else, and Key Vault sees no other.</summary>
internal sealed class KeyVaultNamesTests
{
    private const string Vault = "https://acme-legacy.vault.azure.net";
    private const string OfChina = "https://acme-legacy.vault.azure.cn";
    private const string OfTheUsGovernment = "https://acme-legacy.vault.usgovcloudapi.net";
    private const string Version = "0123456789abcdef0123456789ABCDEF";

    private const string VaultRemedy = "Write the vault's address, such as https://acme-legacy.vault.azure.net.";
    private const string NoName = "The name is no name of a secret. Write the secret's name: letters, digits and hyphens, at most 127. (Parameter 'name')";
    private const string NoVersion = "Version is no version of a secret. Write the version's 32 hexadecimal digits, or leave it out to follow rotations. (Parameter 'options')";

    private const string HopRemedy = "Name a target whose token is for Key Vault: with the exchange Entra and the scope https://vault.azure.net/.default, or ManagedIdentity and that Resource";
    private const string NotForVault = "names a target that says nowhere that its token is for Key Vault alone, which must not see any other";

    private static readonly DateTimeOffset Until = TimeProvider.System.GetUtcNow().AddDays(60);

    [TestCase(Vault)]
    [TestCase(OfChina)]
    [TestCase(OfTheUsGovernment)]
    [TestCase("https://ACME-LEGACY.VAULT.AZURE.NET/")]
    [TestCase("https://localhost:8443")]
    [TestCase("http://127.0.0.1:8080")]
    public void A_vault_of_each_cloud_is_taken_and_the_proof_of_its_hop_is_for_itself(string vault) =>
        Assert.That(KeyVault(vault).SubjectAudience.ToString(), Is.EqualTo(new Uri(vault).GetLeftPart(UriPartial.Authority)));

    [TestCase("https://acme-legacy.vault.azure.net.evil.example", "The vault is not an address of Key Vault. " + VaultRemedy)]
    [TestCase("https://acme-legacy.vaults.azure.net", "The vault is not an address of Key Vault. " + VaultRemedy)]
    [TestCase("https://vault.azure.net", "The vault is not an address of Key Vault. " + VaultRemedy)]
    [TestCase("https://10.0.0.1", "The vault is not an address of Key Vault. " + VaultRemedy)]
    [TestCase(Vault + "/secrets", "The vault has a path. " + VaultRemedy)]
    [TestCase(Vault + "?api-version=7.4", "vault has a query, which an issuer identifier has not (RFC 8414 §2).")]
    [TestCase("http://acme-legacy.vault.azure.net", "vault is not https. Give an absolute https URI without user info and fragment; http is for loopback only.")]
    public void A_vault_elsewhere_is_refused_with_what_is_wrong(string vault, string said) =>
        Assert.That(() => KeyVault(vault), Throws.ArgumentException.With.Message.EqualTo($"{said} (Parameter 'vault')"));

    [Test]
    public void A_name_has_letters_digits_and_hyphens_and_a_version_is_32_hexadecimal_digits()
    {
        string longest = new('a', 127);
        using (Assert.EnterMultipleScope())
        {
            foreach (string name in new[] { "a", "7", "-", "Mail-Api-1", longest })
                Assert.That(() => KeyVault(Vault, name), Throws.Nothing, name);
            foreach (string name in new[] { "", longest + "a", "mail_api", "mail/api", "mail api", "m\u00e4il" })
                Assert.That(() => KeyVault(Vault, name), Throws.ArgumentException.With.Message.EqualTo(NoName), name);
            foreach (string? version in new[] { null, Version, Version.ToLowerInvariant() })
                Assert.That(() => KeyVault(Vault, version: version), Throws.Nothing, version ?? "the newest");
            foreach (string version in new[] { "", "newest", Version[1..], Version + "0", Version[1..] + "g" })
                Assert.That(() => KeyVault(Vault, version: version), Throws.ArgumentException.With.Message.EqualTo(NoVersion), version);
        }
    }

    [TestCase(Vault, "https://vault.azure.net/.default")]
    [TestCase(Vault, "https://vault.azure.net/user_impersonation")]
    [TestCase(Vault, "https://vault.azure.net//.default")]
    [TestCase(Vault, "https://vault.azure.net/")]
    [TestCase(Vault, "https://VAULT.azure.net/.default")]
    [TestCase(Vault, "cfa8b339-82a2-471a-a3c9-0fc0be7a4093/.default")]
    [TestCase(Vault, "CFA8B339-82A2-471A-A3C9-0FC0BE7A4093/user_impersonation")]
    [TestCase(Vault, "openid https://vault.azure.net/.default")]
    [TestCase(Vault, "https://vault.azure.net/.default https://vault.azure.net/user_impersonation")]
    [TestCase(Vault, "", "https://vault.azure.net")]
    [TestCase(Vault, "openid", "https://vault.azure.net/")]
    [TestCase(Vault, "", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093")]
    [TestCase(Vault, "https://vault.azure.net/.default", "https://vault.azure.net")]
    [TestCase(OfChina, "https://vault.azure.cn/.default")]
    [TestCase(OfTheUsGovernment, "https://vault.usgovcloudapi.net/.default")]
    [TestCase("https://localhost:8443", "https://vault.azure.net/.default")]
    [TestCase("https://localhost:8443", "https://vault.azure.cn/.default")]
    [TestCase("https://localhost:8443", "", "https://vault.usgovcloudapi.net")]
    public void A_target_whose_token_is_for_Key_Vault_alone_is_one_to_go_through(string vault, string scopes, params string[] resources) =>
        Assert.That(KeyVault(vault).FlawOfHop(new TestExchanger(TimeProvider.System) { Names = resources }, ScopeSet.Parse(scopes)), Is.Null);

    [TestCase(Vault, "")]
    [TestCase(Vault, "openid")]
    [TestCase(Vault, "vault.azure.net")]
    [TestCase(Vault, "https://vault.azure.net/secrets.read")]
    [TestCase(Vault, "https://vault.azure.net/.DEFAULT")]
    [TestCase(Vault, "https://graph.microsoft.com/.default")]
    [TestCase(Vault, "https://vault.azure.net.evil.example/.default")]
    [TestCase(Vault, "https://graph.microsoft.com/.default https://vault.azure.net/.default")]
    [TestCase(Vault, "https://vault.azure.cn/.default")]
    [TestCase(OfChina, "https://vault.azure.net/.default")]
    [TestCase(OfTheUsGovernment, "https://vault.azure.net/.default")]
    [TestCase(Vault, "", "https://vault.azure.net", "https://storage.azure.com")]
    [TestCase(Vault, "https://vault.azure.net/.default", "internal-api")]
    [TestCase("https://localhost:8443", "https://graph.microsoft.com/.default")]
    public void A_target_whose_token_may_be_for_somebody_else_is_none(string vault, string scopes, params string[] resources) =>
        Assert.That(KeyVault(vault).FlawOfHop(new TestExchanger(TimeProvider.System) { Names = resources }, ScopeSet.Parse(scopes)), Is.EqualTo(NotForVault));

    [TestCase("https://vault.azure.net", null)]
    [TestCase("https://vault.azure.net/", null)]
    [TestCase("https://storage.azure.com", NotForVault)]
    public void What_the_platform_issues_is_for_whom_it_was_asked(string audience, string? flaw) =>
        Assert.That(KeyVault(Vault).FlawOfHop(new PlatformToken(audience), ScopeSet.Empty), Is.EqualTo(flaw));

    [Test]
    public void What_is_wrong_with_a_hop_is_told_with_what_to_name_instead()
    {
        TokenExchanger<BearerToken> databricks = Targets.Databricks(new Uri("https://warehouse.example")), login = Targets.VaultLogin(new Uri("https://vault.example:8200"), "orders");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Refused(login, t => t.Identity = "job"), Is.EqualTo($"is missing: a secret is read with a token for Key Vault. {HopRemedy} instead of Identity."));
            Assert.That(Refused(login), Is.EqualTo($"names a login to HashiCorp Vault, whose token must not be seen by Azure. {HopRemedy}."));
            Assert.That(Refused(databricks), Is.EqualTo($"names a target at Databricks, whose token must not be seen by Key Vault. {HopRemedy}."));
            Assert.That(Refused(new PlatformToken("https://storage.azure.com")), Is.EqualTo($"{NotForVault}. {HopRemedy}."));
        }
    }

    private static TokenExchanger KeyVault(string vault, string name = "mail-api", string? version = null) =>
        Targets.KeyVaultStaticKey(new Uri(vault), name, "Mail team", Until, o => o.Version = version);

    // What a job says that is not started for its hop.
    private static string Refused(TokenExchanger<BearerToken> hop, Action<TargetOptions>? mail = null)
    {
        const string Setting = "Targets:mail:Through: ";
        string said = Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload)
            .Target("hop", hop, "job")
            .Target("mail", KeyVault(Vault), mail ?? (t => t.Through = "hop"))
            .Opener<Stream>("mail", (_, _) => new(Stream.Null)).Policy(new TestPolicy()).EndOnSignals(false)))!.Detail;
        Assert.That(said, Does.StartWith(Setting));
        return said[Setting.Length..];
    }

    private sealed class PlatformToken(string audience) : TokenExchanger<BearerToken>
    {
        public override Uri Issuer { get; } = new("urn:platform");

        public override Audience SubjectAudience { get; } = new(audience);

        public override bool IsPlatformIssued => true;

        public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) => throw new InvalidOperationException("Nobody asks.");
    }
}
