using System.Runtime.Versioning;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests;

/// <summary>A spool that was full takes events again as soon as there is room, whoever made it; and none is so full that it can't be emptied.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class FullSpoolTests : CollectorFixture
{
    [Test]
    public async Task Where_room_came_without_a_word_to_the_session_it_records_again_and_health_says_so([Values] bool isOfAnotherSession)
    {
        await using FileStream held = Fill(isOfAnotherSession);
        await using JobSession job = await StartAsync(o => o.SpoolBytes = 1 << 20);
        Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Provider<BearerToken>("warehouse").GetAsync());
        Assert.That(await HealthOf(job), Is.EqualTo(HealthStatus.Unhealthy));

        File.Delete(held.Name);   // sent by its session, or moved away by a human as the page of errors says

        await Eventually.HoldsAsync(async () => await HealthOf(job) == HealthStatus.Healthy, "health, though no event came");
        await Eventually.HoldsAsync(async () => await IsHandedOutAsync(job, "warehouse"), "a credential");
    }

    [Test]
    public async Task The_target_that_authenticates_and_what_it_goes_through_have_room_in_a_spool_of_any_length([Values(1 << 20, 2 << 20)] int length)
    {
        await using FileStream held = Fill(isOfAnotherSession: false, length);
        await using JobSession job = await StartAsync(
            o =>
            {
                o.SpoolBytes = 1 << 20;
                o.Target = "siem";
            },
            b => b.Target("account", new TestExchanger(TimeProvider.System), "job").Target("siem", new TestExchanger(TimeProvider.System), t =>
            {
                t.Through = "account";
                t.AllowedOrigins.Add(new Uri(Collector.Uri, "/"));
            }));

        Assert.That(await IsHandedOutAsync(job, "warehouse"), Is.False);
        Assert.That(await IsHandedOutAsync(job, "siem"), Is.True);
    }

    [Test]
    public async Task A_spool_beyond_its_bound_is_emptied_by_the_next_start_with_the_credential_of_a_target()
    {
        Collector.IsDown = true;
        string text = new('\u0416', 1000);
        while (Files().Sum(file => new FileInfo(file).Length) < (1 << 20) + (1 << 17))
            await RunAsync(more: b => b.Job(new JobContext { Pipeline = text, Dataset = text, Purpose = text, Task = text, Environment = text }));
        Collector.IsDown = false;

        await using JobSession job = await StartAsync(o =>
        {
            o.SpoolBytes = 1 << 20;
            o.Target = "warehouse";
        });

        await Eventually.HoldsAsync(() => Files().Length <= 1, "all but its own is sent");
    }

    [Test]
    public async Task What_the_disk_did_not_take_holds_no_room()
    {
        var disk = new TestDisk();
        var spool = new AuditSpool(Plan(), TimeProvider.System);
        AuditFileSink sink = AuditFileSink.Start(new AuditFolderPlan(Spool, true, 1 << 20, int.MaxValue, disk), new JobContext(), TimeProvider.System, Log, spool);
        disk.Room = 0;
        for (int i = 0; i < 40; i++)
            Assert.That((await RefusedAsync(sink)).Message, Is.EqualTo("No space left on device"));
        disk.Room = null;
        await sink.WriteAsync(Large, CancellationToken.None);
        await sink.EndAsync();
        while (spool.TryTake(out AuditPart? part))
            part!.Dispose();
    }

    [Test]
    public void What_other_sessions_write_is_seen_within_ten_seconds()
    {
        Directory.CreateDirectory(Spool);
        var time = new ManualTimeProvider();
        var room = new SpoolRoom(Plan(), time);
        Assert.That(room.TryTake(1000, "warehouse"), Is.True);
        File.WriteAllBytes(Path.Combine(Spool, "another.spool.jsonl"), new byte[1 << 20]);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.That(room.TryTake(1000, "warehouse"), Is.False);
    }

    [Test]
    public void A_reserve_that_is_used_up_grows_by_a_flight_every_five_minutes_and_no_faster()
    {
        Directory.CreateDirectory(Spool);
        File.WriteAllBytes(Path.Combine(Spool, "old.rejected.jsonl"), new byte[2 << 20]);
        var time = new ManualTimeProvider();
        var room = new SpoolRoom(Plan("siem"), time);
        Assert.That((room.TryTake(1, "warehouse"), room.LookWhetherFull()), Is.EqualTo((false, true)));
        Assert.That((room.TryTake(60_000, "siem"), room.TryTake(60_000, "siem")), Is.EqualTo((true, false)));
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.That((room.TryTake(60_000, "siem"), room.TryTake(60_000, "siem"), room.TryTake(1, "warehouse")), Is.EqualTo((true, false, false)));
    }

    [Test]
    public async Task What_was_refused_and_can_t_be_set_aside_is_kept_tried_again_and_health_says_so()
    {
        var disk = new TestDisk();
        Collector.Answer = request => request.Body.Contains("\"kind\":\"Permitted\"", StringComparison.Ordinal) ? FillAndRefuse() : null;
        await using JobSession job = await StartAsync(more: b => b.AuditDisk(disk));
        await job.Provider<BearerToken>("warehouse").GetAsync();
        await Eventually.HoldsAsync(async () => await HealthOf(job) == HealthStatus.Degraded && Log.Text.Contains("No space left on device", StringComparison.Ordinal), "it is told");
        int sent = Collector.Requests.Count;
        disk.Room = null;

        await job.CompleteAsync();
        await job.Released;

        Assert.That(Files().Single(), Does.EndWith(".rejected.jsonl"));
        Assert.That(Collector.Kinds, Is.EqualTo(new[] { "Attested", "Exchanging", "Issued", "Revoked" }));
        Assert.That(Collector.Requests, Has.Count.EqualTo(sent + 1), "what was sent is not sent again");

        ScriptedAnswer FillAndRefuse()
        {
            disk.Room = 0;
            return ScriptedAnswer.Status(400);
        }
    }

    [Test]
    public async Task A_collector_that_refuses_each_credential_does_not_have_one_issued_each_minute()
    {
        var issuer = new TestExchanger(TimeProvider.System);
        int refused = 0;
        Collector.Answer = _ => Interlocked.Increment(ref refused) > 0 ? ScriptedAnswer.Status(401) : null;
        await using JobSession job = await StartAsync(o => o.Target = "warehouse", issuer: issuer);
        await job.Provider<BearerToken>("warehouse").GetAsync();
        await Eventually.HoldsAsync(() => refused > 4, "it is asked again");
        Assert.That(issuer.Issued, Has.Count.EqualTo(2));
    }

    private static AuditEvent Large => new() { Kind = AuditEventKind.Exchanging, At = DateTimeOffset.UnixEpoch, FlightId = Guid.Empty, Target = "warehouse", Job = new JobContext(), Resources = [.. Enumerable.Repeat(new string('a', 256), 128)] };

    private static async Task<Exception> RefusedAsync(AuditFileSink sink)
    {
        try
        {
            await sink.WriteAsync(Large, CancellationToken.None);
        }
        catch (Exception refused)
        {
            return refused;
        }
        throw new AssertionException("It was recorded.");
    }

    private static async Task<bool> IsHandedOutAsync(JobSession job, string target)
    {
        try
        {
            await job.Provider<BearerToken>(target).GetAsync();
            return true;
        }
        catch (TokenExchangeException full) when (full.Code == "NHI6001")
        {
            return false;
        }
    }

    private AuditCollectorPlan Plan(string? target = null) => new(Collector.Uri, Spool, true, target, AuditCollectorFormat.JsonLines, 1 << 20, Disk.System);

    // A file that is locked is another session's.
    private FileStream Fill(bool isOfAnotherSession, int length = 1 << 20)
    {
        Directory.CreateDirectory(Spool, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        string path = Path.Combine(Spool, isOfAnotherSession ? "another.spool.jsonl" : "old.rejected.jsonl");
        var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        file.SetLength(length);
        return file;
    }
}
