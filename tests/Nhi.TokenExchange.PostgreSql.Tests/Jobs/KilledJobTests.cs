using System.Diagnostics;

namespace Nhi.TokenExchange.Tests;

/// <summary>A job that is killed with fifty leases at two real places, and the next one, which ends them: what the servers themselves know then.</summary>
[Platform(Include = "Linux,MacOsX", Reason = "Kills processes with SIGKILL.")]
internal sealed class KilledJobTests
{
    private const int AllLines = 1 + (2 * FiftyLeases.OfEach);

    private static readonly string Child = typeof(KilledJobTests).Assembly.Location.Replace("Nhi.TokenExchange.PostgreSql.Tests", "Nhi.TokenExchange.ChildPostgreSql", StringComparison.Ordinal);

    [Test]
    public async Task Killed_at_any_instant_it_leaves_no_login_and_no_lease_and_none_is_ended_twice([Range(1, 20)] int run)
    {
        int seed = Environment.TickCount + (run * 7919);
        int lines = new Random(seed).Next(1, AllLines + 1);
        TestContext.Out.WriteLine($"seed {seed}: killed after {lines} of {AllLines} lines");
        string folder = Directory.CreateTempSubdirectory("nhi-killed-").FullName;
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(options => options.ProofAlgorithm = "ES256");
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        emulator.Vault.AddRole(FiftyLeases.Role, identity.Subject);
        emulator.Vault.AddSecret(FiftyLeases.Path);
        var leases = new FiftyLeases(SharedServer.Server.AdminConnection, OrdersJob.NewPrefix(), emulator.Vault.Address, Path.Combine(folder, "proof"), Path.Combine(folder, "journals"));
        identity.WriteProofFile(leases.Proof, emulator.Vault.Address.GetLeftPart(UriPartial.Authority));
        await KillAsync(leases, lines);
        int issued = emulator.Ledger.Issued.Count, logins = (await SharedServer.Server.LoginsAsync(leases.Prefix)).Count;

        RecoveryReport report = await JobSession.RecoverAsync(b => leases.Compose(b));

        LeaseOutcome[] outcomes = [.. report.Jobs.SelectMany(job => job.Leases)];
        int inTheAir = report.Jobs.Sum(job => job.FlightsInTheAir);
        TestContext.Out.WriteLine($"{issued} of Vault and {logins} of PostgreSQL were there, {outcomes.Length} in the journal, {inTheAir} exchanges in the air");
        Assert.That(report.AllEnded, Is.True, report.ToString());
        Assert.That(await SharedServer.Server.LoginsAsync(leases.Prefix), Is.Empty, "each name was in the journal before the server heard it");
        Assert.That(outcomes.Count(lease => lease.Target.StartsWith("login-", StringComparison.Ordinal) && lease.End == LeaseEnd.Revoked), Is.EqualTo(logins), "once each");
        Assert.That(emulator.Vault.OpenLeases, Is.Zero, "a secret whose answer was lost goes with its login");
        // A login whose answer was lost is known to Vault alone.
        Assert.That(emulator.Vault.OpenTokens, Is.LessThanOrEqualTo(Math.Min(1, inTheAir)));
        Assert.That(issued + logins, Is.LessThanOrEqualTo(outcomes.Length + inTheAir), "none is forgotten");
        Assert.That(Directory.GetFiles(leases.Journal), Is.Empty);
        Directory.Delete(folder, recursive: true);
    }

    private static async Task KillAsync(FiftyLeases leases, int afterLines)
    {
        using Process child = Process.Start(new ProcessStartInfo("dotnet", [Child, .. leases.Arguments]) { RedirectStandardOutput = true })!;
        for (int line = 0; line < afterLines; line++)
            Assert.That(await child.StandardOutput.ReadLineAsync(), Is.Not.Null, "the job ended by itself");
        child.Kill();
        await child.WaitForExitAsync();
    }
}
