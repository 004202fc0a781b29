namespace Nhi.TokenExchange.Tests.Configuration;

internal sealed class SecretSmellTests
{
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    private static readonly string[] Places = ["", "Job:", "Identities:job:", "Targets:warehouse:", "Audit:", "Targets:warehouse:Deeper:"];

    [TestCase("ClientSecret")]
    [TestCase("client_secret")]
    [TestCase("Password")]
    [TestCase("ApiKey")]
    [TestCase("API-KEY")]
    [TestCase("Pat")]
    [TestCase("Token")]
    [TestCase("AccessToken")]
    [TestCase("AccountKey")]
    [TestCase("PrivateKey")]
    [TestCase("SharedAccessKey")]
    [TestCase("ConnectionString")]
    [TestCase("SecretAccessKey")]
    [TestCase("SasToken")]
    public void A_setting_named_for_a_static_secret_is_refused_wherever_it_stands(string name)
    {
        foreach (string place in Places)
        {
            TokenExchangeException refused = Sections.Refused(Sections.With((place + name, "canary")));

            Assert.That(refused.Code, Is.EqualTo("NHI1002"), place);
            Assert.That(refused.Message, Does.Contain($"TokenExchange:{place}{name}: is not a setting (its value, 6 characters, is not shown): static secrets have no place here").And.Not.Contain("canary"));
        }
    }

    [Test]
    public void The_line_to_write_instead_is_that_of_the_exchange()
    {
        Assert.That(Sections.Refused(Sections.With(("Targets:warehouse:ClientSecret", "x"))).Message, Does.Contain("\"Identity\": \"job\", \"Exchange\": \"Databricks\""));
        Assert.That(Sections.Refused(Sections.With(("Identities:job:Password", "x"))).Message, Does.Contain("\"job\": { \"Source\": \"OidcFile\""));
    }

    [Test]
    public void A_kind_cannot_make_room_for_a_secret()
    {
        string? got = null;
        Sections.Refused(
            Sections.With(("Targets:warehouse:Exchange", "AcmeSts"), ("Targets:warehouse:ClientId", null), ("Targets:warehouse:ClientSecret", "canary")),
            b => b.ExchangerKind("AcmeSts", settings =>
            {
                got = settings.Text("ClientSecret");
                return Targets.Databricks(settings.HttpsOrigin("Host"));
            }));

        Assert.That(got, Is.Not.Null.And.Not.EqualTo("canary"));
    }

