using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Each row of docs/faults.md has a test with its id at the beginning of the name (or several: <c>S9_P32_…</c>), and each such test a row; what waits for a package waits only until that package is there.</summary>
internal sealed partial class FaultCatalogueTests
{
    private static readonly string[] Page = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "faults.md"));

    private static readonly Lazy<ILookup<string, string>> Tests = new(() =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => TestsWithId().Matches(File.ReadAllText(file)).SelectMany(test => test.Groups["id"].Captures.Select(id => (Id: id.Value, Name: test.Groups["name"].Value))))
            .ToLookup(test => test.Id, test => test.Name));

    // | S1 | what happens | what follows |      or, where nothing of ours can meet it yet,      | P61 | needs `src/…` | … |
    private static IEnumerable<(string Id, string? Needs)> Rows() =>
        Page.Select(line => Row().Match(line)).Where(row => row.Success).Select(row => (row.Groups["id"].Value, row.Groups["needs"] is { Success: true } needs ? needs.Value : null));

    private static IEnumerable<string> Listed() => Rows().Where(row => row.Needs is null).Select(row => row.Id);

    private static IEnumerable<(string Id, string Needs)> Waiting() => Rows().Where(row => row.Needs is not null).Select(row => (row.Id, row.Needs!));

    [TestCaseSource(nameof(Listed))]
    public void A_listed_fault_has_its_test(string id) => Assert.That(Tests.Value[id], Is.Not.Empty);

    [Test]
    public void A_test_of_a_fault_is_listed() => Assert.That(Tests.Value.Select(test => test.Key).Except(Listed()), Is.Empty);

    [Test]
    public void No_fault_is_listed_twice() => Assert.That(Rows().Select(row => row.Id), Is.Unique);

    [Test]
    public void What_a_fault_waits_for_is_a_folder_that_is_not_there_yet() =>   // the name of a file may turn out another
        Assert.That(Waiting().Where(row => Path.HasExtension(row.Needs.Replace("Nhi.TokenExchange.", "", StringComparison.Ordinal)) || Path.Exists(Path.Combine(Repository.Root, row.Needs))), Is.Empty);

    [Test]
    public void The_readme_gives_their_number()
    {
        int listed = Listed().Count();
        int waiting = Waiting().Count();
        Assert.That(File.ReadAllText(Path.Combine(Repository.Root, "README.md")), Does.Contain($"{listed} faults and bad inputs").And.Contain($"{waiting} more wait{(waiting == 1 ? "s" : "")} for"));
    }

    [GeneratedRegex(@"^\| (?<id>[SNITCPB]\d+) \| (?:needs `(?<needs>[^`]+)`)?")]
    private static partial Regex Row();

    [GeneratedRegex(@"\[Test(?:Case|CaseSource)?\b[^\n]*\]\s*(?:\[[^\n]*\]\s*)*public (?:async )?(?:Task|void) (?<name>(?:(?<id>[SNITCPB]\d+)_)+\w+)")]
    private static partial Regex TestsWithId();
}
