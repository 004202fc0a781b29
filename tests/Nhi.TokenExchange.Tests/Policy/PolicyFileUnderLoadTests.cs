using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>A policy's file that is cut at every byte, put back, taken away and replaced while callers ask: nothing wrong is issued, nothing valid is lost.</summary>
internal sealed class PolicyFileUnderLoadTests : PolicyFileFixture
{
    private const int Versions = 25;
    private const int Callers = 4;

    [Test]
    public void A_document_that_is_cut_at_any_byte_does_not_compile()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Document(8).Replace("orders-", "ördèrs-", StringComparison.Ordinal) + "\n");
        int end = Array.LastIndexOf(whole, (byte)'}') + 1;
        Assert.That(PolicyDocument.TryParse(whole.AsSpan(0, end), new PolicyErrors("whole")), Is.Not.Null);

        for (int length = 0; length < end; length++)
        {
            var errors = new PolicyErrors("cut");
            Assert.That(PolicyDocument.TryParse(whole.AsSpan(0, length), errors), Is.Null, $"{length} bytes");
            Assert.That(errors.Told.Single().What, Does.Match("is empty|ends before the document does: it looks cut|is no JSON from here on|is not UTF-8 from here on"), $"{length} bytes");
        }
    }

    [Test]
    public async Task A_file_that_is_cut_at_every_byte_leaves_the_version_before_in_force()
    {
        Put(Document(7));
        await using JobSession job = await StartAsync();
        BearerToken held = await job.Provider<BearerToken>("warehouse").GetAsync();
        string inForce = FileOf(job).Revision, next = Document(8, scope: "write");

        for (int length = 0; length < next.Length; length++)
        {
            Put(next[..length]);
            var errors = new PolicyErrors("nhi.policy.json");
            PolicyDocument.TryParse(Encoding.UTF8.GetBytes(next[..length]), errors);
            string reason = errors.ToString();
            await SeenAsync(() => FileOf(job).Trouble == reason, $"the refusal of {length} bytes: {reason}");
            Assert.That((FileOf(job).Revision, job.Provider<BearerToken>("warehouse").TryGet(out BearerToken? got), got), Is.EqualTo((inForce, true, held)), $"{length} bytes");
            if (length % 50 == 0)
            {
                Put(Document(7));
                await SeenAsync(() => FileOf(job).Trouble is null, "the version before");
            }
        }
        Assert.That(Audit.Kinds.Count(kind => kind == AuditEventKind.Issued), Is.EqualTo(1));
        Put(next);
        await SeenAsync(() => FileOf(job).Document.Number == 8, "the whole version");
    }

    [Test]
    public async Task A_file_that_is_swapped_under_load_never_grants_by_an_older_version_and_denies_nobody()
    {
        Put(Large(1));
        await using JobSession job = await StartAsync();
        CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");
        PolicyFile file = FileOf(job);
        await warehouse.GetAsync();   // by the first version; the callers may come when there is a second
        // The version before the one that is seen: its change is whole.
        long settled = 1;
        var seen = new ConcurrentQueue<(long AtLeast, string Fingerprint)>();
        using var done = new CancellationTokenSource();
        Task[] callers = [.. Enumerable.Range(0, Callers).Select(_ => Task.Run(CallAsync))];

        for (int version = 2; version <= Versions; version++)
        {
            string next = Large(version);
            File.WriteAllText(PolicyPath, next[..(next.Length / 2)]);   // in place: some look may see the half
            Time.Advance(TimeSpan.FromSeconds(5));
            Put(version % 3 == 0 ? Large(Math.Max(1, version - 3)) : "");
            Time.Advance(TimeSpan.FromSeconds(5));
            File.Delete(PolicyPath);
            Time.Advance(TimeSpan.FromSeconds(5));
            Put(next);
            long wanted = version;
            await SeenAsync(() => file.Document.Number == wanted, $"version {version}");
            Interlocked.Exchange(ref settled, version - 1);
            await Eventually.HoldsAsync(() => callers.Any(caller => caller.IsCompleted) || Audit.Events.Any(one => one.Kind == AuditEventKind.Issued && NumberOf(one) == wanted), $"an issue by version {version}");
        }
        await done.CancelAsync();
        await Task.WhenAll(callers);   // none was denied or failed

        var issued = Audit.Events.Where(one => one.Kind == AuditEventKind.Issued).ToDictionary(one => one.Fingerprint!, one => (Number: NumberOf(one), one.Scopes));
        Assert.That(Audit.Kinds, Has.None.EqualTo(AuditEventKind.Denied).And.None.EqualTo(AuditEventKind.Failed));
        Assert.Multiple(() =>
        {
            foreach ((long number, ScopeSet scopes) in issued.Values)
                Assert.That(scopes.ToString(), Is.EqualTo(ScopeOf(number)), $"revision {number} narrows to its own scope");
            foreach ((long atLeast, string fingerprint) in seen)
                Assert.That(issued[fingerprint].Number, Is.GreaterThanOrEqualTo(atLeast), "who asks after a change gets what was decided after it");
        });
        Assert.That(issued.Values.Select(one => one.Number).Distinct().Count(), Is.EqualTo(Versions));

        async Task CallAsync()
        {
            string? last = null;
            while (!done.IsCancellationRequested)
            {
                long before = Interlocked.Read(ref settled);
                BearerToken token = await warehouse.GetAsync();
                if (token.Fingerprint != last)
                    seen.Enqueue((before, token.Fingerprint));
                last = token.Fingerprint;
                await Task.Yield();
            }
        }
    }

    // Of several pieces, as it is read.
    private static string Large(long version) => Document(version, ScopeOf(version)).Replace("\"rules\"", $"{new string(' ', 40_000)}\"rules\"", StringComparison.Ordinal);

    private static string ScopeOf(long version) => version % 2 == 0 ? "write" : "read";

    private static long NumberOf(AuditEvent issued) => long.Parse(issued.PolicyRevision!.Split('+')[0], CultureInfo.InvariantCulture);
}
