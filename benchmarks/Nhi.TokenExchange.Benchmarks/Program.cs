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
        await GoalsRun.DrawAgainAsync();
        return 0;
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
    // BenchmarkDotNet takes what it doesn't know for nothing, and asks what to run.
    case [var first, ..] when first is "--filter" or "--list" or "--help" or "--info" or "--job":
        BenchmarkSwitcher.FromAssembly(typeof(BenchmarkConfigs).Assembly).Run(args, BenchmarkConfigs.Careful);
        return 0;
    default:
        Console.Error.WriteLine($"Unknown: '{string.Join(' ', args)}'. benchmarks/README.md has the table of commands; single benchmarks are run by --filter.");
        return 2;
}

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
