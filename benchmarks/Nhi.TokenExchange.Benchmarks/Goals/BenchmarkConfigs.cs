using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Environments;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Exporters.Json;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using Perfolizer.Horology;

namespace Nhi.TokenExchange;

/// <summary>How the benchmarks are run: one process each, memory diagnoser always.</summary>
public static class BenchmarkConfigs
{
    public const string ShortId = "short";
    public const string WithoutPgoId = "no PGO";
    public const string OneCoreId = "one core";

    /// <summary>The run of single rows, by <c>--filter</c>: fewer and longer iterations, in one process. The reports come from the short one.</summary>
    public static IConfig Careful => With(Job.Default.WithWarmupCount(7).WithIterationCount(9).WithIterationTime(TimeInterval.FromMilliseconds(150)).WithId("careful"));

    /// <summary>The short run of the goals.</summary>
    public static IConfig Short => With(ShortJob.WithId(ShortId));

    /// <summary>The short run without profile-guided optimisation: what a call costs where the JIT can't guess the receiver.</summary>
    public static IConfig ShortWithoutPgo => With(ShortJob.WithEnvironmentVariable("DOTNET_TieredPGO", "0").WithId(WithoutPgoId))
        .AddFilter(new NameFilter(name => name is nameof(OursAndFloor.Floor) or nameof(OursAndFloor.GetAsync) or nameof(OursAndFloor.TryGet)));

    /// <summary>The short run where only one core may be used: garbage collector, JIT and benchmark share it, hence the long warm-up.</summary>
    public static IConfig OneCore => With(ShortJob.WithWarmupCount(40).WithAffinity(1).WithId(OneCoreId));

    // Many short iterations in two processes: the goals compare the best, a short one is more often undisturbed, and some processes run at half the speed. A third would make the run longer than the six minutes that it may take.
    private static Job ShortJob => Job.Default.WithLaunchCount(2).WithWarmupCount(5).WithIterationCount(10).WithIterationTime(TimeInterval.FromMilliseconds(60));

    private static ManualConfig With(Job job) => ManualConfig.CreateEmpty()
        .AddJob(job.WithRuntime(CoreRuntime.Core10_0).WithArguments([new MsBuildArgument("/p:RunAnalyzers=false")]))   // what is measured was analysed when it was built
        .AddDiagnoser(MemoryDiagnoser.Default)
        .AddColumnProvider(DefaultColumnProviders.Instance)
        .AddExporter(MarkdownExporter.GitHub, JsonExporter.Brief)
        .AddLogger(ConsoleLogger.Default)
        .WithOptions(ConfigOptions.JoinSummary | ConfigOptions.DisableLogFile);
}
