using Nhi.TokenExchange.Tests.Configuration;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>docs/faults.md, settings: the section as a whole, secrets, kinds, names and what belongs together.</summary>
internal sealed class BadSettingsTests
{
    private const string W = "Targets:warehouse:";

    private static readonly string[] Places = ["", "Job:", "Identities:job:", W, "Audit:", W + "Deeper:"];

    // Each setting that the good section has or could have, and some that nobody knows.
    private static readonly string[] Keys =
    [
        W + "Host", W + "ClientId", W + "Identity", W + "Note", W + "Scopes:0", W + "MaxLifetime", W + "Exchange", W + "AllowedOrigins:0", W + "AllowHost", W + "Through", W + "Actor", W + "AccountId", W + "SubjectAudience",
        "Identities:job:Path", "Identities:job:Source", "Identities:job:ActsFor", "Job:Purpose", "Job:Run", "Job:Environment", "EndWithin", "TrustRoots", "Note:Deep",
    ];

    [Test]
    public void B1_A_section_with_nothing_in_it_is_shown_the_smallest_one_that_works()
    {
        TokenExchangeException refused = Sections.Refused(Sections.Of([]));
        string sample = refused.Message[refused.Message.IndexOf('{', StringComparison.Ordinal)..(refused.Message.LastIndexOf('}') + 1)];

        Assert.That(refused.Message, Does.StartWith("NHI1001 TokenExchange: is not there, or has nothing in it. Compare the name with that in the settings, or write at least \"TokenExchange\": {"));
        Assert.That(Sections.Freeze(Sections.OfJson($"{{ \"TokenExchange\": {sample} }}")).Targets, Has.Count.EqualTo(1));
    }

    [TestCase("Tragets", "y", "Targets")]
    [TestCase(W + "Hosst", "https://workspace.example", "Host")]
    [TestCase("Job:Pipelines", "x", "Pipeline")]
    [TestCase("Identities:job:ActFor", "Workload", "ActsFor")]
    [TestCase("EndWithn", "00:00:10", "EndWithin")]
    public void B2_An_unknown_setting_is_told_the_nearest_known_one(string key, string value, string nearest) =>
        BadSettings.IsSaid(key, "is an unknown setting", $"Did you mean {nearest}? Known are: ", (key, value));

    [TestCase("Xyzzy:File", "a.jsonl", "Xyzzy")]
    [TestCase("Audit:Xyzzy", "a.jsonl", "Audit:Xyzzy")]
    [TestCase(W + "Xyzzy", "canary", W + "Xyzzy")]
    public void B2_An_unknown_setting_that_is_near_to_none_is_told_all(string key, string value, string path) =>
        BadSettings.IsSaid(path, "is an unknown setting", "Take it out. Known are: ", (key, value));

    [TestCase("a:b:c:d:e:f:g:h:i:j:k:l:m:n:o:p:q:r")]
    public void B2_What_is_nested_too_deep_is_not_walked(string key) =>
        Assert.That(BadSettings.Lines(Sections.Refused(Sections.With((key, "x")))), Does.Contain("NHI1001 TokenExchange:a:b:c:d:e:f:g:h:i:j:k:l:m:n:o:p: is nested too deep. Take it out."));

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
    public void B3_A_setting_named_for_a_static_secret_is_refused_wherever_it_stands(string name)
    {
        foreach (string place in Places)
            BadSettings.IsSaid("NHI1002", place + name, "is not a setting (its value, 6 characters, is not shown): static secrets have no place here", "Remove the secret and rotate it", (place + name, "canary"));
    }

