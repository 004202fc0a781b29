using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests.Configuration;

/// <summary>The schema of the core.</summary>
[Parallelizable]
internal sealed class SettingsSchemaTests() : SettingsSchemaFixture("Nhi.TokenExchange")
{
    private const string Good = """
        { "Job":        { "Pipeline": "orders-nightly" },
          "Identities": { "job": { "Source": "OidcFile", "Path": "/var/run/secrets/job/token" } },
          "Targets":    { "warehouse": { "Identity": "job", "Exchange": "Databricks", "Host": "https://workspace.example", "Scopes": [ "sql" ] },
                          "archive":   { "Through": "warehouse", "Exchange": "Rfc8693", "Issuer": "https://issuer.example" } } }
        """;

    // The place of a setting, and what is wrong with it; null takes it out.
    [TestCase("Tragets", "{}")]
    [TestCase("EndWithin", "\"10\"")]
    [TestCase("MaxDuration", "\"00:00:00\"")]
    [TestCase("MaxDuration", "\"24:00:00\"")]
    [TestCase("KillSwitch", "\"/run/orders/\"")]
    [TestCase("Journal", "\"/var/lib/orders/\"")]
    [TestCase("FailOnUnrevoked", "\"no\"")]
    [TestCase("Audit", "{}")]
    [TestCase("Audit", "\"audit\"")]
    [TestCase("Audit", "{ \"Folder\": \"/var/lib/orders/audit/\" }")]
    [TestCase("Audit", "{ \"Folder\": \"/var/lib/orders/audit\", \"Required\": \"no\" }")]
    [TestCase("Audit", "{ \"Folder\": \"/var/lib/orders/audit\", \"PartBytes\": 1000 }")]
    [TestCase("Audit", "{ \"Folder\": \"/var/lib/orders/audit\", \"AnchorEvery\": 0 }")]
    [TestCase("Audit", "{ \"Folder\": \"/var/lib/orders/audit\", \"AnchorEvry\": 10 }")]
    [TestCase("Audit", "{ \"Log\": true, \"Required\": true }")]
    [TestCase("Audit", "{ \"Collector\": { \"Endpoint\": \"https://collector.example\" } }")]
    [TestCase("Audit", "{ \"Collector\": { \"Endpoint\": \"http://collector.example\", \"Spool\": \"/var/lib/orders/spool\" } }")]
    [TestCase("Audit", "{ \"Collector\": { \"Endpoint\": \"https://collector.example?key=x\", \"Spool\": \"/var/lib/orders/spool\" } }")]
    [TestCase("Audit", "{ \"Collector\": { \"Endpoint\": \"https://collector.example\", \"Spool\": \"/var/lib/orders/spool\", \"Format\": \"Csv\" } }")]
    [TestCase("Audit", "{ \"Collector\": { \"Endpoint\": \"https://collector.example\", \"Spool\": \"/var/lib/orders/spool\", \"ApiVersion\": \"a b\" } }")]
    [TestCase("Audit", "{ \"Collector\": { \"Endpoint\": \"https://collector.example\", \"Spool\": \"/var/lib/orders/spool\", \"SpoolBytes\": 1000 } }")]
    [TestCase("TrustRoots", "\"~/roots.pem\"")]
    [TestCase("Policy", "{}")]
    [TestCase("Policy", "\"nhi.policy.json\"")]
    [TestCase("Policy", "{ \"File\": \"~/nhi.policy.json\" }")]
    [TestCase("Policy", "{ \"File\": \"nhi.policy.json\", \"Mode\": \"observe\" }")]
    [TestCase("Job/Pipelin", "\"x\"")]
    [TestCase("Job/FromRuntime", "\"no\"")]
    [TestCase("Job/Pipeline", "\"\"")]
    [TestCase("Job", "\"x\"")]
    [TestCase("Identities/Bad_Name", "{ \"Source\": \"GitHubActions\" }")]
    [TestCase("Identities/job/Source", "\"OidcFiles\"")]
    [TestCase("Identities/job/Source", "[ \"OidcFile\", \"GitHubActions\" ]")]
    [TestCase("Identities/job/Path", "\"\"")]
    [TestCase("Identities/job/Path", "\"/run/$USER/token\"")]
    [TestCase("Identities/job/Path", "\"/run/job/\"")]
    [TestCase("Identities/job/Path", null)]
    [TestCase("Identities/job/Variable", "\"X\"")]
    [TestCase("Identities/job/ActsFor", "\"Person\"")]
    [TestCase("Targets/warehouse/Identity", null)]
    [TestCase("Targets/warehouse/Identity", "\"Job 2\"")]
    [TestCase("Targets/warehouse/Through", "\"account\"")]
    [TestCase("Targets/archive/AttestingIssuer", "\"https://cluster.example\"")]
    [TestCase("Targets/warehouse/Exchange", "\"DataBricks\"")]
    [TestCase("Targets/warehouse/Exchange", null)]
    [TestCase("Targets/warehouse/Host", "\"http://workspace.example\"")]
    [TestCase("Targets/warehouse/Host", "\"https://workspace.example/sql\"")]
    [TestCase("Targets/warehouse/Host", "\"https://job@workspace.example\"")]
    [TestCase("Targets/warehouse/Hosst", "\"https://workspace.example\"")]
    [TestCase("Targets/warehouse/ClientId", "\"orders\"")]
    [TestCase("Targets/warehouse/ClientSecret", "\"x\"")]
    [TestCase("Targets/warehouse/Scopes", "\"sql\"")]
    [TestCase("Targets/warehouse/Scopes", "[]")]
    [TestCase("Targets/warehouse/Scopes", "[ \"sql\", \"sql\" ]")]
    [TestCase("Targets/warehouse/Scopes", "[ \"a b\" ]")]
    [TestCase("Targets/warehouse/MaxLifetime", "\"1h\"")]
    [TestCase("Targets/warehouse/MaxLifetime", "\"13:00:00\"")]
    [TestCase("Targets/warehouse/AllowedOrigins", "[ \"workspace.example\" ]")]
    public async Task What_is_not_of_the_closed_shape_is_refused_by_schema_and_reader(string place, string? value)
    {
        JsonObject section = JsonNode.Parse(Good)!.AsObject();
        string[] path = place.Split('/');
        JsonObject parent = path[..^1].Aggregate(section, (at, name) => at[name]!.AsObject());
        parent.Remove(path[^1]);
        if (value is not null)
            parent[path[^1]] = JsonNode.Parse(value);

        Assert.That(await RefusedAsync(section), Is.Not.Null);
        Assert.That(FlawsOf(section), Is.Not.Empty);
        string setting = $"/TokenExchange/{place}", room = setting[..setting.LastIndexOf('/')];
        Assert.That(PlacesOfFlaws(section), Is.All.EqualTo(room).Or.EqualTo(setting).Or.StartsWith(setting + "/"), "an editor underlines what is wrong, and nothing else");
    }

