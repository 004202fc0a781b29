namespace Nhi.TokenExchange;

/// <summary>All that one run of processes to their first token found.</summary>
public sealed record ColdStartReport(RunOrigin Origin, IReadOnlyList<ColdStartResult> Results)
{
    private const string Name = "cold-start";

    /// <summary>Measures, and writes <c>cold-start.md</c> and <c>cold-start.json</c>.</summary>
    /// <param name="native">Whether native programs are compiled and measured too.</param>
    /// <returns>0 if every goal is met, else 1.</returns>
    public static async Task<int> MeasureAsync(bool native)
    {
        long begun = System.Diagnostics.Stopwatch.GetTimestamp();
        IReadOnlyList<ColdStartResult> results = await ColdStartRun.RunAsync(Checkout.Root, native);
        var report = new ColdStartReport(RunOrigin.Of("Nhi.TokenExchange.ColdStart", begun), results);
        await ReportFile.PublishAsync(Name, report.ToMarkdown(), report);
        return ColdStartJudge.Judge(results).All(goal => goal.Met != false) ? 0 : 1;
    }

    /// <summary>The last run's.</summary>
    public static Task<ColdStartReport> ReadAsync() => ReportFile.ReadAsync<ColdStartReport>($"{Name}.json", "--cold-start --native");

    private string ToMarkdown() => $"""
        # Cold start, measured

        Written by `dotnet run -c Release --project benchmarks/Nhi.TokenExchange.Benchmarks -- --cold-start{(Results.Any(result => result.Compiled == Compiled.Ahead) ? " --native" : "")}`: whole processes, from their start to their end with one token, the issuer on loopback in another one, in turns. Read the ratios.

        All processes run with `DOTNET_TieredPGO=0`, the peers' too: the JIT's profiling is paid at the start and brings a process that lives a tenth of a second nothing. With the default every row on the JIT takes longer.

        {Origin.ToMarkdown()}
        {GoalsMarkdown.Table(ColdStartJudge.Judge(Results))}
        {ColdStartRun.Table(Results)}
        """.ReplaceLineEndings("\n");
}