    [TestCase(W + "ClientSecret", "Databricks", "\"Identity\": \"job\", \"Exchange\": \"Databricks\"", "federation policy")]
    [TestCase(W + "ClientSecret", "Rfc8693", "\"Identity\": \"job\", \"Exchange\": \"Rfc8693\"", "RFC 8693")]
    [TestCase(W + "ClientSecret", "JwtBearer", "\"Identity\": \"job\", \"Exchange\": \"JwtBearer\"", "RFC 7523")]
    [TestCase("Identities:job:Password", "Databricks", "\"job\": { \"Source\": \"OidcFile\"", "/var/run/secrets/job/token")]
    [TestCase("Password", "Databricks", "Write an identity under Identities", "name it by the targets")]
    public void B3_The_federated_line_of_that_exchange_is_shown(string key, string exchange, string line, string more) => Assert.That(
        Sections.Refused(Sections.With((W + "Exchange", exchange), (W + "Issuer", exchange == "Databricks" ? null : "https://issuer.example"), (W + "Host", exchange == "Databricks" ? "https://workspace.example" : null), (key, "canary"))).Message,
        Does.StartWith($"NHI1002 TokenExchange:{key}: ").And.Contain(line).And.Contain(more).And.Not.Contain("canary"));

    private static IEnumerable<TestCaseData> Secrets() =>
        from row in SmellPage.Beginnings.Concat(SmellPage.Parts).Concat(SmellPage.Shapes).Index()
        from seed in new[] { 11, 12 }
        let key = Keys[((row.Index * 2) + seed) % Keys.Length]
        // Names of runs may be random: there a shape alone says nothing.
        where key != "Job:Run" || !SmellPage.Shapes.Contains(row.Item)
        select new TestCaseData(key, SmellPage.Make(row.Item.Form, seed)).SetArgDisplayNames(key, row.Item.What, $"seed {seed}");

    [TestCaseSource(nameof(Secrets))]
    public void B4_A_value_shaped_like_a_secret_is_refused_under_any_name_and_never_shown(string key, string value)
    {
        TokenExchangeException refused = Sections.Refused(Sections.With((key, value)));

        Assert.That(refused.Code, Is.EqualTo("NHI1002"));
        Assert.That(refused.Message, Does.Contain($"TokenExchange:{key}: looks like ").And.Contain($"(its value, {value.Length} characters, is not shown)").And.Contain("Remove the secret and rotate it"));
        Assert.That(Canary.FindIn(refused.ToString(), value), Is.Empty);
        foreach (string piece in value.Split([' ', '/', ';', '=', '&', ':', '"', '.', '-', '_']).Where(piece => piece.Length >= 12 && piece.Any(char.IsAsciiDigit)))
            Assert.That(refused.ToString(), Does.Not.Contain(piece));
    }

    [Test]
    public void B5_An_identity_that_is_not_there_is_told_those_that_are()
    {
        BadSettings.IsSaid(W + "Identity", "'job2' is not among the identities: job", "Did you mean 'job'? If not, declare it", (W + "Identity", "job2"));
        BadSettings.IsSaid(W + "Actor", "'job2' is not among the identities: job", "Did you mean 'job'? If not, declare it", (W + "Actor", "job2"));
        BadSettings.IsSaid(W + "Through", "'warehuose' is not among the other targets: none", "Declare it", (W + "Identity", null), (W + "Through", "warehuose"));
        BadSettings.IsSaid(
            "Targets:lake:Through", "'warehuose' is not among the other targets: warehouse", "Did you mean 'warehouse'? If not, declare it",
            ("Targets:lake:Through", "warehuose"), ("Targets:lake:Exchange", "Rfc8693"), ("Targets:lake:Issuer", "https://lake.example"));
        BadSettings.IsSaid(W + "Through", "'lake' is not among the other targets: none", "Declare it", (W + "Identity", null), (W + "Through", "lake"));
    }

    [Test]
    public void B5_A_target_has_exactly_one_proof()
    {
        BadSettings.IsSaid("Targets:warehouse", "names neither Identity nor Through", "Name exactly one", (W + "Identity", null));
        BadSettings.IsSaid("Targets:lake", "names both Identity and Through", "Name exactly one", ("Targets:lake:Identity", "job"), ("Targets:lake:Through", "warehouse"), ("Targets:lake:Exchange", "Rfc8693"), ("Targets:lake:Issuer", "https://lake.example"));
    }

