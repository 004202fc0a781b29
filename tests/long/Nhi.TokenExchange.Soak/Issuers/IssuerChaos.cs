using System.Diagnostics;
using System.Globalization;

namespace Nhi.TokenExchange.Soak;

/// <summary>Lets go wrong what the plan wants to go wrong at the issuers, in the files of proofs and with the process under test, and renews those files in the meantime.</summary>
/// <param name="issuers">The issuers.</param>
/// <param name="time">The run's time.</param>
/// <param name="proofFolder">Where the files are.</param>
/// <param name="process">The process under test.</param>
internal sealed class IssuerChaos(SoakIssuers issuers, SoakTime time, string proofFolder, Func<Process> process)
{
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(2);

    private readonly List<Chaos> _happened = [];

    /// <summary>The windows as they were, which on a slow machine is later than planned.</summary>
    public IReadOnlyList<Chaos> Happened => _happened;

    public void RenewAll()
    {
        foreach ((string file, string audience) in issuers.Files)
            issuers.Mint(proofFolder, file, audience);
    }

    public async Task RunAsync(ChaosPlan plan, CancellationToken end)
    {
        foreach (Chaos window in plan.Windows)
        {
            await RenewUntilAsync(window.At, end);
            TimeSpan from = time.Elapsed;
            Begin(window);
            await (window.Fault.StopsTheProcess ? StopUntilAsync(window.End, end) : time.UntilAsync(window.End, end));
            issuers.Emulator.Faults.Clear();
            if (window.Place == ChaosPlace.Files)
                RenewAll();
            // Clocks, callers, policy and audit keep the plan's own times, in the other process.
            _happened.Add(window.Place is ChaosPlace.Clock or ChaosPlace.Callers or ChaosPlace.Policy or ChaosPlace.Audit ? window : window with { At = from, End = time.Elapsed });
        }

        await RenewUntilAsync(TimeSpan.MaxValue, end);
    }

    private async Task StopUntilAsync(TimeSpan at, CancellationToken end)
    {
        await SignalAsync("-STOP");
        try
        {
            await time.UntilAsync(at, end);
        }
        finally
        {
            await SignalAsync("-CONT");
        }
    }

    private async Task RenewUntilAsync(TimeSpan at, CancellationToken end)
    {
        while (time.Elapsed + RenewEvery < at)
        {
            await Task.Delay(RenewEvery, TimeProvider.System, end);
            RenewAll();
        }

        await time.UntilAsync(at, end);
    }

    private void Begin(Chaos window)
    {
        if (window.Fault.AtIssuer is { } fault)
        {
            foreach (EmulatorEndpoint endpoint in EndpointsOf(window.Place))
                issuers.Emulator.Faults.WithProbability(endpoint, window.Fault.Share, fault());
            return;
        }

        foreach ((string file, _) in issuers.Files)
        {
            string path = Path.Combine(proofFolder, file);
            if (window.Fault == ChaosFault.Missing)
                File.Delete(path);
            else if (window.Fault == ChaosFault.HalfWritten)
                Halve(path);
        }
    }

    private async Task SignalAsync(string signal)
    {
        using Process kill = Process.Start("kill", [signal, process().Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(CancellationToken.None);
        // One that has ended takes no signal, and why it has is told elsewhere.
        if (kill.ExitCode != 0 && !process().HasExited)
            throw new SoakFailedException($"the process under test did not take {signal}: kill ended with {kill.ExitCode}");
    }

    private static void Halve(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(file.Length / 2);
    }

    private static EmulatorEndpoint[] EndpointsOf(ChaosPlace place) => place switch
    {
        ChaosPlace.Authorization => [EmulatorEndpoint.AuthorizationToken],
        ChaosPlace.Databricks => [EmulatorEndpoint.DatabricksToken],
        ChaosPlace.Entra => [EmulatorEndpoint.EntraToken],
        ChaosPlace.Vault => [EmulatorEndpoint.VaultLogin, EmulatorEndpoint.VaultSecret],
        ChaosPlace.Discovery => [EmulatorEndpoint.AuthorizationDiscovery],
        ChaosPlace.ProofRequest => [EmulatorEndpoint.ProofRequest],
        ChaosPlace.Revocation => [EmulatorEndpoint.Revocation, EmulatorEndpoint.VaultToken, EmulatorEndpoint.VaultLease],
        _ => throw new ArgumentOutOfRangeException(nameof(place), place, "No endpoint is there."),
    };
}
