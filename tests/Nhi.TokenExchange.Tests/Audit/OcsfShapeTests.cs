using System.Text.Json;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests;

/// <summary>Events have the shape of their OCSF class (schema.ocsf.io): numbers that belong together, and what the class requires.</summary>
public class OcsfShapeTests
{
    // By version 1.3.0. class_uid: its name, the activities that it has, what it requires, and of what one at least is required.
    private static readonly Dictionary<int, (string Name, int[] Activities, string[] Required, string[] AtLeastOne)> Classes = new()
    {
        [3002] = ("Authentication", [0, 1, 2, 3, 4, 5, 6, 99], ["user"], ["service", "dst_endpoint"]),
        [3003] = ("Authorize Session", [0, 1, 2, 99], ["user"], ["privileges", "group"]),
        [3004] = ("Entity Management", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99], ["entity"], []),
        [6003] = ("API Activity", [0, 1, 2, 3, 4, 99], ["actor", "api", "src_endpoint"], []),
    };

    private static readonly Dictionary<int, string> Categories = new() { [3] = "Identity & Access Management", [6] = "Application Activity" };

    private static IEnumerable<AuditEvent> Events() => [.. SampleEvents.All, SampleEvents.Full, SampleEvents.With("\u202E\n"), .. Enum.GetValues<AuditEventKind>().Select(Bare)];

    [Test]
    public void Each_kind_has_its_class_and_activity() =>
        Assert.That(SampleEvents.All.Select(one => $"{one.Kind} {Json(one).GetProperty("type_uid")}"), Is.EqualTo(
        [
            "Attested 300299", "Permitted 300301", "Denied 300301", "Exchanging 600301", "Issued 300201", "Refreshed 300201", "Renewed 300205", "Revoked 300202", "Expired 300202", "Orphaned 300202", "Failed 300201", "Recovered 300299", "JobCutShort 300499", "CallerRefused 300201",
        ]));

    // Written from https://github.com/ocsf/ocsf-schema (events/iam, events/application, categories.json). 99 is "Other": its name is the source's own.
    [Test]
    public void Each_number_has_the_name_that_the_release_on_the_page_gives_it_and_none_of_the_table_is_unused()
    {
        string release = Regex.Match(File.ReadAllText(Path.Combine(Repository.Root, "docs/audit-events.md")), @"names are those of version (?<release>[0-9.]+[0-9])\.").Groups["release"].Value;
        string[] table = [.. File.ReadLines(Path.Combine(Repository.Root, $"tests/Nhi.TokenExchange.Tests/Audit/ocsf-{release}.tsv")).Skip(1)];
        JsonElement[] events = [.. Events().Select(Json)];

        Assert.That(events.Select(json => json.GetProperty("metadata").GetProperty("version").GetString()), Is.All.EqualTo(release));
        Assert.That(events.Select(Row).Distinct(), Is.EquivalentTo(table));

        static string Row(JsonElement json) => string.Join('\t', json.GetProperty("class_uid"), json.GetProperty("class_name"), json.GetProperty("category_uid"), json.GetProperty("category_name"), json.GetProperty("activity_id"), json.GetProperty("activity_id").GetInt32() == 99 ? "" : json.GetProperty("activity_name"));
    }

    [Test]
    public void There_is_a_sample_of_each_kind() => Assert.That(SampleEvents.All.Select(one => one.Kind), Is.EquivalentTo(Enum.GetValues<AuditEventKind>()));

    [Test]
    public void Numbers_and_names_belong_together_and_what_the_class_requires_is_there()
    {
        foreach (AuditEvent auditEvent in Events())
        {
            JsonElement json = Json(auditEvent);
            int uid = json.GetProperty("class_uid").GetInt32();
            int activity = json.GetProperty("activity_id").GetInt32();
            (string name, int[] activities, string[] required, string[] atLeastOne) = Classes[uid];

            Assert.That(json.GetProperty("category_uid").GetInt32(), Is.EqualTo(uid / 1000));
            Assert.That(json.GetProperty("category_name").GetString(), Is.EqualTo(Categories[uid / 1000]));
            Assert.That(json.GetProperty("class_name").GetString(), Is.EqualTo(name));
            Assert.That(activities, Does.Contain(activity));
            Assert.That(json.GetProperty("activity_name").GetString(), Is.Not.Empty, "required where the activity is 99");
            Assert.That(json.GetProperty("type_uid").GetInt32(), Is.EqualTo((uid * 100) + activity));
            Assert.That(json.GetProperty("severity_id").GetInt32(), Is.InRange(1, 6));
            Assert.That(json.GetProperty("time").GetInt64(), Is.EqualTo(auditEvent.At.ToUnixTimeMilliseconds()));
            Assert.That((json.GetProperty("status_id").GetInt32(), json.GetProperty("status").GetString()), Is.AnyOf((0, "Unknown"), (1, "Success"), (2, "Failure")));
            Assert.That(json.GetProperty("metadata").GetProperty("version").GetString(), Does.Match("^1\\.[0-9]+\\.[0-9]+$"));
            Assert.That(json.GetProperty("metadata").GetProperty("product").GetProperty("name").GetString(), Is.EqualTo("Nhi.TokenExchange"));
            Assert.That(required.Where(member => !json.TryGetProperty(member, out _)), Is.Empty, $"{auditEvent.Kind}");
            Assert.That(atLeastOne.Length == 0 || atLeastOne.Any(member => json.TryGetProperty(member, out _)), $"{auditEvent.Kind}");
            AssertObjects(json);
        }
    }

    [Test]
    public void What_should_have_been_ended_and_could_not_be_is_graver_than_what_nobody_can_end()
    {
        AuditEvent failed = SampleEvents.All.Single(one => one.Kind == AuditEventKind.Orphaned);
        Assert.That(Json(failed).GetProperty("severity_id").GetInt32(), Is.EqualTo(4));
        Assert.That(Json(Bare(AuditEventKind.Orphaned)).GetProperty("severity_id").GetInt32(), Is.EqualTo(2));
    }

    [Test]
    public void A_flight_correlates_its_events_and_an_event_of_the_whole_job_has_none()
    {
        Assert.That(Json(SampleEvents.All[0]).GetProperty("metadata").GetProperty("correlation_uid").GetGuid(), Is.EqualTo(SampleEvents.Flight));
        Assert.That(Json(SampleEvents.All[^1]).GetProperty("metadata").TryGetProperty("correlation_uid", out _), Is.False);
    }

    // What the objects of OCSF require that are used: user one of name, uid, account; actor a user; api an operation; an endpoint a name of some kind; an entity a name or id; a service a name or id.
    private static void AssertObjects(JsonElement json)
    {
        if (json.TryGetProperty("user", out JsonElement user))
            Assert.That(user.GetProperty("name").GetString(), Is.Not.Empty);
        if (json.TryGetProperty("actor", out JsonElement actor))
            Assert.That(actor.GetProperty("user").GetProperty("name").GetString(), Is.Not.Empty);
        if (json.TryGetProperty("api", out JsonElement api))
            Assert.That(api.GetProperty("operation").GetString(), Is.Not.Empty);
        if (json.TryGetProperty("src_endpoint", out JsonElement endpoint))
            Assert.That(endpoint.GetProperty("svc_name").GetString(), Is.Not.Empty);
        if (json.TryGetProperty("entity", out JsonElement entity))
            Assert.That(entity.GetProperty("name").GetString(), Is.Not.Empty);
        if (json.TryGetProperty("privileges", out JsonElement privileges))
            Assert.That(privileges.GetArrayLength(), Is.GreaterThan(0));
        if (json.TryGetProperty("service", out JsonElement service))
            Assert.That(service.TryGetProperty("name", out _));
    }

    private static AuditEvent Bare(AuditEventKind kind) => new() { Kind = kind, At = SampleEvents.Start, FlightId = Guid.Empty, Target = "", Job = JobContext.Unnamed };

    private static JsonElement Json(AuditEvent auditEvent)
    {
        using JsonDocument json = JsonDocument.Parse(EventText.Of(auditEvent), new JsonDocumentOptions { AllowDuplicateProperties = false });
        return json.RootElement.Clone();
    }
}
