using System.Diagnostics;
using Nhi.TokenExchange;

namespace QuickStart;

/// <summary>A run in a process of its own that is killed before it can give anything back, and the next start, which does so for it.</summary>
internal static class KilledRun
{
    private const string Word = "run-until-killed";
    private const string Ready = "ready";

    public static bool IsThisProcess(string[] args) => args is [Word, ..];

    /// <summary>Where the run finds its proof for Vault.</summary>
    public static string ProofIn(string folder) => Path.Combine(folder, "vault-proof");

    /// <summary>The process that is killed: gets a login and a database password, and never comes to its end.</summary>
    public static async Task<int> WorkAsync(string[] args)
    {
        await using JobSession job = await JobSession.StartAsync(b => Compose(b, new Uri(args[1]), folder: args[2]));
        await job.Provider<VaultSecret>("database").GetAsync();
        Console.WriteLine(Ready);
        Console.ReadLine();   // nobody writes: this ends only if the process that tells the story does
        return 1;
    }

    public static async Task TellAsync(Story story, IdentityEmulator emulator, Trust trust)
    {
        await StartAndKillAsync(emulator.Vault.Address, trust.Folder);
        LedgerIssue[] left = [.. emulator.Ledger.Issued.Where(issue => issue.Handle is not null && emulator.Ledger.IsAlive(issue.Fingerprint))];
        story.Say($"Vault's ledger after the kill: {State(emulator, left)}");
        story.Expect(left.Length == 2, "the kill left two credentials behind");

        await using JobSession next = await JobSession.StartAsync(b => Compose(b, emulator.Vault.Address, trust.Folder));
        RecoveryReport report = await next.WaitForRecoveryAsync();   // it goes on beside the job; only the story waits for it
        story.Say(report.Jobs.Single().ToString());
        story.Say($"Vault's ledger after the next start: {State(emulator, left)}");
        story.Expect(report.AllEnded && !left.Any(issue => emulator.Ledger.IsAlive(issue.Fingerprint)), "the next start revoked both");
    }

    // The same for both: what the killed run had, the next one ends by the targets of the same names.
    private static void Compose(TokenExchangeBuilder builder, Uri vault, string folder) => builder
        .Job(new JobContext { Pipeline = "orders-nightly", Dataset = "orders", Purpose = "load" })
        .Identity("job", IdentitySources.OidcFile(ProofIn(folder)))
        .Target("vault", Targets.VaultLogin(vault, Trust.VaultRole), identity: "job")
        .Target("database", Targets.VaultSecret(vault, Trust.VaultPath), target => target.Through = "vault")
        .Journal(Path.Combine(folder, "journal"));   // in earnest on a disk that outlives the process and its machine's reboot

    private static async Task StartAndKillAsync(Uri vault, string folder)
    {
        // This program, as it was started itself: by "dotnet QuickStart.dll", or as a program of its own.
        string self = Environment.ProcessPath!;
        string[] first = Path.GetFileNameWithoutExtension(self) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
        using Process run = Process.Start(new ProcessStartInfo(self, [.. first, Word, vault.OriginalString, folder]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        string? said = await run.StandardOutput.ReadLineAsync();
        run.Kill();
        await run.WaitForExitAsync();
        if (said != Ready)
            throw new InvalidOperationException("The run that was to be killed did not get its credentials.");
    }

    private static string State(IdentityEmulator emulator, LedgerIssue[] issues) =>
        string.Join(", ", issues.Select(issue => $"{issue.Scope} {issue.Fingerprint} {(emulator.Ledger.IsAlive(issue.Fingerprint) ? "alive" : "revoked")}"));
}
