using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests;

/// <summary>Figures that README and docs quote are those of the committed report: a new run that is committed without them fails here, and the message says what they have to be.</summary>
public partial class BenchmarkFiguresTests
{
    private const string Head = "| what | goal | measured | bytes | |\n|---|---|---|---|---|\n";

    private static readonly JsonElement Report = Parse("benchmarks/results/goals.json");

    [Test]
    public void The_README_shows_each_numbered_goal_as_the_report_has_it()
    {
        string expected = string.Join('\n', Goals().Where(goal => goal.Number.All(char.IsAsciiDigit)).Select(goal => goal.Row));
        string readme = Text("README.md");
        int table = readme.IndexOf(Head, StringComparison.Ordinal) + Head.Length;

        string actual = readme[table..readme.IndexOf("\n\n", table, StringComparison.Ordinal)];

        Assert.That(actual, Is.EqualTo(expected), $"The rows of README.md have to be\n{expected}\n");
    }

    [Test]
    public void What_the_README_says_of_numbers_below_its_table_is_of_the_report()
    {
        double keyObject = Report.GetProperty("ManyKeys").EnumerateArray().Max(store => store.GetProperty("KeyObjectBytes").GetDouble());
        JsonElement[] rows = [.. Report.GetProperty("Hits").EnumerateArray()];
        int disturbed = rows.Count(row => row.GetProperty("Median").GetDouble() > 1.3 * row.GetProperty("Best").GetDouble());
        JsonElement exchange = Row("Ours");
        string[] expected =
        [
            string.Create(CultureInfo.InvariantCulture, $"costs its hash and {keyObject:0} B more."),
            string.Create(CultureInfo.InvariantCulture, $"- The request with the key: {keyObject:0} B of object more"),
            $"(in the last one, {disturbed} of {rows.Length} rows were disturbed)",
            string.Create(CultureInfo.InvariantCulture, $"- The whole exchange in time: {exchange.GetProperty("Best").GetDouble() / 1000:0} µs at best, {exchange.GetProperty("Median").GetDouble() / 1000:0} in the middle."),
        ];
        string readme = Text("README.md");

        Assert.That(expected.Where(sentence => !readme.Contains(sentence, StringComparison.Ordinal)), Is.Empty, $"README.md has to say\n{string.Join('\n', expected)}\n");
    }

    [TestCase("GetAsync", "hit, provider held, through the public interface")]
    [TestCase("TryGet", "the same by `TryGet`")]
    [TestCase("GetAsyncByName", "hit by target name (frozen look-up)")]
    [TestCase("Awaited", "hit awaited in an async method")]
    public void The_floor_that_the_README_names_is_the_one_that_its_ratios_are_of(string method, string goal)
    {
        double floor = double.Parse(NamedFloor().Match(Text("README.md")).Groups["ns"].Value, CultureInfo.InvariantCulture);
        string measured = Report.GetProperty("Goals").EnumerateArray().First(row => row.GetProperty("What").ValueEquals(goal)).GetProperty("Measured").GetString()!;
        double ratio = double.Parse(measured.Split(' ')[0], CultureInfo.InvariantCulture);

        Assert.That(Row(method).GetProperty("Best").GetDouble() / floor, Is.EqualTo(ratio).Within(0.01));
    }

    [Test]
    public void The_report_has_each_goal_from_1_to_17() =>
        Assert.That(Goals().Select(goal => goal.Number).Where(number => number.All(char.IsAsciiDigit)).Distinct(), Is.EqualTo(Enumerable.Range(1, 17).Select(number => $"{number}")));

    [Test]
    public void The_report_to_read_is_of_the_same_run_as_the_one_in_JSON()
    {
        string markdown = Text("benchmarks/results/goals.md");

        Assert.That(Goals().Select(goal => $"| {goal.Number} {goal.Row}").Where(row => !markdown.Contains(row, StringComparison.Ordinal)), Is.Empty);
        Assert.That(markdown, Does.Contain($"- Date: {Report.GetProperty("Origin").GetProperty("Date").GetDateTimeOffset():yyyy-MM-dd HH:mm} UTC"));
    }

    [Test]
    public void The_comparison_with_Azure_Identity_quotes_the_report()
    {
        static JsonElement Ours(string moment) => Stampede("**ours**", moment);
        int held = Ours("RefreshDue").GetProperty("Held").GetInt32();
        string[] expected =
        [
            string.Create(CultureInfo.InvariantCulture, $"| 1,000 callers at once, cold | {Calls(ClientAssertion("Cold")):N0} calls to the issuer by `ClientAssertionCredential`; **{Calls(Policy("Cold"))}** where a client of the Azure SDK asks through its own policy | {Calls(Ours("Cold"))} |"),
            string.Create(CultureInfo.InvariantCulture, $"| 1,000 callers, refresh due | {Calls(ClientAssertion("RefreshDue")):N0} calls by `ClientAssertionCredential`; **{Calls(Policy("RefreshDue"))}** through an Azure SDK client | {Calls(Ours("RefreshDue"))}, and {(held == 0 ? "nobody waits" : $"{held} wait")} |"),
            $"| a hit | {Hit("AzureWorkloadIdentity")} by `WorkloadIdentityCredential`; {Hit("AzureCore")} through an Azure SDK client | {Hit("GetAsync")} |",
        ];
        string page = Text("docs/comparison.md");

        Assert.That(expected.Where(row => !page.Contains(row, StringComparison.Ordinal)), Is.Empty, $"docs/comparison.md has to say\n{string.Join('\n', expected)}\n");
    }

    private static IEnumerable<(string Number, string Row)> Goals() => Report.GetProperty("Goals").EnumerateArray().Select(goal =>
        (goal.GetProperty("Number").GetString()!, $"| {goal.GetProperty("What")} | {goal.GetProperty("Target")} | {goal.GetProperty("Measured")} | {goal.GetProperty("Bytes")} | {goal.GetProperty("Verdict")} |"));

    private static JsonElement ClientAssertion(string moment) => Stampede("Azure.Identity `ClientAssertionCredential`", moment);

    private static JsonElement Policy(string moment) => Stampede("Azure.Core `BearerTokenAuthenticationPolicy`", moment);

    private static JsonElement Stampede(string peer, string moment) =>
        Report.GetProperty("Stampede").EnumerateArray().Single(row => row.GetProperty("Peer").ValueEquals(peer) && row.GetProperty("Moment").ValueEquals(moment));

    private static int Calls(JsonElement row) => row.GetProperty("Calls").GetInt32();

    private static string Hit(string method)
    {
        JsonElement row = Row(method);
        double nanoseconds = row.GetProperty("Best").GetDouble();
        string time = nanoseconds < 100 ? string.Create(CultureInfo.InvariantCulture, $"{nanoseconds:0.0} ns") : string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1000:0.0} µs");
        return string.Create(CultureInfo.InvariantCulture, $"{time} and {row.GetProperty("Bytes").GetInt64():N0} B");
    }

    private static JsonElement Row(string method) =>
        Report.GetProperty("Hits").EnumerateArray().Single(hit => hit.GetProperty("Method").ValueEquals(method) && hit.GetProperty("Job").ValueEquals("short"));

    [GeneratedRegex("The ratios above are of (?<ns>[0-9.]+) ns")]
    private static partial Regex NamedFloor();

    private static JsonElement Parse(string path)
    {
        using JsonDocument report = JsonDocument.Parse(Text(path));
        return report.RootElement.Clone();
    }

    private static string Text(string path) => File.ReadAllText(Path.Combine(Repository.Root, path));
}
