using System.ComponentModel;
using System.Diagnostics;
using BenchmarkDotNet.Running;
using Nhi.TokenExchange;

RaisePriority();

switch (args)
{
    case ["--goals" or "--short"]:
        return await GoalsRun.RunAsync(again: false);
    case ["--goals" or "--short", "--again"]:
        return await GoalsRun.RunAsync(again: true);
    case ["--judge"]:
        return await GoalsRun.JudgeAgainAsync();
    case ["--pictures"]:
        return await GoalsRun.DrawAgainAsync();
    case ["--stampede"]:
        Console.WriteLine(StampedeRun.Table(await StampedeRun.RunAsync(Console.WriteLine)));
        return 0;
    case ["--cold-start"]:
        return await ColdStartReport.MeasureAsync(native: false);
    case ["--cold-start", "--native"]:
        return await ColdStartReport.MeasureAsync(native: true);
    case ["--one-core"]:
        await OneCoreReport.MeasureAsync();
        return 0;
    case ["--building-blocks"]:
        await BuildingBlocksReport.MeasureAsync();
        return 0;
    case ["--policy"]:
        await PolicyReport.MeasureAsync();
        return 0;
    case ["--audit"]:
        await AuditReport.MeasureAsync();
        return 0;
    case [AuditedGrants.Command]:
        await AuditedGrants.RunAsync();
        return 0;
    case ["--threads"]:
        foreach (ThreadScalingResult path in await ThreadScaling.RunAsync())
            Console.WriteLine($"{path}");
        return 0;
    case ["--many-keys"]:
        foreach (ManyKeysResult store in await ManyKeysRun.RunAsync())
            Console.WriteLine(store);
        return 0;
    case ["--help" or "-h" or "-?"]:
        Console.WriteLine(Usage());
        return 0;
    // BenchmarkDotNet takes what it doesn't know for nothing, and asks what to run.
    case ["--filter", ..] or ["--job", ..]:
        return BenchmarkSwitcher.FromAssembly(typeof(BenchmarkConfigs).Assembly).Run(args, BenchmarkConfigs.Careful).Any(summary => summary.Reports.Length > 0) ? 0 : 1;
    case ["--list" or "--info", ..]:
        BenchmarkSwitcher.FromAssembly(typeof(BenchmarkConfigs).Assembly).Run(args, BenchmarkConfigs.Careful);
        return 0;
    default:
        Console.Error.WriteLine($"{(args.Length == 0 ? "Says not what to measure." : $"Unknown: '{string.Join(' ', args)}'.")} {Usage()}");
        return 2;
}

static string Usage() => """
    One of, as benchmarks/README.md tells:
      --goals [--again], --judge, --pictures         all that the goals need, in one run; judged, or drawn, again
      --cold-start [--native]                        processes from their start to their first token
      --one-core, --building-blocks, --stampede      one subject each
      --policy, --audit, --threads, --many-keys
      --filter PATTERN, --list flat|tree, --info     single benchmarks, with BenchmarkDotNet's own options behind
    """;

// As BenchmarkDotNet does for its own processes; where the system doesn't permit it, the numbers are only noisier.
static void RaisePriority()
{
    try
    {
        using var self = Process.GetCurrentProcess();
        self.PriorityClass = ProcessPriorityClass.High;
    }
    catch (Win32Exception exception)
    {
        Console.WriteLine($"Runs at normal priority: {exception.Message}");
    }
}
