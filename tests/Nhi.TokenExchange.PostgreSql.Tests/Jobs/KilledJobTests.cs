using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests;

/// <summary>A job that is killed with fifty leases at two real places, in any part of its journal's life, and the next one, which ends them: what the servers themselves know then.</summary>
[Platform(Include = "Linux,MacOsX", Reason = "Kills processes with SIGKILL.")]
internal sealed class KilledJobTests
{
    private const int All = 2 * FiftyLeases.OfEach;
    // Vault's login, too.
    private const int Credentials = All + 1;
    // The job itself, each exchange, the names of logins before they are asked for, each credential.
    private const int LinesWhenAllAreGot = 1 + Credentials + FiftyLeases.OfEach + Credentials;
    // The exchange, that it is to be sent, the credential with its new end, and that this stands for the one before.
    private const int LinesOfRenewals = 4 * (FiftyLeases.OfEach + 1);

    private static readonly string Child = typeof(KilledJobTests).Assembly.Location.Replace("Nhi.TokenExchange.PostgreSql.Tests", "Nhi.TokenExchange.ChildPostgreSql", StringComparison.Ordinal);

    // Renewed when half of it is over, and the other half is more than a slow machine needs.
    private static readonly TimeSpan ShortLife = TimeSpan.FromSeconds(12);

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
        var chance = new Random(seed);
        KillPart part = Enum.GetValues<KillPart>()[run % Enum.GetValues<KillPart>().Length];
        string folder = Directory.CreateTempSubdirectory("nhi-killed-").FullName;
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(options => options.ProofAlgorithm = "ES256");
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        VaultRole role = emulator.Vault.AddRole(FiftyLeases.Role, identity.Subject);
        VaultSecretRole secret = emulator.Vault.AddSecret(FiftyLeases.Path);
        if (part == KillPart.Renewing)
            role.TokenTtl = secret.Ttl = ShortLife;
        var leases = new FiftyLeases(SharedServer.Server.AdminConnection, OrdersJob.NewPrefix(), emulator.Vault.Address, Path.Combine(folder, "proof"), Path.Combine(folder, "journals"));
        identity.WriteProofFile(leases.Proof, emulator.Vault.Address.GetLeftPart(UriPartial.Authority));
        int at = await KillAsync(leases, part, chance);
        string step = JournalLook.LastStep(leases.Journal);
        TestContext.Out.WriteLine($"seed {seed}: killed while {part}, after {at}: {step}");
        emulator.Vault.EndQueuedLeases();
        int alive = emulator.Ledger.Issued.Count(issue => emulator.Ledger.IsAlive(issue.Fingerprint));
        IReadOnlyList<string> logins = await SharedServer.Server.LoginsAsync(leases.Prefix);

        RecoveryReport report = await JobSession.RecoverAsync(b => leases.Compose(b));

