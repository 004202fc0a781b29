using System.Globalization;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>Nothing is read or written by culture: settings, headers, scopes, numbers, instants. Whatever comes in, what is said of it is the same to the letter.</summary>
internal sealed partial class CultureTests
{
    // Turkish has four letters i; Thai and Persian have calendars and the latter digits of their own; Danish sorts aa behind z; German writes a comma before decimals.
    [TestCase("tr-TR")]
    [TestCase("th-TH")]
    [TestCase("fa-IR")]
    [TestCase("ar-SA")]
    [TestCase("da-DK")]
    [TestCase("de-DE")]
    public async Task What_is_said_of_the_whole_corpus_is_the_same_in_every_culture(string culture)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo beforeUi = CultureInfo.CurrentUICulture;
        var differences = new List<string>();
        try
        {
            foreach (FuzzTarget target in FuzzTarget.All)
            {
                foreach ((string name, byte[] input) in Corpus.Of(target))
                {
                    CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
                    string expected = WithoutChance(await target.RunAsync(input));
                    CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = new CultureInfo(culture, useUserOverride: false);
                    string said = WithoutChance(await target.RunAsync(input));
                    if (said != expected)
                        differences.Add($"{target}/{name}:\n{said}\ninstead of\n{expected}");
                }
            }
        }
        finally
        {
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = (before, beforeUi);
        }
        Assert.That(differences, Is.Empty, string.Join("\n\n", differences));
    }

    [Test]
    public async Task Settings_in_capitals_are_the_same_settings_on_a_Turkish_machine()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = new CultureInfo("tr-TR", useUserOverride: false);
        try
        {
            Assert.That("i".ToUpper(CultureInfo.CurrentCulture), Is.Not.EqualTo("I"), "this is Turkish: the machine has ICU");
            byte[] capitals = await File.ReadAllBytesAsync(Path.Combine(Corpus.Folder, "settings", "capitals"));
            Assert.That(await FuzzTarget.All.Single(target => target.Name == "settings").RunAsync(capitals), Is.EqualTo("taken"));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    // Where a task went on, at once or later, is chance; so is the number of a flight.
    private static string WithoutChance(string said) => FlightNumber().Replace(
        string.Join('\n', said.Split('\n').Where(line => !line.StartsWith("   at ", StringComparison.Ordinal) && !line.StartsWith("--- ", StringComparison.Ordinal) && !line.StartsWith("   --- ", StringComparison.Ordinal))), "*");

    [GeneratedRegex(@"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")]
    private static partial Regex FlightNumber();
}
