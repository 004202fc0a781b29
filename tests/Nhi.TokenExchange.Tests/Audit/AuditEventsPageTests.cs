using System.Text.Json;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests;

/// <summary>docs/audit-events.md shows one event of each kind as it is written, and names each member that there is.</summary>
public partial class AuditEventsPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs/audit-events.md"));

    private static IEnumerable<AuditEventKind> Kinds() => Enum.GetValues<AuditEventKind>();

    [TestCaseSource(nameof(Kinds))]
    public void The_example_of_a_kind_is_what_is_written(AuditEventKind kind)
    {
        string expected = EventText.Of(SampleEvents.All.Single(one => one.Kind == kind), indented: true);
        Match example = Examples().Match(Page[Page.IndexOf($"\n### {kind}\n", StringComparison.Ordinal)..]);

        Assert.That(example.Groups["json"].Value, Is.EqualTo(expected), $"Under ### {kind}, the page has to show\n{expected}\n");
    }

    [Test]
    public void Each_member_is_explained()
    {
        var members = new SortedSet<string>(StringComparer.Ordinal);
        foreach (AuditEvent auditEvent in SampleEvents.All.Append(SampleEvents.Full))
        {
            using JsonDocument json = JsonDocument.Parse(EventText.Of(auditEvent));
            Collect(json.RootElement, "", members);
        }

        Assert.That(members, Has.Count.GreaterThan(80));
        Assert.That(members.Where(member => !Page.Contains($"`{member}`", StringComparison.Ordinal)), Is.Empty, "named on the page by its path");
    }

    private static void Collect(JsonElement owner, string path, SortedSet<string> members)
    {
        foreach (JsonProperty member in owner.EnumerateObject())
        {
            // Each fact of the job has the same members.
            string name = path is "unmapped.job." or "unmapped.subjectClaims." ? $"{path}*" : path + member.Name;
            if (member.Value.ValueKind == JsonValueKind.Object)
                Collect(member.Value, name + ".", members);
            else
                members.Add(name.Replace("unmapped.", "", StringComparison.Ordinal));
        }
    }

    [GeneratedRegex("```json\\n(?<json>.*?)\\n```", RegexOptions.Singleline)]
    private static partial Regex Examples();
}
