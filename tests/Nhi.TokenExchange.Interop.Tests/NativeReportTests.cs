using System.Diagnostics;
using System.Globalization;
using System.Text;
using Nhi.TokenExchange.Tests;

namespace Nhi.TokenExchange;

/// <summary>How large the samples are as native code, and how soon they are at work. Told, not judged: both are a machine's.</summary>
/// <remarks><c>NHI_NATIVE_REPORT=1</c> starts each 21 times instead of thrice and writes tests/reports/native.md.</remarks>
[Parallelizable]   // who uses what it publishes comes behind the soaks
internal sealed class NativeReportTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Test]
    public async Task Size_and_start_of_the_native_samples_are_told()
    {
        bool isReport = Environment.GetEnvironmentVariable("NHI_NATIVE_REPORT") == "1";
        var table = new StringBuilder("| sample | form | size | start, median | start, shortest |\n|---|---|--:|--:|--:|\n");
        foreach (string sample in (string[])["QuickStart", "Worker"])
        {
            string binary = await NativeSample.PublishAsync(sample);
            await AddRowAsync(table, sample, "native", $"{new FileInfo(binary).Length / 1e6:0.0} MB", isReport ? 21 : 3, binary);
            await AddRowAsync(table, sample, "on the JIT", "", isReport ? 21 : 3, "dotnet", SamplesTests.Built(sample));
        }
        TestContext.Out.WriteLine(table);
        if (isReport)
            await File.WriteAllTextAsync(Path.Combine(NativeSample.Checkout(), "tests", "reports", "native.md"), Report(table.ToString()));
    }

    private static async Task AddRowAsync(StringBuilder table, string sample, string form, string size, int starts, string program, params string[] arguments)
    {
        var spans = new List<TimeSpan>();
        for (int start = 0; start < starts; start++)
            spans.Add(await StartAsync(program, arguments));
        spans.Sort();
        table.Append(CultureInfo.InvariantCulture, $"| {sample} | {form} | {size} | {spans[spans.Count / 2].TotalMilliseconds:0} ms | {spans[0].TotalMilliseconds:0} ms |\n");
    }

    // From the start of the process to its first line, of whichever stream: the quick start has begun its first step; the worker, without the hosts of its targets, has read its settings and says what is wrong with its proof.
    private static async Task<TimeSpan> StartAsync(string program, string[] arguments)
    {
        var info = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        long began = TimeProvider.System.GetTimestamp();
        using Process child = Process.Start(info)!;
        using var end = new CancellationTokenSource(Deadline);
        try
        {
            Task<string?> output = child.StandardOutput.ReadLineAsync(end.Token).AsTask();
            Task<string?> errors = child.StandardError.ReadLineAsync(end.Token).AsTask();
            string? line = await await Task.WhenAny(output, errors);
            TimeSpan span = TimeProvider.System.GetElapsedTime(began);
            Assert.That(line, Is.Not.Null.And.Not.Empty);
            return span;
        }
        finally
        {
            if (!child.HasExited)
                child.Kill(entireProcessTree: true);
            await child.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static string Report(string table) => $"""
        # Native code

        Size of the samples published with `PublishAot`, and the time from the start of the process to its first line of output: the quick start has begun its first step (its emulator included); the worker has built its host and read its settings.
        Written by `NHI_NATIVE_REPORT=1 dotnet test tests/Nhi.TokenExchange.Interop.Tests --filter FullyQualifiedName~NativeReport`.

        {table}
        {ReportOrigin.Sentence()} 21 starts each, one after the other, from a warm disk. A time is a machine's, and of one that does something else meanwhile the median is, too.

        """.ReplaceLineEndings("\n");
}
