using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.Json;

namespace Nhi.TokenExchange.Tests;

/// <summary>Jobs that are killed, or may write no further, while they exchange at an emulated issuer: its ledger against their audit.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class KilledAuditTests : AuditFolderFixture
{
    // It says that it started, and then each of four rounds of twenty-five.
    private const int AllLines = 101;

    private static readonly string[] ChildTargets = [.. Enumerable.Range(0, 25).Select(i => FormattableString.Invariant($"t{i}"))];

    [Test]
    public async Task Killed_at_any_instant_no_credential_lives_without_a_record_of_its_intent_and_none_was_handed_out_without_that_of_its_issue([Range(1, 20)] int run)
    {
        int seed = Environment.TickCount + (run * 7919);
        int lines = new Random(seed).Next(1, AllLines);
        TestContext.Out.WriteLine($"seed {seed}: killed after {lines} lines");
        (IReadOnlyList<LedgerIssue> issued, List<string> said) = await RunJobAsync(null, lines);

        IReadOnlyList<JsonElement> events = FollowChain(Files(), mayBeTorn: true);
        Check(issued, said, events);
        Assert.That(Marks(events), Does.Not.Contain("end"));
    }

    // RLIMIT_FSIZE: each file holds 16 KiB (in blocks of 512 bytes, or of 1 KiB, as the shell counts), and a write beyond is cut short by the kernel.
    [Test]
    public async Task Where_a_file_may_grow_no_further_what_is_not_recorded_is_not_handed_out_and_no_half_line_is_left()
    {
        // The runtime's double mapping of code is a file of its own, larger than that.
        (IReadOnlyList<LedgerIssue> issued, List<string> said) = await RunJobAsync("trap '' XFSZ; export DOTNET_EnableWriteXorExecute=0; ulimit -f 16", AllLines);

        IReadOnlyList<JsonElement> events = FollowChain(Files());
        Check(issued, said, events);
        Assert.That(said.Where(line => line.StartsWith("refused", StringComparison.Ordinal)), Is.Not.Empty.And.All.EndsWith("NHI6001"));
        Assert.That(Marks(events), Does.Contain("recovered"));
        Assert.That(Files().Select(file => new FileInfo(file).Length), Is.All.LessThanOrEqualTo(16 * 1024));
    }

    // All that the job says up to its kill, and what the issuer knows when its last request is over.
    private async Task<(IReadOnlyList<LedgerIssue> Issued, List<string> Said)> RunJobAsync(string? shell, int lines)
    {
        var said = new List<string>();
        IdentityEmulator emulator = await EmulatedJob.StartEmulatorAsync(TimeProvider.System);
        await using (emulator)
        {
            JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
            emulator.Authorization.AddClient("orders", identity.Subject, [.. ChildTargets.Select(target => $"dataset:{target}")]);
            string proof = Path.Combine(Path.GetDirectoryName(Folder)!, "proof");
            identity.WriteProofFile(proof, emulator.Authorization.Issuer.AbsoluteUri);
            string[] how = ["audit", Folder, emulator.Authorization.Issuer.AbsoluteUri, proof];
            using Process child = shell is null ? ChildProcess.Start(how) : ChildProcess.StartIn(shell, how);
            while (said.Count < lines)
            {
                if (await ChildProcess.ReadLineAsync(child) is not { } line)
                    throw new AssertionException($"The job ended by itself: {await child.StandardError.ReadToEndAsync()}");
                said.Add(line);
            }
            child.Kill();
            await child.WaitForExitAsync();
            said.AddRange((await child.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        return (emulator.Ledger.Issued, said);
    }

    private static void Check(IReadOnlyList<LedgerIssue> issued, List<string> said, IReadOnlyList<JsonElement> events)
    {
        JsonElement[] ours = [.. events.Where(one => one.TryGetProperty("unmapped", out _)).Select(one => one.GetProperty("unmapped"))];
        foreach (string target in ChildTargets)
        {
            int intents = ours.Count(one => one.GetProperty("kind").GetString() == "Exchanging" && one.GetProperty("target").GetString() == target);
            Assert.That(issued.Count(one => one.Scope == $"dataset:{target}"), Is.LessThanOrEqualTo(intents), $"{target}: issued, and no intent is recorded");
        }
        string?[] recorded = [.. ours.Where(one => one.GetProperty("kind").GetString() is "Issued" or "Refreshed").Select(one => one.GetProperty("fingerprint").GetString())];
        string[] handed = [.. said.Where(line => line.StartsWith("got ", StringComparison.Ordinal)).Select(line => line.Split(' ')[2])];
        Assert.That(handed, Is.SubsetOf(recorded), "handed out, and no issue is recorded");
        Assert.That(recorded, Is.SubsetOf(issued.Select(one => one.Fingerprint)), "the audit tells of what there is");
    }
}
