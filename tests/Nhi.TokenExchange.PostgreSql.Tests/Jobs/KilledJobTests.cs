using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests;

/// <summary>A job that is killed with fifty leases at two real places, and the next one, which ends them: what the servers themselves know then.</summary>
[Platform(Include = "Linux,MacOsX", Reason = "Kills processes with SIGKILL.")]
internal sealed class KilledJobTests
{
    private const int AllLines = 1 + (2 * FiftyLeases.OfEach);

    private static readonly string Child = typeof(KilledJobTests).Assembly.Location.Replace("Nhi.TokenExchange.PostgreSql.Tests", "Nhi.TokenExchange.ChildPostgreSql", StringComparison.Ordinal);

    private static readonly ConcurrentQueue<Kill> s_kills = new();

    // tests/long/kills asks for more.
    private static IEnumerable<int> Runs => Enumerable.Range(1, int.Parse(Environment.GetEnvironmentVariable("NHI_KILLS") ?? "20", CultureInfo.InvariantCulture));

    [OneTimeTearDown]
    public static async Task ReportAsync()
    {
        if (Environment.GetEnvironmentVariable("NHI_KILLS_REPORT") is { Length: > 0 } file)
            await File.WriteAllTextAsync(file, Kill.Report([.. s_kills]));
    }

    [TestCaseSource(nameof(Runs))]
    public async Task Killed_at_any_instant_it_leaves_no_login_and_no_lease_and_none_is_ended_twice(int run)
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
        int issued = emulator.Ledger.Issued.Count;
        IReadOnlyList<string> logins = await SharedServer.Server.LoginsAsync(leases.Prefix);

        RecoveryReport report = await JobSession.RecoverAsync(b => leases.Compose(b));

        LeaseOutcome[] outcomes = [.. report.Jobs.SelectMany(job => job.Leases)];
        int inTheAir = report.Jobs.Sum(job => job.FlightsInTheAir);
        TestContext.Out.WriteLine($"{issued} of Vault and {logins.Count} of PostgreSQL were there, {outcomes.Length} in the journal, {inTheAir} exchanges in the air");
        int left = (await SharedServer.Server.LoginsAsync(leases.Prefix)).Count + emulator.Vault.OpenLeases;
        s_kills.Enqueue(new Kill(seed, lines, issued + logins.Count, outcomes.Length, outcomes.Count(lease => lease.End == LeaseEnd.Revoked), inTheAir, left, emulator.Vault.OpenTokens));
        Assert.That(report.AllEnded, Is.True, report.ToString());
        Assert.That(await SharedServer.Server.LoginsAsync(leases.Prefix), Is.Empty, "each name was in the journal before the server heard it");
        Assert.That(outcomes.Count(lease => lease.Target.StartsWith("login-", StringComparison.Ordinal) && lease.End == LeaseEnd.Revoked), Is.InRange(logins.Count, FiftyLeases.OfEach), "what the server was making when its job was killed came after the count");
        Assert.That(outcomes.Select(lease => (lease.Target, lease.Fingerprint)), Is.Unique, "none is told of twice");
        Assert.That(emulator.Ledger.Issued.Where(issue => issue.RevocationsAsked > 1).Select(issue => issue.Handle), Is.Empty, "none is ended twice at Vault");
        Dictionary<string, int> endings = Endings(SharedServer.Server.Log, leases.Prefix);
        Assert.That(endings.Where(ending => ending.Value > 1).Select(ending => ending.Key), Is.Empty, "nor at PostgreSQL");
        Assert.That(endings.Keys, Is.SupersetOf(logins), "which was asked to end each");
        Assert.That(emulator.Vault.OpenLeases, Is.Zero, "a secret whose answer was lost goes with its login");
        // A login whose answer was lost is known to Vault alone.
        Assert.That(emulator.Vault.OpenTokens, Is.LessThanOrEqualTo(Math.Min(1, inTheAir)));
        Assert.That(issued + logins.Count, Is.LessThanOrEqualTo(outcomes.Length + inTheAir), "none is forgotten");
        Assert.That(Directory.GetFiles(leases.Journal), Is.Empty);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>How often each login was ended, by what the server wrote. An ending has a session of its own, which first looks for the role; one that collides with another's on a row of a catalog begins anew, and is the same one.</summary>
    private static Dictionary<string, int> Endings(string log, string prefix)
    {
        ILookup<string, string> sessions = Regex.Matches(log, $@"\[(\d+)\] DETAIL:\s+[Pp]arameters: \$1 = '({prefix}_\w+)'").ToLookup(look => look.Groups[2].Value, look => look.Groups[1].Value);
        ILookup<string, Match> failures = Regex.Matches(log, $"STATEMENT:.*\"({prefix}_\\w+)\"").ToLookup(failure => failure.Groups[1].Value);
        return sessions.ToDictionary(login => login.Key, login => login.Distinct().Count() - failures[login.Key].Count());
    }

