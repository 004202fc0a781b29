using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Json.Schema;
using Microsoft.Extensions.Configuration;

namespace Nhi.TokenExchange.Tests;

/// <summary>The schema that a package ships and the reader of settings say the same, seen from outside: what the error about an unknown setting lists is what is read.</summary>
/// <param name="package">The package, which is its folder under src.</param>
internal abstract partial class SettingsSchemaFixture(string package)
{
    private const string Unknown = "Zzyzx";

    private JsonSchema? _judge;   // made once: it is asked thousands of times

    protected string File => $"src/{package}/ConfigurationSchema.json";

    protected JsonObject Schema => Load(File);

    private JsonObject Definitions => Schema["definitions"]!.AsObject();

    private JsonObject Section => Schema["properties"]!["TokenExchange"]!["properties"]!.AsObject();

    // A definition with a constant Source or Exchange is a kind.
    private IEnumerable<(string Definition, string Word, string Kind)> Kinds() =>
        from definition in Definitions
        from word in new[] { "Source", "Exchange" }
        where definition.Value!["properties"]?[word]?["const"] is not null
        select (definition.Key, word, definition.Value!["properties"]![word]!["const"]!.GetValue<string>());

    [TestCase("Source")]
    [TestCase("Exchange")]
    public async Task Kinds_in_the_schema_are_those_that_are_known(string word)
    {
        JsonObject section = Minimal(Kinds().First(kind => kind.Word == word), out JsonObject entry);
        entry[word] = Unknown;

        Assert.That(Kinds().Where(kind => kind.Word == word).Select(kind => kind.Kind), Is.EquivalentTo(KnownIn(await RefusedAsync(section), $"'{Unknown}' is not known")), File);
    }

    [Test]
    public void Each_kind_is_chosen_by_its_word_and_no_other_kind_is_tried()
    {
        foreach ((string definition, string word, string kind) in Kinds())
        {
            JsonObject chooser = Definitions[word == "Source" ? "nhiIdentity" : "nhiTarget"]!.AsObject();
            string[] words = [.. Kinds().Where(other => other.Word == word).Select(other => other.Kind)];
            JsonNode branch = chooser["allOf"]!.AsArray().Single(one => one!["if"]!["properties"]?[word]?["const"]?.GetValue<string>() == kind)!;

            Assert.That(chooser["properties"]![word]!["enum"]!.AsArray().Select(one => one!.GetValue<string>()), Is.EqualTo(words));
            Assert.That(branch["then"]!["$ref"]!.GetValue<string>(), Is.EqualTo($"#/definitions/{definition}"));
        }
    }

    [Test]
    public void A_wrong_setting_of_a_kind_is_the_only_thing_that_the_schema_speaks_of()
    {
        foreach ((string Definition, string Word, string Kind) kind in Kinds())
        {
            JsonObject properties = Definitions[kind.Definition]!["properties"]!.AsObject();
            foreach (string name in properties.Select(property => property.Key).Where(name => name != kind.Word && name != "Through" && !(IsForbidden(properties, name) && name == "Identity")).Append(Unknown))
            {
                JsonObject section = Minimal(kind, out JsonObject entry);
                entry[name] = -7;   // neither a text nor a number that counts something
                string place = $"/TokenExchange/{(kind.Word == "Source" ? "Identities" : "Targets")}/under-test/{name}";
                Assert.That(PlacesOfFlaws(section), Is.EqualTo([place]), $"{kind.Definition} {name}");
            }
        }
    }

    [Test]
    public async Task Settings_in_the_schema_are_those_that_are_read()
    {
        var wrong = new List<string>();
        foreach ((string Definition, string Word, string Kind) kind in Kinds())
        {
            JsonObject section = Minimal(kind, out JsonObject entry);
            entry[Unknown] = "x";
            Compare($"definitions/{kind.Definition}", Definitions[kind.Definition]!["properties"]!.AsObject(), await RefusedAsync(section));
        }
        JsonObject whole = Minimal(Kinds().First(), out _);
        whole[Unknown] = "x";
        Compare("properties/TokenExchange", Section, await RefusedAsync(whole));
        JsonObject job = Minimal(Kinds().First(), out _);
        job["Job"] = new JsonObject { [Unknown] = "x" };
        Compare("properties/TokenExchange/properties/Job", Section["Job"]!["properties"]!.AsObject(), await RefusedAsync(job));
        Assert.That(wrong, Is.Empty);

        void Compare(string where, JsonObject properties, string? message)
        {
            string[] read = KnownIn(message, $":{Unknown}: is an unknown setting"), written = [.. properties.Select(property => property.Key).Where(name => name != "$schema")];
            if (read.Except(written).Any() || written.Except(read).Any())
                wrong.Add($"{File}, {where}/properties (and every schema that copies it): add [{string.Join(", ", read.Except(written))}], take out [{string.Join(", ", written.Except(read))}]");
        }
    }