    private static IEnumerable<TestCaseData> Shapes()
    {
        // Made at run time by seed; none of them was ever anybody's.
        for (int seed = 1; seed <= 12; seed++)
        {
            var random = new Random(seed);
            string Some(int length, string? from = null) => new(random.GetItems<char>(from ?? Letters, length));
            string Hex(int length) => Some(length, "0123456789abcdef");
            (string Form, string Value)[] shapes =
            [
                ("a JWT", "ey" + "J" + Some(30) + "." + Some(60) + "." + Some(43)),
                ("a PEM block", "-----BEGIN " + "PRIVATE KEY-----\n" + Some(64) + "\n-----END"),
                ("base64", Some(42) + "+/"),
                ("base64url", Some(30) + "-_" + Some(12)),
                ("hex", Hex(64)),
                ("a connection string", "Server=tcp:db.example;User Id=job; Password = " + Some(8)),
                ("a storage key", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=" + Some(20)),
                ("a signed URL", "https://a.example/b?sv=1&sig=" + Some(20)),
                ("an address with a password", $"https://job:{Some(6)}@db.example/x"),
                ("Databricks", "dapi" + Hex(32)),
                ("GitHub", "ghp" + "_" + Some(36)),
                ("AWS", "AKIA" + Some(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")),
                ("Vault", "hvs" + "." + Some(24)),
                ("Entra", Some(3) + "8" + "Q~" + Some(34)),
                ("a header", "Bearer " + Some(20)),
            ];
            foreach ((string form, string value) in shapes)
                yield return new TestCaseData(seed, value).SetArgDisplayNames(form, $"seed {seed}");
        }
    }

    [TestCaseSource(nameof(Shapes))]
    public void A_value_shaped_like_a_secret_is_refused_under_a_harmless_name_and_never_shown(int seed, string value)
    {
        string[] harmless = ["Targets:warehouse:Host", "Targets:warehouse:ClientId", "Targets:warehouse:Identity", "Targets:warehouse:Note", "Targets:warehouse:Scopes:0", "Targets:warehouse:MaxLifetime", "Targets:warehouse:Exchange", "Identities:job:Path", "Identities:job:Source", "Job:Purpose", "EndWithin", "Note:Deep"];
        string key = harmless[seed % harmless.Length];
        TokenExchangeException refused = Sections.Refused(Sections.With((key, value)));

        Assert.That(refused.Code, Is.EqualTo("NHI1002"));
        Assert.That(refused.Message, Does.Contain("TokenExchange:" + key).And.Contain($"{value.Length} characters"));
        for (int i = 0; i + 12 <= value.Length; i++)
        {
            string piece = value.Substring(i, 12);
            if (piece.Count(char.IsAsciiLetterOrDigit) == 12)
                Assert.That(refused.ToString(), Does.Not.Contain(piece));
        }
    }

    [Test]
    public void A_secret_used_as_a_name_is_not_shown_either()
    {
        string secret = "dapi" + new string(new Random(7).GetItems<char>("0123456789abcdef", 32));

        foreach (string place in Places.Append("Identities:").Append("Targets:"))
            Assert.That(Sections.Refused(Sections.With((place + secret, "x"))).ToString(), Does.Not.Contain(secret), place);
    }

    [TestCase("https://adb-1234567890123456.7.azuredatabricks.net")]
    [TestCase("6f1c1f3e-0000-4000-8000-00000000beef")]
    [TestCase("2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default")]
    [TestCase("/var/run/secrets/kubernetes.io/serviceaccount/Token2026/projected")]
    [TestCase("//iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/Pool1/providers/Provider1")]
    [TestCase("projects/123456/locations/global/workloadIdentityPools/myPool1/providers/myProvider")]
    [TestCase("arn:aws:iam::123456789012:role/OrdersNightlyLoad")]
    [TestCase("repo:owner@123/name@456:environment:Production")]
    [TestCase("0af7651916cd43dd8448eb211c80319c")]
    [TestCase("da39a3ee5e6b4b0d3255bfef95601890afd80709")]
    [TestCase("orders-nightly-load-of-the-warehouse-2026-11-24")]
    [TestCase("spiffe://example.org/ns/orders/sa/nightly")]
    [TestCase("api://AzureADTokenExchange")]
    [TestCase("urn:ietf:params:oauth:token-type:access_token")]
    [TestCase("AzureStorageBlobDataContributorRole2")]
    public void What_names_things_is_no_secret(string value) => Assert.That(SecretSmell.FormOf(value), Is.Null);

    [TestCase("TokenEndpoint")]
    [TestCase("Path")]
    [TestCase("ClientId")]
    [TestCase("SubjectTokenType")]
    [TestCase("Partition")]
    [TestCase("Compat")]
    public void A_name_that_holds_no_secret_is_no_smell(string name) => Assert.That(SecretSmell.IsInName(name), Is.False);

    [Test]
    public void An_identity_may_be_called_token() =>
        Assert.That(() => Sections.Freeze(Sections.With(("Identities:token:Source", "GitHubActions"))), Throws.Nothing);

    [Test]
    public void The_name_of_a_run_may_be_random() =>
        Assert.That(() => Sections.Freeze(Sections.With(("Job:Run", "Zk3vQ9xT1mB7pL5cR8wY2nD6sH4jF0gA"))), Throws.Nothing);
}