    [Test]
    public void B5_A_section_without_targets_is_told_to_have_one() => BadSettings.IsSaid(
        "Targets", "has no entry", "Declare at least one target", [.. Sections.Good().Keys.Where(key => key.StartsWith(W, StringComparison.Ordinal)).Select(key => (key, (string?)null))]);

    [TestCase(W + "Exchange", "DataBrick", "'DataBrick' is not known", "Did you mean Databricks? Known are: AwsSts, Databricks, GoogleSts, JwtBearer, KeyVaultStaticKey, Rfc8693")]
    [TestCase(W + "Exchange", "RolesAnywhere", "'RolesAnywhere' is not known", "Others are brought by packages, which register them with the builder")]
    [TestCase(W + "Exchange", "canary canary", "is not a known word", "Known are: AwsSts, Databricks, GoogleSts, JwtBearer, KeyVaultStaticKey, Rfc8693")]
    [TestCase(W + "Exchange", null, "is missing", "Write one of: AwsSts, Databricks, GoogleSts, JwtBearer, KeyVaultStaticKey, Rfc8693")]
    [TestCase("Identities:job:Source", "Oidc", "'Oidc' is not known", "Known are: GitHubActions, OidcEnvironmentVariable, OidcFile")]
    [TestCase("Identities:job:Source", "AzureWorkloadIdentity", "'AzureWorkloadIdentity' is not known", "reference it and call builder.Azure()")]
    [TestCase("Identities:job:ActsFor", "Person", "is none of the known words", "Write Proven")]
    public void B6_An_unknown_kind_is_told_the_known_ones(string key, string? value, string what, string remedy) => BadSettings.IsSaid(key, what, remedy, (key, value));

    [TestCase("WAREHOUSE-2")]
    [TestCase("warehouse_2")]
    [TestCase("waré")]
    [TestCase("ware house")]
    [TestCase("a.b")]
    public void B30_A_name_with_other_characters_is_refused(string name)
    {
        BadSettings.IsSaid($"Targets:{name}", "has a name that is empty, too long or has other characters", "lower-case letters, digits and hyphens, at most 64", Renamed("Targets:warehouse", $"Targets:{name}"));
        BadSettings.IsSaid($"Identities:{name}", "has a name that is empty, too long or has other characters", "lower-case letters, digits and hyphens, at most 64", ($"Identities:{name}:Source", "GitHubActions"));
        BadSettings.IsSaid(W + "Identity", "is not a name", "lower-case letters, digits and hyphens, at most 64", (W + "Identity", name));
    }

    [Test]
    public void B30_A_name_that_could_forge_a_line_is_shown_with_dots()
    {
        TokenExchangeException refused = Sections.Refused(Sections.With([.. Renamed("Targets:warehouse", "Targets:ware\nhouse"), ("Targets:ware\nhouse:Host", "x"), ("Job:Pipe\u202eline", "x")]));

        Assert.That(
            BadSettings.Lines(refused),
            Has.Length.EqualTo(3).And.Some.Contains("TokenExchange:Targets:ware·house: has a name").And.Some.Contains("TokenExchange:Targets:ware·house:Host: ").And.Some.Contains("TokenExchange:Job:Pipe·line: "));
        Assert.That(refused.Message.ReplaceLineEndings("\n").Split('\n'), Is.All.Match(@"^(NHI1001 3 settings are wrong:||TokenExchange:Job|Target 'ware·house'|  NHI1001 .+| {10}.+)$"));
    }

    [Test]
    public void B30_A_name_that_is_empty_or_too_long_is_refused()
    {
        string name = new('a', 65);
        BadSettings.IsSaid($"Targets:{name}", "too long", "at most 64", Renamed("Targets:warehouse", $"Targets:{name}"));
        BadSettings.IsSaid("Targets:", "is empty", "at most 64", Renamed("Targets:warehouse", "Targets:"));
        Assert.That(() => Sections.Freeze(Sections.With(Renamed("Targets:warehouse", $"Targets:{name[1..]}"))), Throws.Nothing);
    }

