using System.Globalization;
using System.Text.RegularExpressions;
using Nhi.TokenExchange.Tests.Faults;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>Nothing is read or written by culture: settings, headers, scopes, numbers, instants. Whatever comes in, what is said of it is the same to the letter.</summary>
/// <remarks>
/// A flight starts without its caller's execution context, and so without its culture. It runs in the culture that threads have that were given none: that one is set here, for the whole process.
/// A thread of the pool that lent itself to a context with a culture is without one when it comes back.
/// </remarks>
[NonParallelizable]
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
        var there = new CultureInfo(culture, useUserOverride: false);
        var differences = new List<string>();
        foreach (FuzzTarget target in FuzzTarget.All)
        {
            foreach ((string name, byte[] input) in Corpus.Of(target))
            {
                // What ends side by side is told in another order, or was tried once more, now and then; what a culture does, it does each time.
                string expected = "", said = "other";
                for (int tries = 0; said != expected && tries < 4; tries++)
                {
                    expected = WithoutChance(await InCultureAsync(CultureInfo.InvariantCulture, () => target.RunAsync(input)));
                    said = WithoutChance(await InCultureAsync(there, () => target.RunAsync(input)));
                }
                if (said != expected)
                    differences.Add($"{target}/{name}:\n{said}\ninstead of\n{expected}");
            }
        }
        Assert.That(differences, Is.Empty, string.Join("\n\n", differences));
    }

    [Test]
    public async Task Settings_in_capitals_are_the_same_settings_on_a_Turkish_machine()
    {
        var turkish = new CultureInfo("tr-TR", useUserOverride: false);
        Assert.That("i".ToUpper(turkish), Is.Not.EqualTo("I"), "this is Turkish: the machine has ICU");
        byte[] capitals = await File.ReadAllBytesAsync(Path.Combine(Corpus.Folder, "settings", "capitals"));
        FuzzTarget settings = FuzzTarget.All.Single(target => target.Name == "settings");
        Assert.That(await InCultureAsync(turkish, () => settings.RunAsync(capitals)), Is.EqualTo("taken"));
    }

    [Test]
    public async Task A_flight_runs_in_the_culture_that_is_tested()
    {
        var turkish = new CultureInfo("tr-TR", useUserOverride: false);
        CultureInfo? flown = null;
        await InCultureAsync(turkish, async () =>
        {
            await using MutationJob job = await MutationJob.StartAsync(
                new AnsweringWire(_ => AnsweringWire.Json("{}")), Targets.Rfc8693(new Uri(AnsweringWire.Issuer)), IdentitySources.From((_, _) =>
                {
                    flown = CultureInfo.CurrentCulture;
                    throw new IdentityUnavailableException(ErrorCodes.ProofMalformed, "None today.");
                }));
            return (await job.GetAsync())?.ToString() ?? "";
        });
        Assert.That(flown, Is.EqualTo(turkish));
    }

    private static async Task<string> InCultureAsync(CultureInfo culture, Func<Task<string>> run)
    {
        (CultureInfo Own, CultureInfo OwnUi, CultureInfo? Others, CultureInfo? OthersUi) before =
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture, CultureInfo.DefaultThreadCurrentCulture, CultureInfo.DefaultThreadCurrentUICulture);
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = culture;
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.DefaultThreadCurrentUICulture = culture;
        try
        {
            return await run();
        }
        finally
        {
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture, CultureInfo.DefaultThreadCurrentCulture, CultureInfo.DefaultThreadCurrentUICulture) = before;
        }
    }

    // Where a task went on, at once or later, is chance; so is the number of a flight.
    private static string WithoutChance(string said) => FlightNumber().Replace(
        string.Join('\n', said.Split('\n').Where(line => !line.StartsWith("   at ", StringComparison.Ordinal) && !line.StartsWith("--- ", StringComparison.Ordinal) && !line.StartsWith("   --- ", StringComparison.Ordinal))), "*");

    [GeneratedRegex(@"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")]
    private static partial Regex FlightNumber();
}
