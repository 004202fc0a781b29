using System.Diagnostics;

namespace Nhi.TokenExchange;

/// <summary>The samples that run offline, as they are built, in processes of their own; the quick start has QuickStartTests.</summary>
internal sealed class SamplesTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    // Where a sample is built: beside this project's own binaries, by name.
    internal static string Built(string sample)
    {
        string here = typeof(SamplesTests).Assembly.Location;
        string[] parts = here.Split(Path.DirectorySeparatorChar);
        int tests = Array.LastIndexOf(parts, "tests");
        Assert.That(tests, Is.GreaterThan(0), here);
        IEnumerable<string> below = parts[(tests + 1)..].Select(part => part.Replace("Nhi.TokenExchange.Interop.Tests", sample, StringComparison.Ordinal));
        string theirs = string.Join(Path.DirectorySeparatorChar, [.. parts[..tests], "samples", .. below]);
        Assert.That(theirs, Does.Exist);
        return theirs;
    }

    [TestCase("BlobWorker", "read back 8 bytes")]
    [TestCase("Broker", "The issuer's ledger: dataset:orders, revoked when the program had ended.")]
    [TestCase("DatabricksOnAzure", "the job holds BearerToken(")]
    [TestCase("DatabricksWarehouse", "The statement outlived its tokens")]
    [TestCase("WorkerEmulated", "The worker ended with exit code 0.")]
    public async Task A_sample_runs_offline_and_says_that_all_went_well(string sample, string said)
    {
        var start = new ProcessStartInfo("dotnet", [Built(sample)]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string name in ChildAzure.Signposts)
            start.Environment.Remove(name);
        using Process child = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(Deadline);
        try
        {
            Task<string> errors = child.StandardError.ReadToEndAsync(deadline.Token);
            string output = await child.StandardOutput.ReadToEndAsync(deadline.Token);
            await child.WaitForExitAsync(deadline.Token);

            Assert.That(child.ExitCode, Is.Zero, output + await errors);
            Assert.That(output, Does.Contain(said));
        }
        finally
        {
            if (!child.HasExited)
                child.Kill(entireProcessTree: true);
        }
    }
}