    [Test]
    public async Task Each_example_in_the_schema_is_taken_by_schema_and_reader()
    {
        foreach ((string Definition, string Word, string Kind) kind in Kinds())
        {
            JsonObject properties = Definitions[kind.Definition]!["properties"]!.AsObject();
            foreach (string name in properties.Select(property => property.Key).Where(name => !IsForbidden(properties, name)))
            {
                JsonObject section = Minimal(kind, out JsonObject entry);
                if (name != kind.Word)
                    entry[name] = ExampleOf(properties[name]!);
                if (name == "AllowUnstatedDetails")
                    entry["AuthorizationDetails"] = ExampleOf(properties["AuthorizationDetails"]!);
                foreach (string other in (Definitions[kind.Definition]!["dependencies"]?[name]?.AsArray() ?? new JsonArray()).Select(one => one!.GetValue<string>()))
                    entry[other] ??= ExampleOf(properties[other]!);
                if (name == "Through")
                    entry.Remove("Identity");
                if (IsStaticKey(entry) && name is "Header" or "Scheme" or "User")
                {
                    entry["AllowedOrigins"] = ExampleOf(properties["AllowedOrigins"]!);
                    entry["Header"] = ExampleOf(properties["Header"]!);
                    entry["Scheme"] = ExampleOf(properties["Scheme"]!);
                }
                Assert.That(await RefusedAsync(section), Is.Null, $"{kind.Definition} {name}");
                Assert.That(FlawsOf(section), Is.Empty, $"{kind.Definition} {name}");
            }
        }
    }

    [Test]
    public async Task What_the_schema_requires_is_missed_by_both()
    {
        foreach ((string Definition, string Word, string Kind) kind in Kinds())
        {
            foreach (string name in Definitions[kind.Definition]!["required"]!.AsArray().Select(name => name!.GetValue<string>()))
            {
                JsonObject section = Minimal(kind, out JsonObject entry);
                entry.Remove(name);
                Assert.That(await RefusedAsync(section), Does.Contain($":{name}: "), $"{kind.Definition} {name}");
                Assert.That(FlawsOf(section), Is.Not.Empty, $"{kind.Definition} {name}");
            }
        }
    }

    [Test]
    public async Task What_is_a_list_in_the_schema_is_one_to_the_reader_and_nothing_else_is()
    {
        foreach ((string Definition, string Word, string Kind) kind in Kinds())
        {
            JsonObject properties = Definitions[kind.Definition]!["properties"]!.AsObject();
            foreach (string name in properties.Select(property => property.Key))
            {
                bool isList = Resolve(properties[name]!)["type"]?.GetValue<string>() == "array";
                JsonObject section = Minimal(kind, out JsonObject entry);
                entry[name] = isList ? "x" : new JsonArray("x");
                Assert.That(await RefusedAsync(section), Does.Contain($":{name}: {(isList ? "is one value" : "is a list")}"), $"{kind.Definition} {name}");
                Assert.That(FlawsOf(section), Is.Not.Empty, $"{kind.Definition} {name}");
                entry[name] = new JsonObject { ["x"] = "y" };
                Assert.That(await RefusedAsync(section), Does.Contain(isList ? $":{name}:x: is no entry of a list" : $":{name}: is an object"), $"{kind.Definition} {name}");
                Assert.That(FlawsOf(section), Is.Not.Empty, $"{kind.Definition} {name}");
            }
        }
    }

    [Test]
    public void Each_kind_is_closed_and_each_setting_has_a_description_and_an_example()
    {
        foreach ((string definition, string word, _) in Kinds())
        {
            Assert.That(Definitions[definition]!["additionalProperties"]!.GetValue<bool>(), Is.False, definition);
            foreach ((string name, JsonNode? property) in Definitions[definition]!["properties"]!.AsObject())
            {
                Assert.That(Resolve(property!)["description"]?.GetValue<string>(), Does.EndWith("."), $"{definition} {name}");
                Assert.That(name == word || Resolve(property!)["examples"]!.AsArray().Count > 0, $"{definition} {name}");
            }
        }
    }

