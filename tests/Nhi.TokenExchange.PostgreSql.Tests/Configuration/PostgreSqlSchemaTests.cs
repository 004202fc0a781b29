using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>The schema of this package: that of the core, whole, and its own kind, so that one file serves an editor that reads one.</summary>
internal sealed class PostgreSqlSchemaTests() : SettingsSchemaFixture("Nhi.TokenExchange.PostgreSql")
{
    [Test]
    public void The_schema_of_the_core_is_in_it_unchanged()
    {
        JsonObject core = Load("src/Nhi.TokenExchange/ConfigurationSchema.json"), own = Schema;

        Assert.That(own["properties"]!.ToJsonString(), Is.EqualTo(core["properties"]!.ToJsonString()));
        foreach ((string name, JsonNode? definition) in core["definitions"]!.AsObject())
        {
            JsonNode? copy = own["definitions"]![name];
            if (name == "nhiTarget")
                Assert.That(definition!["allOf"]!.AsArray().Select(branch => branch!.ToJsonString()), Is.SubsetOf(copy!["allOf"]!.AsArray().Select(branch => branch!.ToJsonString())), name);
            else
                Assert.That(copy?.ToJsonString(), Is.EqualTo(definition!.ToJsonString()), $"copy definitions/{name} from the schema of the core");
        }
    }

    [Test]
    public void The_page_of_settings_names_each_setting_and_the_kind()
    {
        string page = System.IO.File.ReadAllText(Path.Combine(Repository.Root, "docs", "settings.md"));

        Assert.That(Schema["definitions"]!["nhiExchangePostgresRole"]!["properties"]!.AsObject().Select(property => property.Key).Append("PostgresRole").Where(name => !page.Contains($"`{name}`", StringComparison.Ordinal)), Is.Empty);
    }

    protected override void Compose(TokenExchangeBuilder builder) => builder.PostgreSql();

    protected override bool IsForThisPackage(string place) => !place.Contains("azure", StringComparison.OrdinalIgnoreCase);
}
