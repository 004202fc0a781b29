using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests;

/// <summary>Collectors that are down, slow, throttle, refuse or lie, spools that are full, and jobs that are killed.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
[Parallelizable]
internal sealed class CollectorFaultTests : CollectorFixture
{
    private static readonly string[] AJob = ["Attested", "Permitted", "Exchanging", "Issued", "Revoked"];

    [Test]
    public async Task What_it_does_not_take_now_is_sent_again_with_the_same_key([Values(429, 503, 500, 408, 401, 404)] int status)
    {
        int all = status is 401 or 404 ? 2 : 6, left = all;   // more than the quick tries of one request
        Collector.Answer = _ => left-- > 0 ? ScriptedAnswer.Status(status, status == 429 ? ["Retry-After: 1"] : []) : null;
        await using JobSession job = await StartAsync();
        await job.Provider<BearerToken>("warehouse").GetAsync();
        await Eventually.HoldsAsync(() => Collector.Kinds.Contains("Issued"), "the batch");

        Assert.That(Collector.Requests.Take(all + 1).Select(request => request.Headers["Idempotency-Key"]).Distinct().Count(), Is.EqualTo(1));
        Assert.That(Collector.Uids, Is.Unique);
        await job.CompleteAsync();
        await job.Released;
        Assert.That(Collector.Kinds, Is.EqualTo(AJob));
        Assert.That(Log.Text, Does.Contain($"it answered {status}").And.Contain("takes events again"));
    }

