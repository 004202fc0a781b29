using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Puts the hits of a run on one core beside those of a run on all.</summary>
public static class OneCoreTable
{
    /// <returns>A Markdown table: each path's nanoseconds, what it is of the floor, and its bytes, in both runs.</returns>
    public static string Of(IReadOnlyList<HitResult> hits)
    {
        var table = new StringBuilder("| path | one core, ns | × floor | B | all cores, ns | × floor | B |\n|---|--:|--:|--:|--:|--:|--:|\n");
        HitResult At(string method, string job) => hits.First(hit => hit.Method == method && hit.Job == job);
        double Floor(string job) => At(nameof(OursAndFloor.Floor), job).Best;
        foreach (HitResult one in hits.Where(hit => hit.Job == BenchmarkConfigs.OneCoreId))
        {
            HitResult all = At(one.Method, BenchmarkConfigs.ShortId);
            table.Append(CultureInfo.InvariantCulture,
                $"| {one.Description} | {one.Best:N1} | {one.Best / Floor(one.Job):N1} | {one.Bytes:N0} | {all.Best:N1} | {all.Best / Floor(all.Job):N1} | {all.Bytes:N0} |\n");
        }
        return table.ToString();
    }
}