    [TestCase("Identities:job:Source:0", "OidcFile", "is a list")]
    [TestCase("Identities:job:Source:Kind", "OidcFile", "is an object")]
    public void B31_Two_sources_in_one_identity_are_refused(string key, string value, string what)
    {
        string[] said = BadSettings.Lines(Sections.Refused(Sections.With((key, value))));

        Assert.That(said, Has.Length.EqualTo(2));
        Assert.That(said[0], Does.Contain($"TokenExchange:Identities:job:Source: {what}. Write one value."));
        Assert.That(said[1], Does.Contain("TokenExchange:Identities:job: has no usable Source: one identity has one source. Write one word; there are no chains and no fallbacks."));
    }

    [Test]
    public void B32_A_circle_of_targets_is_shown_in_order()
    {
        (string, string?)[] Hop(string name, string through) => [($"Targets:{name}:Through", through), ($"Targets:{name}:Exchange", "Rfc8693"), ($"Targets:{name}:Issuer", $"https://{name}.example/realm")];
        TokenExchangeException refused = Sections.Refused(Sections.With([(W + "Identity", null), (W + "Through", "lake"), .. Hop("lake", "box"), .. Hop("box", "warehouse")]));

        Assert.That(refused.Code, Is.EqualTo("NHI1005"));
        Assert.That(refused.Message, Does.Contain("goes in a circle: box -> warehouse -> lake -> box. Let one of them start from an identity."));
    }

    [Test]
    public void B32_A_target_that_goes_through_itself_is_a_circle_too() =>
        BadSettings.IsSaid("NHI1005", W + "Through", "goes in a circle: warehouse -> warehouse", "Let one of them start from an identity", (W + "Identity", null), (W + "Through", "warehouse"));

    [TestCase("Proxy", "http://proxy.example:3128")]
    [TestCase("HttpsProxy", "http://proxy.example:3128")]
    [TestCase(W + "ProxyUrl", "http://proxy.example:3128")]
    public void B34_A_proxy_is_the_platforms(string key, string value) =>
        BadSettings.IsSaid(key, "is not a setting: the way to issuers is the platform's", "set HTTPS_PROXY and NO_PROXY for the process", (key, value));

    [Test]
    public void B34_The_password_of_a_proxy_is_not_shown() =>
        BadSettings.IsSaid("NHI1002", "Proxy", "looks like an address with a password", "let the proxy know the machine instead of a password", ("Proxy", "http://job:canary@proxy.example:3128"));

    [TestCase("production")]
    [TestCase("Prod")]
    public void B38_A_test_issuer_is_refused_in_production(string environment)
    {
        (string, string?) host = (W + "Host", "https://warehouse.emulator.invalid");

        BadSettings.IsSaid("Targets:warehouse", "has a test issuer, warehouse.emulator.invalid, while the job's environment is production", "Name the real issuer", host, ("Job:Environment", environment));
        Assert.That(() => Sections.Freeze(Sections.With(host, ("Job:Environment", "test"))), Throws.Nothing);
    }

    [TestCase(W + "SkipTlsVerify")]
    [TestCase(W + "TrustServerCertificate")]
    [TestCase("DangerousAcceptAnyServerCertificateValidator")]
    [TestCase("insecure_skip_verify")]
    [TestCase("Identities:job:VerifySsl")]
    public void B39_There_is_no_switch_that_weakens_TLS(string key) =>
        BadSettings.IsSaid(key, "is not a setting: nothing here weakens TLS", "name the file of your certificate authority as TrustRoots", (key, "true"));

    private static (string, string?)[] Renamed(string from, string to) =>
        [.. Sections.Good().Where(setting => setting.Key.StartsWith(from + ":", StringComparison.Ordinal)).SelectMany(setting => new (string, string?)[] { (setting.Key, null), (to + setting.Key[from.Length..], setting.Value) })];
}
