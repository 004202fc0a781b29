using System.Globalization;
using System.Text.Json;

namespace Nhi.TokenExchange.Tests;

/// <summary>Figures that README and docs quote are those of the committed report: a new run that is committed without them fails here, and the message says what they have to be.</summary>
public class BenchmarkFiguresTests
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
        JsonElement row = Report.GetProperty("Hits").EnumerateArray().Single(hit => hit.GetProperty("Method").ValueEquals(method) && hit.GetProperty("Job").ValueEquals("short"));
        double nanoseconds = row.GetProperty("Best").GetDouble();
        string time = nanoseconds < 100 ? string.Create(CultureInfo.InvariantCulture, $"{nanoseconds:0.0} ns") : string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1000:0.0} µs");
        return string.Create(CultureInfo.InvariantCulture, $"{time} and {row.GetProperty("Bytes").GetInt64():N0} B");
    }

    private static JsonElement Parse(string path)
    {
        using JsonDocument report = JsonDocument.Parse(Text(path));
        return report.RootElement.Clone();
    }

    private static string Text(string path) => File.ReadAllText(Path.Combine(Repository.Root, path));
}