    [Test]
    public void Every_example_of_settings_in_docs_and_samples_is_taken()
    {
        (string Place, JsonObject Settings)[] examples = [.. Examples().Where(example => IsForThisPackage(example.Place))];

        Assert.That(examples, Is.Not.Empty);
        foreach ((string place, JsonObject settings) in examples)
            Assert.That(FlawsOf(settings["TokenExchange"]!.AsObject()), Is.Empty, place);
    }

    [Test]
    [CancelAfter(300_000)]
    public async Task The_package_carries_the_schema_and_tells_editors_of_it(CancellationToken cancellationToken)
    {
        string folder = Directory.CreateTempSubdirectory("nhi-pack-").FullName;
        try
        {
            string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;   // bin/Debug/net10.0
            var start = new ProcessStartInfo("dotnet", ["pack", Path.Combine(Repository.Root, "src", package), "--no-build", "--no-restore", "-c", configuration, "-o", folder, "-v", "q", "-nodeReuse:false"]) { RedirectStandardOutput = true, RedirectStandardError = true };
            using Process pack = Process.Start(start)!;
            Task<string> said = pack.StandardOutput.ReadToEndAsync(cancellationToken), error = pack.StandardError.ReadToEndAsync(cancellationToken);
            await pack.WaitForExitAsync(cancellationToken);
            Assert.That(pack.ExitCode, Is.Zero, await said + await error);

            using ZipArchive archive = ZipFile.OpenRead(Directory.EnumerateFiles(folder, "*.nupkg").Single());
            using var schema = new StreamReader(archive.GetEntry("ConfigurationSchema.json")!.Open());
            Assert.That(await schema.ReadToEndAsync(cancellationToken), Is.EqualTo(System.IO.File.ReadAllText(Path.Combine(Repository.Root, File))));
            using Stream targets = archive.GetEntry($"buildTransitive/{package}.targets")!.Open();
            XElement item = XDocument.Load(targets).Descendants("JsonSchemaSegment").Single();
            Assert.That(item.Attribute("Include")!.Value, Is.EqualTo(@"$(MSBuildThisFileDirectory)..\ConfigurationSchema.json"), "beside the folder of the targets");
            Assert.That(new[] { "appsettings.json", "appsettings.Production.json" }, Is.All.Match(item.Attribute("FilePathPattern")!.Value));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    protected virtual void Compose(TokenExchangeBuilder builder)
    {
    }

    protected virtual bool IsForThisPackage(string place) => true;

    protected static JsonObject Load(string file) => JsonNode.Parse(System.IO.File.ReadAllText(Path.Combine(Repository.Root, file)))!.AsObject();

    /// <summary>What the reader says of a section; null if it is taken.</summary>
    protected async Task<string?> RefusedAsync(JsonObject section)
    {
        string json = new JsonObject { ["TokenExchange"] = section.DeepClone() }.ToJsonString();
        IConfigurationSection settings = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build().GetSection("TokenExchange");
        try
        {
            await using JobSession job = await JobSession.StartAsync(builder =>
            {
                Compose(builder.Configuration(settings).EndOnSignals(false));
                if (IsStaticKey((section["Targets"] as JsonObject)?["under-test"]))   // what settings alone can't say of such a target
                    builder.Policy(PolicyDocument.Parse("""{ "version": 1, "revision": 1, "rules": [] }""")).Opener<Stream>("under-test", (_, _) => new(Stream.Null));
            });
            return null;
        }
        catch (TokenExchangeException refused)
        {
            return refused.Message;
        }
    }

    /// <summary>What the schema says of a section; nothing if it is taken.</summary>
    protected IReadOnlyList<string> FlawsOf(JsonObject section)
    {
        using JsonDocument document = JsonDocument.Parse(new JsonObject { ["TokenExchange"] = section.DeepClone() }.ToJsonString());
        EvaluationResults results = (_judge ??= JsonSchema.FromText(Schema.ToJsonString())).Evaluate(document.RootElement, new EvaluationOptions { OutputFormat = OutputFormat.List });
        if (results.IsValid)
            return [];
        return ["refused", .. (results.Details ?? []).Where(detail => detail.Errors is not null && !detail.EvaluationPath.ToString().Contains("/if/", StringComparison.Ordinal) && !detail.EvaluationPath.ToString().EndsWith("/if", StringComparison.Ordinal)).SelectMany(detail => detail.Errors!.Select(error => $"{detail.InstanceLocation}: {error.Value}"))];
    }

    /// <summary>Where the schema finds flaws, each place once, the deepest of a branch alone: what an editor underlines.</summary>
    protected IReadOnlyList<string> PlacesOfFlaws(JsonObject section)
    {
        string[] places = [.. FlawsOf(section).Skip(1).Select(flaw => flaw[..flaw.IndexOf(": ", StringComparison.Ordinal)]).Distinct()];
        return [.. places.Where(place => !places.Any(other => other.StartsWith(place + "/", StringComparison.Ordinal))).Order(StringComparer.Ordinal)];
    }

    /// <summary>All sections that the pages and the samples show, with where.</summary>
    protected static IEnumerable<(string Place, JsonObject Settings)> Examples()
    {
        string[] pages = ["README.md", .. Files("docs", "*.md"), .. Files("src", "*.md")];
        IEnumerable<(string, string)> blocks = pages.SelectMany(page => JsonBlocks().Matches(System.IO.File.ReadAllText(Path.Combine(Repository.Root, page))).Select(block => (page, block.Groups["json"].Value)));
        IEnumerable<(string, string)> files = Files("samples", "appsettings*.json").Select(file => (file, System.IO.File.ReadAllText(Path.Combine(Repository.Root, file))));
        foreach ((string place, string json) in blocks.Concat(files).Where(block => block.Item2.Contains("\"TokenExchange\"", StringComparison.Ordinal)))
            yield return (place, JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true })!.AsObject());
    }

