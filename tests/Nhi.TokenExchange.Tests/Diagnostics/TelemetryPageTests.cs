using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests.Diagnostics;

/// <summary>docs/telemetry.md and the code name the same instruments, units, activities and tags.</summary>
[NonParallelizable]
public sealed partial class TelemetryPageTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs/telemetry.md"));

    private static readonly string[] OfEach = [TelemetryNames.TargetTag, TelemetryNames.KindTag];

    [Test]
    public void Each_instrument_stands_on_the_page_with_its_kind_and_unit_and_no_other_does()
    {
        using var heard = new Telemetry();
        _ = ExchangeMeter.Of(heard.Meters);

        Assert.That(Rows("## Instruments").Select(row => $"{row[0]}: {row[1]}, {row[2]}"), Is.EquivalentTo(heard.Instruments.Select(one => $"{one.Name}: {KindOf(one)}, {one.Unit}")));
    }

    [Test]
    public async Task All_that_is_ever_measured_and_traced_has_the_names_and_tags_of_the_page()
    {
        using var heard = new Telemetry();
        await RunAsync(heard);

        foreach (string[] row in Rows("## Instruments"))
        {
            string[] measured = [.. heard.Of(row[0]).SelectMany(one => Keys(one.Tags)).Distinct().Except(OfEach)];
            Assert.That(heard.Of(row[0]), Is.Not.Empty, row[0]);
            Assert.That(measured, Is.EquivalentTo(Names(row[3])), row[0]);
        }
        Assert.That(heard.Activities.Select(activity => activity.OperationName).Distinct(), Is.EquivalentTo(Rows("## Activities").Select(row => row[0])));
        string[] tags = [.. heard.Activities.SelectMany(activity => activity.TagObjects.Select(tag => tag.Key)).Concat(heard.Measurements.SelectMany(one => Keys(one.Tags))).Distinct()];
        Assert.That(tags, Is.EquivalentTo(Rows("## Tags").Select(row => row[0])));
        Assert.That(heard.Activities.SelectMany(activity => activity.Events), Is.Empty);
        Assert.That(heard.Activities.Select(activity => activity.StatusDescription), Is.All.Null);
    }

    [Test]
    public void Each_stage_and_each_end_has_its_word_on_the_page()
    {
        Assert.That(Names(Rows("## Tags").Single(row => row[0] == "nhi.stage")[1]), Is.EqualTo(Enum.GetValues<ExchangeStage>().Select(TelemetryNames.Of)));
        Assert.That(Names(Rows("## Instruments").Single(row => row[0] == "nhi.credential.ended")[4]), Is.EqualTo(Enum.GetValues<LeaseEnd>().Select(TelemetryNames.Of)));
    }

    // One of each: issued, refused, refreshed, denied, failed, ended; failed and denied at the hop before, too; a sink that takes nothing, and files whose chain is anchored.
    private static async Task RunAsync(Telemetry heard)
    {
        string folder = Directory.CreateTempSubdirectory("nhi-audit-").FullName;
        await using TestJob job = await TestJob.StartAsync(more: b => b.AuditFolder(Path.Combine(folder, "audit"))
            .Meters(heard.Meters).AuditBestEffort(new RecordingSink { Refuse = _ => new IOException("full") }).Target("archive", new TestExchanger(new ManualTimeProvider()), t => t.Through = "warehouse"));
        CredentialProvider<BearerToken> archive = job.Session.Provider<BearerToken>("archive");
        BearerToken first = await job.Warehouse.GetAsync();
        job.Time.Advance(TimeSpan.FromMinutes(45));
        await Eventually.HoldsAsync(async () => await job.Warehouse.GetAsync() != first, "the refreshed credential");
        heard.Observe();
        job.Warehouse.Reject(await job.Warehouse.GetAsync());
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "no");
        await RefusedAsync(job.Warehouse);
        await RefusedAsync(archive);
        job.Policy.Change("2", _ => AccessDecision.Deny("none", "no"));
        await RefusedAsync(job.Warehouse);
        await RefusedAsync(archive);
        await job.Session.CompleteAsync();
        Directory.Delete(folder, recursive: true);
        LoseALine(heard);
    }

    // One too many for a log that hangs.
    private static void LoseALine(Telemetry heard)
    {
        using ManualResetEventSlim hangs = new(), gate = new();
        using var said = new LoggedText();
        var log = new SessionLog(said, new InTurn(mostWaiting: 1), new ManualTimeProvider(), JobContext.Unnamed, ExchangeMeter.Of(heard.Meters));
        log.SayLater(_ =>
        {
            hangs.Set();
            gate.Wait();
        });
        Assert.That(hangs.Wait(TimeSpan.FromMinutes(1)));
        log.SayLater(_ => { });
        log.SayLater(_ => { });
        gate.Set();
    }

    private static async Task RefusedAsync(CredentialProvider<BearerToken> provider)
    {
        try
        {
            await provider.GetAsync();
            Assert.Fail("Nothing was refused.");
        }
        catch (TokenExchangeException)
        {
            // as the test wants it
        }
    }

    private static string KindOf(Instrument instrument) => instrument.GetType().Name.Split('`')[0] switch
    {
        "Counter" => "counter",
        "Histogram" => "histogram",
        "ObservableGauge" => "observable gauge",
        "ObservableUpDownCounter" => "observable up-down counter",
        string other => other,
    };

    /// <summary>The table under a heading, without its head: the cells of each row, the first and the unit without their quotes.</summary>
    private static IEnumerable<string[]> Rows(string heading) =>
        Page[Page.IndexOf(heading, StringComparison.Ordinal)..].Split("\n## ")[0]
            .Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => (string[])[.. line.Trim('|', ' ').Split('|').Select((cell, column) => column is 0 or 2 ? cell.Trim().Trim('`') : cell.Trim())]);

    private static IEnumerable<string> Names(string cell) => Quoted().Matches(cell).Select(match => match.Groups[1].Value);

    private static IEnumerable<string> Keys(string tags) => tags.Length == 0 ? [] : tags.Split(", ").Select(tag => tag.Split('=')[0]);

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
