using System.Diagnostics;
using BenchmarkDotNet.Running;

namespace Nhi.TokenExchange;

/// <summary>Runs floor, ours and peers in one go and says which goals are met.</summary>
public static class GoalsRun
{
    private const string Name = "goals";
    private const string Project = "Nhi.TokenExchange.Benchmarks";

    /// <param name="again">Whether the last run's numbers count too. For a machine with neighbours, where no single run is undisturbed in all its rows.</param>
    /// <returns>0 if every goal is met, else 1; 2 if the last numbers are not there or not to be compared with those of here.</returns>
    public static Task<int> RunAsync(bool again) => OrRefusedAsync(() => MeasureAsync(again));

    private static async Task<int> MeasureAsync(bool again)
    {
        long begun = Stopwatch.GetTimestamp();
        // What would refuse the numbers afterwards, refuses now.
        ColdStartReport coldStart = await ColdStartReport.ReadAsync();
        RunOrigin here = RunOrigin.Of(Project, begun);
        if (here.FirstTokensDifferIn(coldStart.Origin) is { } other)
            Console.WriteLine($"Goals 13 to 16 will be missing. {OtherFirstTokens(other)}");
        GoalsReport? last = again ? await LastAsync() : null;
        if (last is not null)
            GoalsReport.RefuseUnlessComparable(last.Origin, here);
        Console.WriteLine("Many keys …");
        IReadOnlyList<ManyKeysResult> manyKeys = await ManyKeysRun.RunAsync();
        Console.WriteLine("Threads …");
        IReadOnlyList<ThreadScalingResult> threads = await ThreadScaling.RunAsync();
        Console.WriteLine("Stampede …");
        IReadOnlyList<StampedeResult> stampede = await StampedeRun.RunAsync(Console.WriteLine);
        IReadOnlyList<HitResult> hits = HitResult.Run(
        [
            BenchmarkConverter.TypeToBenchmarks(typeof(OursAndFloor), BenchmarkConfigs.Short),
            BenchmarkConverter.TypeToBenchmarks(typeof(OursAndFloor), BenchmarkConfigs.ShortWithoutPgo),
            BenchmarkConverter.TypeToBenchmarks(typeof(AzureAdapters), BenchmarkConfigs.Short),
            BenchmarkConverter.TypeToBenchmarks(typeof(HttpClients), BenchmarkConfigs.Short),
            BenchmarkConverter.TypeToBenchmarks(typeof(SdkPeers), BenchmarkConfigs.Short),
            BenchmarkConverter.TypeToBenchmarks(typeof(GeneralCaches), BenchmarkConfigs.Short),
            BenchmarkConverter.TypeToBenchmarks(typeof(WholeExchange), BenchmarkConfigs.Short),
        ]);
        var report = new GoalsReport(1, RunOrigin.Of(Project, begun), coldStart.Origin, [], hits, stampede, threads, manyKeys);
        return await JudgeAsync(last is null ? report : report.After(last), coldStart);
    }

    /// <summary>Judges the last run's numbers again, without measuring: for a change of a goal or of how it is judged, or after a new <c>--cold-start</c>.</summary>
    /// <returns>0 if every goal is met, else 1; 2 if first tokens were measured of another program, or on another machine, than the rest, or if the numbers are older than the goals.</returns>
    public static Task<int> JudgeAgainAsync() => OrRefusedAsync(async () =>
    {
        (GoalsReport last, ColdStartReport coldStart) = (await LastAsync(), await ColdStartReport.ReadAsync());
        return last.Origin.FirstTokensDifferIn(coldStart.Origin) is { } other ? throw new RefusedReportException(OtherFirstTokens(other)) : await JudgeAsync(last, coldStart);
    });

    /// <summary>Draws the last run's numbers.</summary>
    /// <returns>0; 2 if they are not there, or older than this program.</returns>
    public static Task<int> DrawAgainAsync() => OrRefusedAsync(async () =>
    {
        await DrawAsync(await LastAsync());
        return 0;
    });

    private static async Task<int> OrRefusedAsync(Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (RefusedReportException refused)
        {
            Console.Error.WriteLine(refused.Message);
            return 2;
        }
    }

    private static Task<GoalsReport> LastAsync() => ReportFile.ReadAsync<GoalsReport>($"{Name}.json", "--goals, without --again");

    private static string OtherFirstTokens(string what) => $"cold-start.json does not belong to the numbers of goals.json ({what}): run --cold-start --native, and then --goals, of one commit without changes.";

    private static async Task<int> JudgeAsync(GoalsReport numbers, ColdStartReport coldStart)
    {
        bool belongs = numbers.Origin.FirstTokensDifferIn(coldStart.Origin) is null;
        GoalsReport report = numbers with
        {
            ColdStart = coldStart.Origin,
            Goals = new GoalJudge(numbers.Hits, numbers.Stampede, numbers.Threads, numbers.ManyKeys, belongs ? ColdStartJudge.Judge(coldStart.Results) : []).Judge(),
        };
        await ReportFile.WriteTextAsync($"{Name}.md", GoalsMarkdown.Write(report));
        await ReportFile.WriteAsync($"{Name}.json", report);
        await DrawAsync(report);
        Console.WriteLine();
        Console.WriteLine(GoalsMarkdown.Table(report.Goals));
        Console.WriteLine(GoalsMarkdown.Calm(report.Hits));
        return belongs && report.Goals.All(goal => goal.Met != false) ? 0 : 1;
    }

    private static async Task DrawAsync(GoalsReport report)
    {
        await ReportFile.WriteTextAsync("hit.svg", HitPicture.Draw(report.Hits));
        await ReportFile.WriteTextAsync("stampede.svg", StampedePicture.Draw(report.Stampede));
    }
}
