using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Nhi.TokenExchange;

/// <summary>One row of a BenchmarkDotNet run.</summary>
/// <param name="Method">The method.</param>
/// <param name="Job">The kind of run.</param>
/// <param name="Description">The row's name.</param>
/// <param name="Best">The fastest iteration, in nanoseconds: a neighbour's noise only ever adds.</param>
/// <param name="Median">The median iteration.</param>
/// <param name="Deviation">One standard deviation.</param>
/// <param name="Bytes">Managed bytes allocated per call.</param>
public sealed record HitResult(string Method, string Job, string Description, double Best, double Median, double Deviation, long Bytes)
{
    /// <exception cref="InvalidOperationException">A row gave no result, or its process failed: what it measured was not what it says.</exception>
    public static IReadOnlyList<HitResult> Run(BenchmarkRunInfo[] runs) => [.. BenchmarkRunner.Run(runs).SelectMany(summary => summary.Reports).Select(Of)];

    /// <exception cref="InvalidOperationException">The row gave no result.</exception>
    public static HitResult Of(BenchmarkReport report)
    {
        if (!report.Success || report.ResultStatistics is not { } statistics)
            throw new InvalidOperationException($"'{report.BenchmarkCase.DisplayInfo}' gave no result.");
        return new HitResult(
            report.BenchmarkCase.Descriptor.WorkloadMethod.Name, report.BenchmarkCase.Job.Id, report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\''),
            statistics.Min, statistics.Median, statistics.StandardDeviation,
            report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? -1);
    }
}