        LeaseOutcome[] outcomes = [.. report.Jobs.SelectMany(job => job.Leases)];
        int inTheAir = report.Jobs.Sum(job => job.FlightsInTheAir);
        TestContext.Out.WriteLine($"{alive} of Vault and {logins.Count} of PostgreSQL lived, {outcomes.Length} in the journal, {inTheAir} exchanges in the air");
        int left = (await SharedServer.Server.LoginsAsync(leases.Prefix)).Count + emulator.Vault.OpenLeases;
        string[] twice = [.. emulator.Ledger.Issued.Where(issue => issue.RevocationsAsked > 1).Select(issue => issue.Handle!), .. Endings(SharedServer.Server.Log, leases.Prefix).Where(ending => ending.Value > 1).Select(ending => ending.Key)];
        s_kills.Enqueue(new Kill(seed, part, at, step, alive + logins.Count, outcomes.Length, outcomes.Count(lease => lease.End == LeaseEnd.Revoked), inTheAir, twice.Length, left, emulator.Vault.OpenTokens));
        Assert.That(report.AllEnded, Is.True, report.ToString());
        Assert.That(await SharedServer.Server.LoginsAsync(leases.Prefix), Is.Empty, "each name was in the journal before the server heard it");
        // What was ending when its process was killed may be gone by the time that it is asked for once more; nobody asks a third time.
        bool wasEnding = part is KillPart.Ending or KillPart.Recovering;
        Assert.That(outcomes.Count(lease => lease.Target.StartsWith("login-", StringComparison.Ordinal) && lease.End == LeaseEnd.Revoked), Is.InRange(wasEnding ? 0 : logins.Count, FiftyLeases.OfEach), "what the server was making when its job was killed came after the count");
        Assert.That(outcomes.Select(lease => (lease.Target, lease.Fingerprint)), Is.Unique, "none is told of twice");
        Assert.That(twice.Length, wasEnding ? Is.LessThanOrEqualTo(Credentials) : Is.Zero, string.Join(' ', twice));
        Assert.That(emulator.Ledger.Issued.Select(issue => issue.RevocationsAsked), Is.All.LessThanOrEqualTo(2), "at Vault");
        Dictionary<string, int> endings = Endings(SharedServer.Server.Log, leases.Prefix);
        Assert.That(endings.Values, Is.All.LessThanOrEqualTo(2), "at PostgreSQL");
        Assert.That(endings.Keys, Is.SupersetOf(logins), "which was asked to end each");
        Assert.That(emulator.Vault.OpenLeases, Is.Zero, "a secret whose answer was lost goes with its login");
        // A login whose answer was lost is known to Vault alone.
        Assert.That(emulator.Vault.OpenTokens, Is.LessThanOrEqualTo(Math.Min(2, inTheAir)));
        Assert.That(alive + logins.Count, Is.LessThanOrEqualTo(outcomes.Length + inTheAir), "none is forgotten");
        Assert.That(Directory.GetFiles(leases.Journal, "*.journal"), Is.Empty, "but for the draft of one that was killed before its first line, which goes when it is old");
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>How often each login was ended, by what the server wrote. An ending has a session of its own, which first looks for the role; one that collides with another's on a row of a catalog begins anew, and is the same one.</summary>
    private static Dictionary<string, int> Endings(string log, string prefix)
    {
        ILookup<string, string> sessions = Regex.Matches(log, $@"\[(\d+)\] DETAIL:\s+[Pp]arameters: \$1 = '({prefix}_\w+)'").ToLookup(look => look.Groups[2].Value, look => look.Groups[1].Value);
        ILookup<string, Match> failures = Regex.Matches(log, $"STATEMENT:.*\"({prefix}_\\w+)\"").ToLookup(failure => failure.Groups[1].Value);
        return sessions.ToDictionary(login => login.Key, login => login.Distinct().Count() - failures[login.Key].Count());
    }

    /// <returns>After which line, or which credential, the last process was killed.</returns>
    private static async Task<int> KillAsync(FiftyLeases leases, KillPart part, Random chance)
    {
        switch (part)
        {
            case KillPart.Issuing:
                return await KillAtLineAsync(leases, "hold", chance.Next(1, LinesWhenAllAreGot + 1));
            case KillPart.HandingOut:
                int credentials = chance.Next(1, All + 1);
                await KillWhenAsync(leases, "hold", said => said.Count >= credentials);
                return credentials;
            case KillPart.Renewing:
                return await KillAtLineAsync(leases, "hold", LinesWhenAllAreGot + chance.Next(1, LinesOfRenewals + 1), isToGoOn: true);
            case KillPart.Ending:
                return await KillAtLineAsync(leases, "end", LinesWhenAllAreGot + chance.Next(1, Credentials + 1));
            default:
                await KillWhenAsync(leases, "hold", said => said.Count == All);
                return await KillAtLineAsync(leases, "recover", JournalLook.Lines(leases.Journal) + chance.Next(1, Credentials + 1));
        }
    }

    private static async Task<int> KillAtLineAsync(FiftyLeases leases, string act, int line, bool isToGoOn = false)
    {
        await KillWhenAsync(leases, act, said => JournalLook.Lines(leases.Journal) >= line || (!isToGoOn && act == "hold" && said.Count == All));
        return line;
    }

    // One that has ended before is dead already.
    private static async Task KillWhenAsync(FiftyLeases leases, string act, Func<ConcurrentQueue<string>, bool> isThere)
    {
        using Process child = Process.Start(new ProcessStartInfo("dotnet", [Child, .. leases.Arguments, act]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var said = new ConcurrentQueue<string>();
        Task reading = ReadAsync(child, said);
        Task<string> errors = child.StandardError.ReadToEndAsync();
        await Eventually.HoldsAsync(() => isThere(said) || child.HasExited, $"the instant to kill a child that is to {act}");
        if (act == "hold" && child.HasExited)
            throw new AssertionException($"The job ended by itself: {await errors}");
        child.Kill();
        await child.WaitForExitAsync();
        await reading;
    }

    private static async Task ReadAsync(Process child, ConcurrentQueue<string> said)
    {
        while (await child.StandardOutput.ReadLineAsync() is { } line)
            said.Enqueue(line);
    }
}
