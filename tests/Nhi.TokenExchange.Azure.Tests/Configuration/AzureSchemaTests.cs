using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>The schema of this package: that of the core, whole, and its own kinds, so that one file serves an editor that reads one.</summary>
[NonParallelizable]
internal sealed class AzureSchemaTests() : SettingsSchemaFixture("Nhi.TokenExchange.Azure")
{
    private static readonly (string Name, string Value)[] Pod = [("AZURE_TENANT_ID", EntraCalls.Tenant), ("AZURE_CLIENT_ID", EntraCalls.Client)];

    private string?[] _before = [];

    [OneTimeSetUp]
    public void SetWhatTheWebhookSets()
    {
        _before = [.. Pod.Select(variable => Environment.GetEnvironmentVariable(variable.Name))];
        foreach ((string name, string value) in Pod)
            Environment.SetEnvironmentVariable(name, value);
    }

    [OneTimeTearDown]
    public void SetItBack()
    {
        foreach (((string name, _), string? value) in Pod.Zip(_before))
            Environment.SetEnvironmentVariable(name, value);
    }

    [Test]
    public void The_schema_of_the_core_is_in_it_unchanged()
    {
        JsonObject core = Load("src/Nhi.TokenExchange/ConfigurationSchema.json"), own = Schema;

        Assert.That(own["properties"]!.ToJsonString(), Is.EqualTo(core["properties"]!.ToJsonString()));
        foreach ((string name, JsonNode? definition) in core["definitions"]!.AsObject())
        {
            JsonNode? copy = own["definitions"]![name];
            if (name is "nhiIdentity" or "nhiTarget")
                AssertHasAll(core["definitions"]![name]!["allOf"]!.AsArray(), copy!["allOf"]!.AsArray(), name);
            else
                Assert.That(copy?.ToJsonString(), Is.EqualTo(definition!.ToJsonString()), $"copy definitions/{name} from the schema of the core");
        }
    }

    [Test]
    public void The_page_of_settings_names_each_setting_and_each_kind()
    {
        string page = System.IO.File.ReadAllText(Path.Combine(Repository.Root, "docs", "settings.md"));
        var section = Schema["properties"]!["TokenExchange"]!["properties"]!.AsObject();
        IEnumerable<JsonObject> objects = Schema["definitions"]!.AsObject().Select(definition => definition.Value!["properties"]?.AsObject()).OfType<JsonObject>().Append(section).Append(section["Job"]!["properties"]!.AsObject());

        Assert.That(
            objects.SelectMany(properties => properties).SelectMany(property => new[] { property.Key, property.Value!["const"]?.GetValue<string>() }).OfType<string>().Distinct().Where(name => !page.Contains($"`{name}`", StringComparison.Ordinal)),
            Is.Empty);
    }

    [TestCase("""{ "Source": "ManagedIdentity", "ClientId": "0b1c0000-0000-4000-8000-0000000000bb", "ObjectId": "0b1c0000-0000-4000-8000-0000000000bb" }""")]
    [TestCase("""{ "Source": "ManagedIdentity", "ClientId": "loader" }""")]
    [TestCase("""{ "Source": "AzureWorkloadIdentity", "Path": "/var/run/token" }""")]
    public async Task An_identity_of_another_shape_is_refused_by_schema_and_reader(string identity)
    {
        var section = new JsonObject
        {
            ["Identities"] = new JsonObject { ["job"] = JsonNode.Parse(identity) },
            ["Targets"] = JsonNode.Parse("""{ "lake": { "Identity": "job", "Exchange": "ManagedIdentity", "Resource": "https://storage.azure.com" } }"""),
        };

        Assert.That(await RefusedAsync(section), Is.Not.Null);
        Assert.That(FlawsOf(section), Is.Not.Empty);
    }

    private static void AssertHasAll(JsonArray core, JsonArray own, string name) =>
        Assert.That(core.Select(branch => branch!.ToJsonString()), Is.SubsetOf(own.Select(branch => branch!.ToJsonString())), name);

    protected override void Compose(TokenExchangeBuilder builder) => builder.Azure();

    protected override bool IsForThisPackage(string place) => !place.Contains("postgresql", StringComparison.OrdinalIgnoreCase);
}
