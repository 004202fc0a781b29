using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using System.Text.Json;

namespace Nhi.TokenExchange.Tests;

/// <summary>Jobs that are killed, or may write no further, while they exchange at an emulated issuer: its ledger against their audit.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class KilledAuditTests : AuditFolderFixture
{
    // It says that it started, and then each of four rounds of twenty-five, or of twelve.
    private const int AllLines = 101;
    private const int AllCredentials = 300;
    private const int AllFiles = 6;
    private const int AllBytes = 6 << 20;
    private const int MostKillsWithABug = 10;

    private static readonly string[] ChildTargets = [.. Enumerable.Range(0, 25).Select(i => FormattableString.Invariant($"t{i}"))];

    private static readonly int s_seed = Number("NHI_AUDIT_KILLS_SEED", Environment.TickCount & 0xFFFFFF);

    private static readonly ConcurrentQueue<AuditKill> s_kills = new();

    // tests/long/audit-kills asks for more.
    private static IEnumerable<int> Runs => Enumerable.Range(1, Number("NHI_AUDIT_KILLS", 20));

    [OneTimeTearDown]
    public static async Task ReportAsync()
    {
        if (Environment.GetEnvironmentVariable("NHI_AUDIT_KILLS_REPORT") is { Length: > 0 } file)
            await AuditKill.WriteAsync(file, s_seed, [.. s_kills]);
    }

    [TestCaseSource(nameof(Runs))]
    public async Task Killed_at_any_instant_no_credential_lives_without_a_record_of_its_intent_and_none_was_handed_out_without_that_of_its_issue(int run)
    {
        AuditKill kill = await KillAsync(s_seed + (run * 7919), (AuditKillPart)(run % 4), forgets: run / 4 % 2 == 0, "waits");
        s_kills.Enqueue(kill);
        Assert.That(kill.Breaches, Is.Empty);
    }

    [Test]
    public async Task A_job_that_waits_for_no_record_is_found_by_that()
    {
        for (int run = 1; run <= MostKillsWithABug; run++)
        {
            AuditKill kill = await KillAsync(s_seed + run, AuditKillPart.HandingOut, forgets: true, "waits for nothing");
            if (kill.Breaches.Any(breach => breach.EndsWith("was handed out, and no issue is recorded", StringComparison.Ordinal)))
                return;
            RemoveFolder();
            MakeFolder();
        }
        Assert.Fail($"{MostKillsWithABug} kills of a job with that bug, and nothing was found");
    }

    // RLIMIT_FSIZE: each file holds 16 KiB (in blocks of 512 bytes, or of 1 KiB, as the shell counts), and a write beyond is cut short by the kernel.
    [Test]
    public async Task Where_a_file_may_grow_no_further_what_is_not_recorded_is_not_handed_out_and_no_half_line_is_left()
    {
        await using IdentityEmulator emulator = await EmulatedJob.StartEmulatorAsync(TimeProvider.System);
        // The runtime's double mapping of code is a file of its own, larger than that.
        IReadOnlyList<string> said = await RunAsync(how => ChildProcess.StartIn("trap '' XFSZ; export DOTNET_EnableWriteXorExecute=0; ulimit -f 16", ["audit", .. how]), emulator, lines => lines.Count >= AllLines);
        await emulator.DisposeAsync();

        IReadOnlyList<JsonElement> events = FollowChain(Files());
        Assert.That(AuditBreaches.Of(emulator.Ledger.Issued, HandedOut(said), events), Is.Empty);
        Assert.That(said.Where(line => line.StartsWith("refused", StringComparison.Ordinal)), Is.Not.Empty.And.All.EndsWith("NHI6001"));
        Assert.That(Marks(events), Does.Contain("recovered"));
        Assert.That(Files().Select(file => new FileInfo(file).Length), Is.All.LessThanOrEqualTo(16 * 1024));
    }

    private async Task<AuditKill> KillAsync(int seed, AuditKillPart part, bool forgets, string bug)
    {
        var chance = new Random(seed);
        long at = part switch
        {
            AuditKillPart.HandingOut or AuditKillPart.Exchanging => chance.Next(1, AllCredentials + 1),
            AuditKillPart.Writing => chance.Next(1, AllBytes),
            _ => chance.Next(1, AllFiles + 1),
        };
        TestContext.Out.WriteLine($"seed {seed}: killed while {part}, after {at}, on a disk that {(forgets ? "forgets" : "keeps what is written")}");
        IdentityEmulator emulator = await EmulatedJob.StartEmulatorAsync(TimeProvider.System);
        IReadOnlyList<string> said;
        await using (emulator)
        {
            said = await RunAsync(how => ChildProcess.Start(["audit", .. how, forgets ? "forgets" : "keeps", bug]), emulator, lines => At(part, lines, emulator) >= at);
        }

        string[] all = Files(), files = [.. all.Where(file => file.EndsWith(AuditFolder.Extension, StringComparison.Ordinal))];
        IReadOnlyList<JsonElement> events = FollowChain(files, mayBeTorn: true);
        AuditTrail trail = AuditTrail.Verify(Folder);
        List<string> breaches = [.. AuditBreaches.Of(emulator.Ledger.Issued, HandedOut(said), events), .. trail.Faults.Select(fault => fault.ToString())];
        if (Marks(events).Contains("end"))
            breaches.Add("the chain says that it is whole");
        UnfinishedTrails.Tell(AuditFolder.Open(Folder), Job, Log);
        if (files.Length > 0 && !Log.Text.Contains("NHI6004", StringComparison.Ordinal))
            breaches.Add("the next start does not tell of it");
        return new AuditKill(
            seed, part, at, forgets, files.Length, all.Length - files.Length, trail.Chains.Any(chain => chain.TornTail is not null), trail.Chains.Sum(chain => chain.Events), emulator.Ledger.Issued.Count,
            emulator.Ledger.Issued.Count(one => emulator.Ledger.IsAlive(one.Fingerprint)), HandedOut(said).Length, AuditBreaches.OpenIntents(AuditBreaches.Ours(events)).Count, breaches);
    }

    // How far it is, by what its part counts. A job that has done all waits to be killed.
    private long At(AuditKillPart part, IReadOnlyCollection<string> said, IdentityEmulator emulator) => said.Contains("done") ? long.MaxValue : part switch
    {
        AuditKillPart.HandingOut => said.Count,
        AuditKillPart.Exchanging => emulator.Ledger.Issued.Count,
        AuditKillPart.Writing => Directory.Exists(Folder) ? Disk.BytesIn(Folder) : 0,
        _ => Files().Length,
    };

    // Kills it at that instant. All that it says up to then.
    private async Task<IReadOnlyList<string>> RunAsync(Func<string[], Process> start, IdentityEmulator emulator, Func<IReadOnlyCollection<string>, bool> isThere)
    {
        var said = new ConcurrentQueue<string>();
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        emulator.Authorization.AddClient("orders", identity.Subject, [.. ChildTargets.Select(target => $"dataset:{target}")]);
        string proof = Path.Combine(Path.GetDirectoryName(Folder)!, "proof");
        identity.WriteProofFile(proof, emulator.Authorization.Issuer.AbsoluteUri);
        using Process child = start([Folder, emulator.Authorization.Issuer.AbsoluteUri, proof]);
        Task reading = ReadAsync(child, said);
        try
        {
            await Eventually.HoldsAsync(() => child.HasExited || isThere(said), "the instant to kill it", TimeSpan.FromMinutes(2));
            if (child.HasExited)
                throw new AssertionException($"The job ended by itself: {await child.StandardError.ReadToEndAsync()}");
        }
        finally   // one that waits to be killed waits for ever
        {
            child.Kill(entireProcessTree: true);
            await child.WaitForExitAsync();
            await reading;
        }
        return [.. said];
    }

    private static async Task ReadAsync(Process child, ConcurrentQueue<string> said)
    {
        while (await ChildProcess.ReadLineAsync(child) is { } line)
            said.Enqueue(line);
    }

    private static string[] HandedOut(IReadOnlyList<string> said) => [.. said.Where(line => line.StartsWith("got ", StringComparison.Ordinal)).Select(line => line.Split(' ')[2])];

    private static int Number(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : otherwise;
}
