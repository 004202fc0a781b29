using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>What it costs to record before a credential is handed out: on one core, and on all.</summary>
/// <param name="Origin">Of which program, on which machine.</param>
/// <param name="FileSystem">Of the folder for temporary files.</param>
/// <param name="Results">The rows.</param>
public sealed record AuditReport(RunOrigin Origin, string FileSystem, IReadOnlyList<AuditedGrantsResult> Results)
{
    private const string Name = "audit";

    /// <summary>Measures, and writes <c>audit.md</c> and <c>audit.json</c>.</summary>
    public static async Task MeasureAsync()
    {
        long begun = System.Diagnostics.Stopwatch.GetTimestamp();
        List<AuditedGrantsResult> results = [.. await AuditedGrants.MeasureAsync(1)];
        if (Environment.ProcessorCount > 1)
            results.AddRange(await AuditedGrants.MeasureAsync(Environment.ProcessorCount));
        var report = new AuditReport(RunOrigin.Of("Nhi.TokenExchange.Benchmarks", begun), FileSystemOf(Path.GetTempPath()), results);
        await ReportFile.PublishAsync(Name, report.ToMarkdown(), report);
    }

    private static string FileSystemOf(string folder) =>
        DriveInfo.GetDrives().Where(drive => drive.IsReady && folder.StartsWith(drive.RootDirectory.FullName, StringComparison.Ordinal)).MaxBy(drive => drive.RootDirectory.FullName.Length)?.DriveFormat ?? "unknown";

    private string ToMarkdown()
    {
        var table = new StringBuilder("| audit | cores | at once | exchanges a second | median, µs | 99 of 100 within, µs | flushes each |\n|---|--:|--:|--:|--:|--:|--:|\n");
        foreach (AuditedGrantsResult row in Results)
            table.Append(CultureInfo.InvariantCulture, $"| {row.Sink} | {row.Cores} | {row.AtOnce} | {row.PerSecond:N0} | {row.MedianMicroseconds:N0} | {row.P99Microseconds:N0} | {row.FlushesPerGrant:0.##} |\n");
        return $"""
            # The audit, measured

            Written by `dotnet run -c Release --project benchmarks/Nhi.TokenExchange.Benchmarks -- --audit`: whole exchanges with an issuer in memory, in turns, of each row the best of three rounds after one to warm up (of the bare flush, of all four). Read the ratios: a flush is the disk's.
            One exchange alone waits for four flushes, one after the other; 64 at once share theirs. With a sink that keeps nothing an exchange waits for nothing, and the 64 come one after the other all the same. Behind each stands a fifth event that nobody waits for: that the credential before has died.

            {Origin.ToMarkdown()}- File system of the folder: {FileSystem}

            {table}
            """.ReplaceLineEndings("\n");
    }
}