    private static async Task KillAsync(FiftyLeases leases, int afterLines)
    {
        using Process child = Process.Start(new ProcessStartInfo("dotnet", [Child, .. leases.Arguments]) { RedirectStandardOutput = true })!;
        for (int line = 0; line < afterLines; line++)
            Assert.That(await child.StandardOutput.ReadLineAsync(), Is.Not.Null, "the job ended by itself");
        child.Kill();
        await child.WaitForExitAsync();
    }

    /// <param name="Seed">What the chance was made of.</param>
    /// <param name="AfterLines">How much the job had said.</param>
    /// <param name="Issued">Credentials that the servers knew when it was killed.</param>
    /// <param name="InJournal">Of those and of announced ones, what the journal told.</param>
    /// <param name="Revoked">What the recovery revoked; the others were gone with their login, or never made.</param>
    /// <param name="InTheAir">Exchanges whose answers nobody got.</param>
    /// <param name="Left">Logins and leases that the servers knew afterwards.</param>
    /// <param name="TokensLeft">Vault's own logins whose answer nobody got: they die by themselves.</param>
    private sealed record Kill(int Seed, int AfterLines, int Issued, int InJournal, int Revoked, int InTheAir, int Left, int TokensLeft)
    {
        public static string Report(IReadOnlyList<Kill> kills)
        {
            var text = new StringBuilder();
            text.Append(CultureInfo.InvariantCulture, $"# Killed jobs\n\nWritten by `tests/long/kills {kills.Count}`. Each job has twenty-five logins of a real PostgreSQL and twenty-five secrets of the emulated Vault, is killed by SIGKILL, and the next one recovers.\n\n{ReportOrigin.Sentence()}\n\n");
            text.Append(CultureInfo.InvariantCulture, $"| kills | credentials at the servers | in journals | revoked by the next start | exchanges in the air | logins and leases left | Vault logins that nobody got |\n|--:|--:|--:|--:|--:|--:|--:|\n");
            text.Append(CultureInfo.InvariantCulture, $"| {kills.Count} | {kills.Sum(kill => kill.Issued)} | {kills.Sum(kill => kill.InJournal)} | {kills.Sum(kill => kill.Revoked)} | {kills.Sum(kill => kill.InTheAir)} | {kills.Sum(kill => kill.Left)} | {kills.Sum(kill => kill.TokensLeft)} |\n\n");
            text.Append("| seed | killed after lines | at the servers | in the journal | revoked | in the air | left | logins that nobody got |\n|--:|--:|--:|--:|--:|--:|--:|--:|\n");
            foreach (Kill kill in kills)
                text.Append(CultureInfo.InvariantCulture, $"| {kill.Seed} | {kill.AfterLines} | {kill.Issued} | {kill.InJournal} | {kill.Revoked} | {kill.InTheAir} | {kill.Left} | {kill.TokensLeft} |\n");
            return text.ToString();
        }
    }
}
