using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests.Configuration;

/// <summary>The list of docs/smells.md is what the code knows; what it says is a secret is told, and what it says passes does.</summary>
internal sealed class SecretSmellTests
{
    private static readonly string[] Places = ["", "Job:", "Identities:job:", "Targets:warehouse:", "Audit:", "Targets:warehouse:Deeper:"];
    private static readonly int[] Seeds = [1, 2, 3, 4, 5];

    private static IEnumerable<TestCaseData> Secrets() => Cases([.. SmellPage.Beginnings, .. SmellPage.Parts, .. SmellPage.Shapes]);

    private static IEnumerable<TestCaseData> Harmless() => Cases(SmellPage.Harmless);

    private static IEnumerable<TestCaseData> Cases((string What, string Form)[] forms) =>
        forms.SelectMany(row => Seeds.Select(seed => new TestCaseData(row.Form, seed).SetArgDisplayNames(row.What, $"seed {seed}")));

    [Test]
    public void The_code_knows_the_names_of_the_page()
    {
        Assert.That(SmellPage.Names, Is.EquivalentTo(SecretForms.Names.Concat(SecretForms.NameEndings)));
        Assert.That(SmellPage.Tails, Is.EquivalentTo(SecretForms.NameTails));
        Assert.That(SmellPage.Fronts, Is.EquivalentTo(SecretForms.NameFronts));
    }

    [Test]
    public void Each_beginning_and_part_that_the_code_knows_has_its_form_on_the_page()
    {
        Assert.That(SecretForms.Beginnings.Select(known => known.Text).Where(text => !SmellPage.Beginnings.Any(row => row.Form.StartsWith(text, StringComparison.Ordinal))), Is.Empty);
        string[] forms = [.. SmellPage.Parts.Select(row => SmellPage.Make(row.Form, 1).Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant())];
        Assert.That(SecretForms.Parts.Where(part => !forms.Any(form => form.Contains(part, StringComparison.Ordinal))), Is.Empty);
    }

    [Test]
    public void A_name_is_told_in_every_spelling()
    {
        Assert.That(SmellPage.Names, Has.Length.GreaterThan(50));
        foreach (string name in SmellPage.Names)
        {
            // By seed: capitals anywhere, separators anywhere, a number or an indifferent word behind.
            var random = new Random(name.Length);
            string odd = string.Concat(name.Select((c, i) => (i > 0 && random.Next(3) == 0 ? ["_", "-", "."] : new[] { "" })[0] + (random.Next(2) == 0 ? char.ToUpperInvariant(c) : c)));
            string[] spellings = [name, name.ToUpperInvariant(), odd, char.IsAsciiDigit(name[^1]) ? name : name + "2", name + "Value", name + "_BASE64", SecretForms.NameEndings.Contains(name) ? "Client" + name : name];
            Assert.That(spellings.Where(spelling => !SecretSmell.IsInName(spelling)), Is.Empty);
        }
    }

    [Test]
    public void Words_around_a_name_hide_nothing()
    {
        Assert.That(SmellPage.NamesWithWords, Has.Length.GreaterThan(3).And.All.Matches<string>(SecretSmell.IsInName));
        foreach (string name in SmellPage.Names)
        {
            string[] behind = [.. SmellPage.Tails.SelectMany(word => new[] { $"{name}_{word}", $"{name}-{word}2", $"{name}{word.ToUpperInvariant()}V3", $"{name}2{word}" }), $"{name}V2", $"{name}_v10_old_2"];
            string[] before = [.. SmellPage.Fronts.SelectMany(word => new[] { $"{word}_{name}", $"my-{word}-{name}", $"{word}{name}V2" })];
            Assert.That(behind.Concat(before).Where(spelling => !SecretSmell.IsInName(spelling)), Is.Empty);
        }
    }