    private JsonNode ExampleOf(JsonNode property) => Resolve(property)["examples"]![0]!.DeepClone();

    private static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), pattern, SearchOption.AllDirectories)
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Intersect(["bin", "obj", "node_modules"]).Any())
            .Select(file => Path.GetRelativePath(Repository.Root, file));

    // A whole section with the least of one kind in it.
    private JsonObject Minimal((string Definition, string Word, string Kind) kind, out JsonObject entry)
    {
        JsonNode definition = Definitions[kind.Definition]!;
        entry = new JsonObject { [kind.Word] = kind.Kind };
        foreach (string name in definition["required"]!.AsArray().Select(name => name!.GetValue<string>()).Where(name => name != kind.Word))
            entry[name] = ExampleOf(definition["properties"]![name]!);
        bool isTarget = kind.Word == "Exchange";
        if (isTarget && !entry.ContainsKey("Through"))
            entry["Identity"] = "job";
        var section = new JsonObject
        {
            ["Identities"] = new JsonObject { ["job"] = new JsonObject { ["Source"] = "OidcFile", ["Path"] = "/var/run/secrets/job/token" } },
            ["Targets"] = new JsonObject { ["account"] = new JsonObject { ["Identity"] = "job", ["Exchange"] = "Databricks", ["Host"] = "https://workspace.example" } },
        };
        if (entry.ContainsKey("Through"))
            section["Targets"]!["vault"] = new JsonObject { ["Identity"] = "job", ["Exchange"] = "VaultLogin", ["Server"] = "https://vault.example:8200" };
        if (kind.Kind == "KeyVaultStaticKey")
            section["Targets"]!["entra"] = new JsonObject { ["Identity"] = "job", ["Exchange"] = "Rfc8693", ["Issuer"] = "https://issuer.example", ["Scopes"] = new JsonArray("https://vault.azure.net/.default") };
        section[isTarget ? "Targets" : "Identities"]!["under-test"] = entry;
        return section;
    }

    private static bool IsStaticKey(JsonNode? target) => target is JsonObject entry && entry["Exchange"] is JsonValue word && word.TryGetValue(out string? exchange) && exchange.EndsWith("StaticKey", StringComparison.Ordinal);

    // Read, so that the error can say why not, and never taken.
    private static bool IsForbidden(JsonObject properties, string name) => properties[name]?["not"] is not null;

    private JsonNode Resolve(JsonNode property) =>
        property["$ref"] is { } reference ? Definitions[reference.GetValue<string>().Split('/')[^1]]! : property;

    private static string[] KnownIn(string? message, string after)
    {
        Assert.That(message, Does.Contain(after));
        return Known().Match(message!, message!.IndexOf(after, StringComparison.Ordinal)).Groups["names"].Value.Split(", ");
    }

    [GeneratedRegex("Known are: (?<names>[^.]+)\\.")]
    private static partial Regex Known();

    [GeneratedRegex("```json\\n(?<json>.*?)\\n```", RegexOptions.Singleline)]
    private static partial Regex JsonBlocks();
}