    [Test]
    public async Task A_batch_that_is_too_long_is_halved_until_it_is_not()
    {
        Collector.Answer = request => TakingCollector.EventsOf(request).Length > 1 ? ScriptedAnswer.Status(413) : null;
        await RunAsync();
        Assert.That(Collector.Kinds, Is.EqualTo(AJob));
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task The_event_that_it_refuses_is_set_aside_and_told_and_the_others_are_taken([Values(400, 422, 413)] int status)
    {
        Collector.Answer = request => request.Body.Contains("\"kind\":\"Permitted\"", StringComparison.Ordinal) ? ScriptedAnswer.Status(status) : null;
        await RunAsync();

        Assert.That(Collector.Kinds, Is.EqualTo(AJob.Except(["Permitted"])));
        string aside = Files().Single();
        Assert.That(aside, Does.EndWith(".rejected.jsonl"));
        Assert.That(Log.Text, Does.Contain("NHI6013").And.Contain(Path.GetFileName(aside)).And.Contain("refused 1 event(s)"));

        Collector.Answer = null;
        File.Move(aside, aside.Replace(".rejected.", ".spool.", StringComparison.Ordinal));
        await RunAsync();
        Assert.That(Collector.Kinds.Count(kind => kind == "Permitted"), Is.EqualTo(2), "under its old name it is sent again");
    }

    [Test]
    public async Task An_answer_without_an_end_or_of_any_length_holds_up_neither_job_nor_end([Values("never ends", "never begins", "is huge", "redirects", "is no HTTP")] string what)
    {
        Collector.Answer = _ => what switch
        {
            "never begins" => ScriptedAnswer.Silence(() => { }),
            "never ends" => new ScriptedAnswer(async (stream, cancellationToken) =>
            {
                await stream.WriteAsync(ScriptedAnswer.Head(200, "Content-Length: 1000"), cancellationToken);
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }),
            "is huge" => ScriptedAnswer.Bytes(new byte[2 << 20], []),
            "redirects" => ScriptedAnswer.Status(307, "Location: https://elsewhere.example/"),
            _ => ScriptedAnswer.Raw("what?\r\n\r\n"),
        };
        await using JobSession job = await StartAsync(isEndBounded: true);
        await job.Provider<BearerToken>("warehouse").GetAsync();
        JobReport report = await job.CompleteAsync();
        await job.Released;

        Assert.That(report.AllEnded, Is.True);
        Assert.That(Files(), Is.Not.Empty, "it waits for the next start");
        Collector.Answer = null;
        await RunAsync();
        Assert.That(Collector.Kinds, Is.EqualTo(AJob.Concat(AJob)));
    }

    [Test]
    public async Task A_full_spool_refuses_where_it_is_required_and_drops_and_counts_where_it_is_not([Values] bool isRequired)
    {
        using var heard = new Telemetry();
        Collector.IsDown = true;
        Directory.CreateDirectory(Spool, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllBytesAsync(Path.Combine(Spool, "old.rejected.jsonl"), new byte[1 << 20]);
        await using JobSession job = await StartAsync(
            o =>
            {
                o.IsRequired = isRequired;
                o.SpoolBytes = 1 << 20;
            },
            b => b.Meters(heard.Meters));

        if (isRequired)
        {
            TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Provider<BearerToken>("warehouse").GetAsync())!;
            Assert.That((refused.Code, (refused.GetBaseException() as TokenExchangeException)?.Code), Is.EqualTo(("NHI6001", "NHI6012")));
            Assert.That(refused.Message, Does.Contain("could not record 'Attested' (NHI6012)").And.Contain("why the collector does not take its events"));
            Assert.That(await HealthOf(job), Is.EqualTo(HealthStatus.Unhealthy));
            return;
        }
        await job.Provider<BearerToken>("warehouse").GetAsync();
        await job.CompleteAsync();
        await job.Released;
        Assert.That(await HealthOf(job), Is.EqualTo(HealthStatus.Degraded));
        Assert.That(heard.Of("nhi.audit.dropped"), Has.Count.EqualTo(AJob.Length));
        Assert.That(Log.Text, Does.Contain("audit event(s) were dropped that the sink AuditFileSink did not take (NHI6012)"));
    }

    [Test]
    public async Task Health_is_degraded_while_it_takes_nothing_and_says_why()
    {
        Collector.IsDown = true;
        await using JobSession job = await StartAsync();
        Assert.That(await HealthOf(job), Is.EqualTo(HealthStatus.Healthy));
        await job.Provider<BearerToken>("warehouse").GetAsync();
        await Eventually.HoldsAsync(async () => await HealthOf(job) == HealthStatus.Degraded, "the failure");
        Collector.IsDown = false;
        await Eventually.HoldsAsync(async () => await HealthOf(job) == HealthStatus.Healthy, "it takes events again");
    }

    [Test]
    public async Task Health_is_degraded_while_it_refuses_what_it_is_sent_and_it_is_not_said_to_be_back()
    {
        Collector.IsDown = true;
        await using JobSession job = await StartAsync();
        BearerToken token = await job.Provider<BearerToken>("warehouse").GetAsync();
        await Eventually.HoldsAsync(() => Log.Text.Contains("it answered 503", StringComparison.Ordinal), "it is down");
        Collector.Answer = _ => ScriptedAnswer.Status(400);
        Collector.IsDown = false;
        await Eventually.HoldsAsync(() => Log.Text.Contains("NHI6013", StringComparison.Ordinal), "it refuses each of them");

        Assert.That(await HealthOf(job), Is.EqualTo(HealthStatus.Degraded));
        Assert.That(Log.Text, Does.Not.Contain("takes events again"));

        Collector.Answer = null;
        await job.RevokeCredentialAsync(token, "it is used up");
        await Eventually.HoldsAsync(async () => await HealthOf(job) == HealthStatus.Healthy, "it takes events");
        await Eventually.HoldsAsync(() => Log.Text.Contains("takes events again", StringComparison.Ordinal), "the word of it, which holds nothing up");
    }

    [Test]
    public async Task Health_is_degraded_by_a_refusal_alone_and_says_it_not_what_was_before([Values] bool isDownBefore)
    {
        int left = isDownBefore ? 6 : 0;   // more than the quick tries of one request
        Collector.Answer = _ => ScriptedAnswer.Status(Interlocked.Decrement(ref left) >= 0 ? 503 : 400);
        await using JobSession job = await StartAsync();
        await job.Provider<BearerToken>("warehouse").GetAsync();
        await Eventually.HoldsAsync(() => Log.Text.Contains("NHI6013", StringComparison.Ordinal), "it refuses each of them");

        Assert.That(await HealthOf(job), Is.EqualTo(HealthStatus.Degraded));
        Assert.That(job.Audit.CollectorFailing, Does.StartWith("it answered 400").And.Contain("was set aside"));
        Assert.That(Log.Text, isDownBefore ? Does.Contain("it answered 503") : Does.Not.Contain("it answered 503"));
    }

    [Test]
    public async Task Killed_between_two_batches_nothing_is_lost_and_what_comes_twice_has_the_same_key([Range(1, 6)] int run)
    {
        int lines = new Random(Environment.TickCount + (run * 7919)).Next(20, 101);
        TestContext.Out.WriteLine($"killed after {lines} lines");
        int answers = 0;
        // Takes, and now and then does not say so: whoever is killed then sends it again.
        Collector.Answer = request =>
        {
            if (Interlocked.Increment(ref answers) % 2 == 0)
                return null;
            Collector.Keep(request);
            return ScriptedAnswer.Nothing;
        };
        var said = new List<string>();
        IdentityEmulator emulator = await EmulatedJob.StartEmulatorAsync(TimeProvider.System);
        await using (emulator)
        {
            JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
            emulator.Authorization.AddClient("orders", identity.Subject, [.. Enumerable.Range(0, 25).Select(i => FormattableString.Invariant($"dataset:t{i}"))]);
            string proof = Path.Combine(Path.GetDirectoryName(Spool)!, "proof");
            identity.WriteProofFile(proof, emulator.Authorization.Issuer.AbsoluteUri);
            using Process child = ChildProcess.Start("collect", Spool, emulator.Authorization.Issuer.AbsoluteUri, proof, Collector.Uri.AbsoluteUri);
            while (said.Count < lines)
            {
                if (await ChildProcess.ReadLineAsync(child) is not { } line)
                    throw new AssertionException($"The job ended by itself: {await child.StandardError.ReadToEndAsync()}");
                said.Add(line);
            }
            await Eventually.HoldsAsync(() => Collector.Requests.Count >= run % 3, "what it has sent by then");
            child.Kill();
            await child.WaitForExitAsync();
            said.AddRange((await child.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }

        await RunAsync();

        string?[] issued = [.. Collector.Taken.Select(one => one.Event.GetProperty("unmapped")).Where(one => one.GetProperty("kind").GetString() is "Issued" or "Refreshed").Select(one => one.GetProperty("fingerprint").GetString())];
        string[] handed = [.. said.Where(line => line.StartsWith("got ", StringComparison.Ordinal)).Select(line => line.Split(' ')[2])];
        Assert.That(handed, Is.Not.Empty.And.SubsetOf(issued), "handed out, and the collector has no record");
        foreach (IGrouping<string, string> twice in Collector.Taken.GroupBy(one => one.Event.GetProperty("metadata").GetProperty("uid").GetString()!, one => one.Key).Where(keys => keys.Count() > 1))
            Assert.That(twice.Distinct().Count(), Is.EqualTo(1), twice.Key);
        foreach (IGrouping<string, long> chain in Collector.Taken.GroupBy(one => one.Event.GetProperty("metadata").GetProperty("uid").GetString()!.Split(':')[0], one => one.Event.GetProperty("metadata").GetProperty("sequence").GetInt64()))
            Assert.That(chain.Distinct(), Is.Ordered, "in order");
        Assert.That(Files(), Is.Empty);
    }
}