    [Test]
    public void No_setting_of_ours_smells_by_its_name()
    {
        string[] files = ["src/Nhi.TokenExchange/ConfigurationSchema.json", "src/Nhi.TokenExchange.Azure/ConfigurationSchema.json"];
        string[] settings = [.. files.SelectMany(file => SettingsIn(JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, file)))!)).Distinct()];

        Assert.That(settings, Has.Length.GreaterThan(35).And.Contains("SubjectAudience").And.Contains("TokenEndpoint").And.Contains("ExpectedIssuer"));
        Assert.That(settings.Where(SecretSmell.IsInName), Is.Empty);
    }

    [Test]
    public void A_name_that_holds_no_secret_is_no_smell()
    {
        Assert.That(SmellPage.HarmlessNames, Has.Length.GreaterThan(20));
        Assert.That(SmellPage.HarmlessNames.Where(SecretSmell.IsInName), Is.Empty);
    }

    [TestCaseSource(nameof(Secrets))]
    public void A_form_of_a_secret_is_told(string form, int seed) => Assert.That(SecretSmell.FormOf(SmellPage.Make(form, seed)), Is.Not.Null);

    [TestCaseSource(nameof(Harmless))]
    public void What_names_things_is_no_secret(string form, int seed) => Assert.That(SecretSmell.FormOf(SmellPage.Make(form, seed)), Is.Null);

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

    [Test]
    public void A_secret_used_as_a_name_is_not_shown_either()
    {
        string secret = SmellPage.Make("dapi[0-9a-f]{32}", 7);

        foreach (string place in Places.Append("Identities:").Append("Targets:"))
            Assert.That(Sections.Refused(Sections.With((place + secret, "x"))).ToString(), Does.Not.Contain(secret), place);
    }

    // Nothing more is said of a setting that has a secret for its value: it is there, and what it was to say nobody knows.
    [TestCase("Identities:job:Source")]
    [TestCase("Targets:warehouse:Exchange")]
    [TestCase("Policy:File")]
    public void A_secret_is_the_only_thing_that_is_said_of_its_setting(string place)
    {
        TokenExchangeException refused = Sections.Refused(Sections.With((place, SmellPage.Make("dapi[0-9a-f]{32}", 7))));

        Assert.That((refused.Code, refused.Message.Split('\n').Count(line => line.Contains("TokenExchange:", StringComparison.Ordinal))), Is.EqualTo(("NHI1002", 1)), refused.Message);
    }

    [Test]
    public void An_identity_may_be_called_token() =>
        Assert.That(() => Sections.Freeze(Sections.With(("Identities:token:Source", "GitHubActions"))), Throws.Nothing);

    [TestCase("Job:Run")]
    [TestCase("Job:Task")]
    public void The_name_of_a_run_may_be_random_and_is_still_no_token(string key)
    {
        Assert.That(() => Sections.Freeze(Sections.With((key, SmellPage.Make("[A-Za-z0-9]{44}", 3)))), Throws.Nothing);
        Assert.That(Sections.Refused(Sections.With((key, SmellPage.Make("ghp_[A-Za-z0-9]{36}", 3)))).Code, Is.EqualTo("NHI1002"));
    }

    [Test]
    public async Task A_secret_in_the_place_of_a_target_s_name_is_not_shown()
    {
        await using TestJob job = await TestJob.StartAsync();
        string secret = SmellPage.Make("dapi[0-9a-f]{32}", 3);

        Assert.That(() => job.Session.Provider<BearerToken>(secret), Throws.TypeOf<TokenExchangeException>().With.Message.StartsWith("NHI1003 There is no target of that name (it looks like a secret and is not shown); there are: warehouse").And.Message.Not.Contain(secret));
    }

    [Test]
    public void A_client_id_may_be_90_random_characters_and_is_still_no_key()
    {
        (string, string?)[] rfc8693 = [("Targets:warehouse:Exchange", "Rfc8693"), ("Targets:warehouse:Host", null), ("Targets:warehouse:Issuer", "https://issuer.example")];

        Assert.That(() => Sections.Freeze(Sections.With([.. rfc8693, ("Targets:warehouse:ClientId", SmellPage.Make("[A-Za-z0-9]{90}", 3))])), Throws.Nothing);
        foreach (string secret in new[] { "[A-Za-z0-9]{128}", "[A-Za-z0-9]{38}/+", "[A-Za-z0-9]{3}8Q~[A-Za-z0-9]{34}" })
            Assert.That(Sections.Refused(Sections.With([.. rfc8693, ("Targets:warehouse:ClientId", SmellPage.Make(secret, 3))])).Code, Is.EqualTo("NHI1002"), secret);
    }

    private static IEnumerable<string> SettingsIn(JsonNode node) => node switch
    {
        JsonObject schema => schema.SelectMany(member => member is { Key: "properties", Value: JsonObject properties } ? properties.Select(property => property.Key).Concat(SettingsIn(properties)) : member.Value is null ? [] : SettingsIn(member.Value)),
        JsonArray list => list.SelectMany(entry => SettingsIn(entry!)),
        _ => [],
    };
}
