using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using BenchmarkDotNet.Environments;
using BenchmarkDotNet.Running;

namespace Nhi.TokenExchange;

/// <summary>Runs floor, ours and peers in one go, within seven minutes on two cores, and says which goals are met.</summary>
public static class GoalsRun
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter() },
    };

    /// <param name="again">Whether the last run's numbers count too: a row is then the better of the two. For a machine with neighbours, where no single run is undisturbed in all its rows.</param>
    /// <returns>0 if every goal is met, else 1.</returns>
    public static async Task<int> RunAsync(bool again)
    {
        GoalsReport? last = again ? await LastAsync() : null;
        Console.WriteLine("Many keys …");
        IReadOnlyList<ManyKeysResult> manyKeys = await ManyKeysRun.RunAsync();
        Console.WriteLine("Threads …");
        IReadOnlyList<ThreadScalingResult> threads = await ThreadScaling.RunAsync();
        Console.WriteLine("Stampede …");
        IReadOnlyList<StampedeResult> stampede = await StampedeRun.RunAsync(Console.WriteLine);
        IReadOnlyList<HitResult> hits = RunAll();
        var report = new GoalsReport(
            1, TimeProvider.System.GetUtcNow(), string.Join('\n', HostEnvironmentInfo.GetCurrent().ToFormattedString()), Packages(), [], hits, stampede, threads, manyKeys);
        return await JudgeAsync(last is null ? report : report.After(last));
    }

    /// <summary>Judges the last run's numbers again, without measuring: for a change of a goal or of how it is judged.</summary>
    /// <returns>0 if every goal is met, else 1.</returns>
    public static async Task<int> JudgeAgainAsync() => await JudgeAsync(await LastAsync());

    /// <summary>Starts processes to their first token, and writes <c>cold-start.md</c> and <c>cold-start.json</c>.</summary>
    /// <param name="native">Whether native programs are compiled and measured too.</param>
    /// <returns>0 if every goal is met, else 1.</returns>
    public static async Task<int> ColdStartAsync(bool native)
    {
        IReadOnlyList<ColdStartResult> results = await ColdStartRun.RunAsync(RepositoryRoot(), native);
        IReadOnlyList<Goal> goals = ColdStartJudge.Judge(results);
        string text = $"""
            # Cold start, measured

            Written by `dotnet run -c Release --project benchmarks/Nhi.TokenExchange.Benchmarks -- --cold-start{(native ? " --native" : "")}`: whole processes, from their start to their end with one token, the issuer on loopback in another one, in turns. Read the ratios.

            - Date: {TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC
            {Machine()}

            {GoalsMarkdown.Table(goals)}
            {ColdStartRun.Table(results)}
            """;
        await File.WriteAllTextAsync(Path.Combine(Folder(), "cold-start.md"), text);
        await File.WriteAllTextAsync(Path.Combine(Folder(), "cold-start.json"), JsonSerializer.Serialize(results, Json) + "\n");
        Console.WriteLine(text);
        return goals.All(goal => goal.Met != false) ? 0 : 1;
    }

    /// <summary>Measures hits on one core and then on all, and writes <c>one-core.md</c>.</summary>
    public static async Task OneCoreAsync()
    {
        List<HitResult> hits = Run(
        [
            BenchmarkConverter.TypeToBenchmarks(typeof(OursAndFloor), BenchmarkConfigs.OneCore),
            BenchmarkConverter.TypeToBenchmarks(typeof(SdkPeers), BenchmarkConfigs.OneCore),
            BenchmarkConverter.TypeToBenchmarks(typeof(OursAndFloor), BenchmarkConfigs.Short),
            BenchmarkConverter.TypeToBenchmarks(typeof(SdkPeers), BenchmarkConfigs.Short),
        ]);
        string text = $"""
            # Hits on one core, measured

            Written by `dotnet run -c Release --project benchmarks/Nhi.TokenExchange.Benchmarks -- --one-core`: the same hits in processes that may use one core, and in processes that may use all. Read the ratios.

            - Date: {TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC
            {Machine()}

            {OneCoreTable.Of(hits)}
            {GoalsMarkdown.Calm(hits)}

            """;
        Directory.CreateDirectory(Folder());
        await File.WriteAllTextAsync(Path.Combine(Folder(), "one-core.md"), text);
        Console.WriteLine(text);
    }

    /// <summary>Draws the last run's numbers.</summary>
    public static async Task DrawAgainAsync() => await DrawAsync(await LastAsync());

    private static async Task<GoalsReport> LastAsync() =>
        JsonSerializer.Deserialize<GoalsReport>(await File.ReadAllTextAsync(Path.Combine(Folder(), "goals.json")), Json) ?? throw new InvalidOperationException("goals.json is empty.");

    private static async Task DrawAsync(GoalsReport report)
    {
        await File.WriteAllTextAsync(Path.Combine(Folder(), "hit.svg"), HitPicture.Draw(report.Hits));
        await File.WriteAllTextAsync(Path.Combine(Folder(), "stampede.svg"), StampedePicture.Draw(report.Stampede));
    }

    private static Task<int> JudgeAsync(GoalsReport report) =>
        WriteAsync(report with { Goals = new GoalJudge(report.Hits, report.Stampede, report.Threads, report.ManyKeys).Judge() });

    private static async Task<int> WriteAsync(GoalsReport report)
    {
        Directory.CreateDirectory(Folder());
        await File.WriteAllTextAsync(Path.Combine(Folder(), "goals.md"), GoalsMarkdown.Write(report));
        await File.WriteAllTextAsync(Path.Combine(Folder(), "goals.json"), JsonSerializer.Serialize(report, Json) + "\n");
        await DrawAsync(report);
        Console.WriteLine();
        Console.WriteLine(GoalsMarkdown.Table(report.Goals));
        Console.WriteLine(GoalsMarkdown.Calm(report.Hits));
        return report.Goals.All(goal => goal.Met != false) ? 0 : 1;
    }

    private static string Machine() => string.Join('\n', HostEnvironmentInfo.GetCurrent().ToFormattedString().Select(line => $"- {line.Trim()}"));

    private static List<HitResult> RunAll() => Run(
    [
        BenchmarkConverter.TypeToBenchmarks(typeof(OursAndFloor), BenchmarkConfigs.Short),
        BenchmarkConverter.TypeToBenchmarks(typeof(OursAndFloor), BenchmarkConfigs.ShortWithoutPgo),
        BenchmarkConverter.TypeToBenchmarks(typeof(AzureAdapters), BenchmarkConfigs.Short),
        BenchmarkConverter.TypeToBenchmarks(typeof(SdkPeers), BenchmarkConfigs.Short),
        BenchmarkConverter.TypeToBenchmarks(typeof(GeneralCaches), BenchmarkConfigs.Short),
        BenchmarkConverter.TypeToBenchmarks(typeof(WholeExchange), BenchmarkConfigs.Short),
    ]);

    private static List<HitResult> Run(BenchmarkRunInfo[] runs) => [.. BenchmarkRunner.Run(runs).SelectMany(summary => summary.Reports).Select(HitResult.Of)];

    private static SortedDictionary<string, string> Packages()
    {
        Type[] marks =
        [
            typeof(JobSession), typeof(ClientOptionsExtensions), typeof(Azure.Core.TokenCredential), typeof(Azure.Identity.ClientAssertionCredential), typeof(Microsoft.Identity.Client.AuthenticationResult),
            typeof(Amazon.Runtime.AWSCredentials), typeof(Google.Apis.Auth.OAuth2.GoogleCredential), typeof(Microsoft.Extensions.Caching.Memory.MemoryCache),
            typeof(Microsoft.Extensions.DependencyInjection.HybridCacheServiceExtensions), typeof(ZiggyCreatures.Caching.Fusion.FusionCache), typeof(BitFaster.Caching.ICache<,>), typeof(BenchmarkRunner),
        ];
        var versions = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (Assembly assembly in marks.Select(mark => mark.Assembly))
            versions[assembly.GetName().Name!] = (assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "?").Split('+')[0];
        return versions;
    }

    private static string Folder() => Path.Combine(RepositoryRoot(), "benchmarks", "results");

    private static string RepositoryRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Nhi.TokenExchange.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException("Run this from within the repository.");
    }
}
