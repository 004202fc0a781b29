using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange.Soak;

/// <summary>One run: issuers here, jobs in a child process, then the checker.</summary>
internal static class SoakRun
{
    // Beyond the planned time, to start and to end, on a machine that is slow.
    private static readonly TimeSpan DrainWithin = TimeSpan.FromMinutes(3);

    public static async Task<SoakReport> RunAsync(SoakOptions options)
    {
        string folder = options.Keep ?? Path.Combine(Path.GetTempPath(), $"soak-{Guid.NewGuid():N}");
        string proofs = folder + "-proofs";
        Directory.CreateDirectory(Path.Combine(folder, "tmp"));
        Directory.CreateDirectory(Path.Combine(folder, "switches"));
        Directory.CreateDirectory(proofs);
        try
        {
            return await RunAsync(options, folder, proofs);
        }
        finally
        {
            Directory.Delete(proofs, recursive: true);
            if (options.Keep is null)
                Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<SoakReport> RunAsync(SoakOptions options, string folder, string proofs)
    {
        SoakTime time = SoakTime.StartNow();
        await using SoakIssuers issuers = await SoakIssuers.StartAsync(options, time);
        Process? running = null;
        var chaos = new IssuerChaos(issuers, time, proofs, () => running!);
        chaos.RenewAll();
        string orders = Path.Combine(folder, "orders.json");
        IdentityEmulator emulator = issuers.Emulator;
        new ChildOrders
        {
            Options = options, Wall = time.Wall, Timestamp = time.Timestamp, Folder = folder, ProofFolder = proofs,
            Authorization = emulator.Authorization.Issuer, Databricks = emulator.Databricks.Host, Entra = emulator.Entra.Authority, EntraTenant = emulator.Entra.TenantId, Vault = emulator.Vault.Address,
            CertificatePem = emulator.CertificatePem, Warehouse = emulator.Warehouse.Address,
        }.Write(orders);

        using Process child = running = Start(orders, folder, issuers.Ci);
        using var over = new CancellationTokenSource();
        Task wrong = Task.CompletedTask;
        string said = "", seen = "";
        try
        {
            (said, seen) = await WatchAsync(child, options, () =>
            {
                TimeSpan start = time.Elapsed;
                wrong = Task.Run(() => chaos.RunAsync(ChaosPlan.Of(options, start), over.Token));
                return start;
            });
        }
        catch (SoakFailedException) when (wrong.IsFaulted)
        {
            // What went wrong before is told below.
        }
        finally
        {
            // It ends before what it works with, however the run ends.
            await over.CancelAsync();
            await wrong.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        if (wrong.IsFaulted)
            throw new SoakFailedException($"the chaos failed: {wrong.Exception?.InnerException}");
        if (child.ExitCode != 0)
            throw new SoakFailedException($"the process under test ended with {child.ExitCode}:{Environment.NewLine}{said}");
        await File.WriteAllTextAsync(Path.Combine(folder, "console.txt"), said);
        await File.WriteAllTextAsync(Path.Combine(folder, "process.txt"), seen);
        var evidence = Evidence.Read(options, time, emulator, folder, chaos.Happened);
        if (options.Keep is not null)
            evidence.WriteLedger();
        return SoakReport.Of(evidence);
    }

    private static Process Start(string orders, string folder, JobIdentity ci)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(SoakRun).Assembly.Location, "--child", orders]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["TMPDIR"] = Path.Combine(folder, "tmp");
        start.Environment["ACTIONS_ID_TOKEN_REQUEST_URL"] = ci.RequestUrl.ToString();
        start.Environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = ci.RequestToken;
        return Process.Start(start)!;
    }

    /// <returns>What the child wrote to its console, and what other processes could see of it.</returns>
    private static async Task<(string Said, string Seen)> WatchAsync(Process child, SoakOptions options, Func<TimeSpan> begin)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(options.Seconds) + DrainWithin);
        try
        {
            Task<string> errors = child.StandardError.ReadToEndAsync(deadline.Token);
            string? first = await child.StandardOutput.ReadLineAsync(deadline.Token);
            if (first == ChildRun.Ready)
                await child.StandardInput.WriteLineAsync(begin().Ticks.ToString(CultureInfo.InvariantCulture).AsMemory(), deadline.Token);
            await child.StandardInput.FlushAsync(deadline.Token);
            string seen = first == ChildRun.Ready ? SeenOf(child.Id) : "";
            string said = first + await child.StandardOutput.ReadToEndAsync(deadline.Token) + await errors;
            await child.WaitForExitAsync(deadline.Token);
            return (said, seen);
        }
        catch (OperationCanceledException)
        {
            throw new SoakFailedException($"the process under test did not end within {DrainWithin} after the run's end");
        }
        finally
        {
            if (!child.HasExited)
                child.Kill(entireProcessTree: true);
        }
    }

    // The CI's request token is in the environment because CI systems put it there; nothing else secret may be.
    private static string SeenOf(int process)
    {
        var seen = new StringBuilder();
        foreach (string file in new[] { "cmdline", "environ" })
        {
            string path = $"/proc/{process}/{file}";
            if (File.Exists(path))
                seen.AppendLine(string.Join('\n', File.ReadAllText(path).Split('\0').Where(entry => !entry.StartsWith("ACTIONS_ID_TOKEN_REQUEST_TOKEN=", StringComparison.Ordinal))));
        }

        return seen.ToString();
    }
}