    // What an editor can't know, the start says: a list becomes settings 0, 1 and so on, which would pass for names.
    [TestCase("Identities", """[ { "Source": "OidcFile", "Path": "/var/run/secrets/job/token" } ]""", "TokenExchange:Identities: is a list, whose entries have no names", "\"Identities\": { \"job\": {")]
    [TestCase("Targets", """[ { "Identity": "job", "Exchange": "Databricks", "Host": "https://workspace.example" } ]""", "TokenExchange:Targets: is a list, whose entries have no names", "\"Targets\": { \"warehouse\": {")]
    [TestCase("Job", """[ "orders-nightly" ]""", "TokenExchange:Job: is a list", "\"Job\": { \"Pipeline\":")]
    [TestCase("Targets/warehouse/AuthorizationDetails", """[ { "type": "sql" } ]""", "TokenExchange:Targets:warehouse:AuthorizationDetails: is a list", "as one text, its quotes escaped")]
    [TestCase("Targets/warehouse/AuthorizationDetails", """{ "type": "sql" }""", "TokenExchange:Targets:warehouse:AuthorizationDetails: is an object", "as one text, its quotes escaped")]
    [TestCase("Targets/warehouse/AuthorizationDetails", "\"{ \\\"type\\\": \\\"sql\\\" }\"", "TokenExchange:Targets:warehouse:AuthorizationDetails: is one JSON object, not an array of them", "as one text, its quotes escaped")]
    public async Task What_has_another_shape_is_told_by_it_with_what_to_write_and_nothing_else_is(string place, string value, string what, string remedy)
    {
        JsonObject section = JsonNode.Parse(Good)!.AsObject();
        string[] path = place.Split('/');
        path[..^1].Aggregate(section, (at, name) => at[name]!.AsObject())[path[^1]] = JsonNode.Parse(value);

        Assert.That(await RefusedAsync(section), Does.StartWith($"NHI1001 {what}").And.Contain(remedy));
        Assert.That(PlacesOfFlaws(section), Is.EqualTo([$"/TokenExchange/{place}"]));
    }

    [TestCase("https://warehouse.example/orders?zone=eu", true)]
    [TestCase("http://warehouse.example", true)]
    [TestCase("https://[2001:db8::1]/", true)]
    [TestCase("urn:example:orders", true)]
    [TestCase("api://orders", true)]
    [TestCase("urn:example:orders#x", false)]
    [TestCase("/orders", false)]
    [TestCase("C:/orders", false)]
    [TestCase("orders", false)]
    [TestCase("urn:", false)]
    [TestCase("https://", false)]
    [TestCase("https:warehouse.example", false)]
    [TestCase("urn:example:a b", false)]
    public async Task A_resource_is_any_absolute_URI_without_fragment_to_schema_and_reader(string resource, bool isTaken)
    {
        foreach (string exchange in new[] { "Rfc8693", "JwtBearer" })
        {
            JsonObject section = JsonNode.Parse(Good)!.AsObject();
            section["Targets"]!["warehouse"] = new JsonObject { ["Identity"] = "job", ["Exchange"] = exchange, ["Issuer"] = "https://issuer.example", ["Resources"] = new JsonArray(resource) };

            Assert.That((await RefusedAsync(section) is null, FlawsOf(section).Count == 0), Is.EqualTo((isTaken, isTaken)), exchange);
        }
    }

    [Test]
    public async Task A_line_for_the_editor_is_tolerated_by_schema_and_reader()
    {
        JsonObject section = JsonNode.Parse(Good)!.AsObject();
        section["$schema"] = "./ConfigurationSchema.json";

        Assert.That((await RefusedAsync(section), FlawsOf(section)), Is.EqualTo(((string?)null, Array.Empty<string>())));
    }

    protected override bool IsForThisPackage(string place) => !place.Contains("azure", StringComparison.OrdinalIgnoreCase) && !place.Contains("postgresql", StringComparison.OrdinalIgnoreCase);
}
