using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests;

/// <summary>docs/controls.md names tests as evidence: each is there, and each line of each framework has one.</summary>
public partial class ControlsPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs/controls.md"));
    private static readonly Lazy<string[]> Sources = new(() => [.. Repository.Sources("tests").Select(file => file.Text)]);

    [Test]
    public void Each_test_that_the_page_names_is_there()
    {
        (string Class, string Method)[] named = [.. TestName().Matches(Page).Select(one => (one.Groups["class"].Value, one.Groups["method"].Value)).Distinct()];

        Assert.That(named, Has.Length.GreaterThan(25));
        Assert.That(named.Where(one => !IsThere(one.Class, one.Method)), Is.Empty);
    }

    [Test]
    public void A_test_that_is_not_there_is_seen() => Assert.That(IsThere("AuditTrailTests", "A_trail_that_nobody_touched_is_broken"), Is.False);

    [TestCase("## OWASP", 10, "NHI{0}:2025")]
    [TestCase("## NIST Cybersecurity", 6, null)]
    [TestCase("## NIST AI", 4, null)]
    public void Each_line_of_a_framework_names_a_test(string heading, int lines, string? number)
    {
        string section = Page[Page.IndexOf(heading, StringComparison.Ordinal)..];
        string[] rows = [.. section[..section.IndexOf("\n## ", StringComparison.Ordinal)].Split('\n').Where(line => line.StartsWith('|') && !line.StartsWith("|---", StringComparison.Ordinal)).Skip(1)];

        Assert.That(rows, Has.Length.EqualTo(lines));
        Assert.That(rows.Where(row => !TestName().IsMatch(row)), Is.Empty);
        if (number is not null)
            Assert.That(rows.Select(row => row.Split('|')[1].Trim()), Is.EqualTo(Enumerable.Range(1, lines).Select(n => string.Format(System.Globalization.CultureInfo.InvariantCulture, number, n))));
    }

    [Test]
    public void The_numbers_that_auditors_look_for_are_there() =>
        Assert.That(new[] { "PR.AA-05 (1.1: PR.AC-4)", "NHI7:2025 | Long-Lived Secrets", "Human Use of NHI" }.Where(word => !Page.Contains(word, StringComparison.Ordinal)), Is.Empty);

    private static bool IsThere(string type, string method) =>
        Sources.Value.Any(text => Regex.IsMatch(text, $@"\bclass {type}\b") && Regex.IsMatch(text, $@"\b(void|Task) {method}\("));

    [GeneratedRegex("`(?<class>[A-Z][A-Za-z0-9_]*)\\.(?<method>[A-Z][A-Za-z0-9]*_[A-Za-z0-9_]+)`")]
    private static partial Regex TestName();
}
