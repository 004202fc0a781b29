using BenchmarkDotNet.Reports;

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
    public static HitResult Of(BenchmarkReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        BenchmarkDotNet.Mathematics.Statistics statistics = report.ResultStatistics
            ?? throw new InvalidOperationException($"'{report.BenchmarkCase.DisplayInfo}' gave no result.");
        return new HitResult(
            report.BenchmarkCase.Descriptor.WorkloadMethod.Name, report.BenchmarkCase.Job.Id, report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\''),
            statistics.Min, statistics.Median, statistics.StandardDeviation,
            report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? -1);
    }
}
