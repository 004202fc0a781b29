using System.Runtime.Versioning;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests;

/// <summary>A spool that was full takes events again as soon as there is room, whoever made it; and none is so full that it can't be emptied.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
[Parallelizable]
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
    public void What_was_taken_away_before_the_folder_was_looked_at_is_not_counted_as_room_again()
    {
        Directory.CreateDirectory(Spool);
        var time = new ManualTimeProvider();
        var room = new SpoolRoom(Plan(), time);
        Assert.That(room.TryTake(1000, "warehouse"), Is.True);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.That(room.TryTake(1000, "warehouse"), Is.True, "it has looked");
        room.Give();
        Assert.That(room.TryTake(1 << 20, "warehouse"), Is.False, "two events and a spool's worth");
        File.WriteAllBytes(Path.Combine(Spool, "set-aside.rejected.jsonl"), new byte[1 << 20]);
        room.Give();
        Assert.That(room.TryTake(1000, "warehouse"), Is.False, "what took the place of a file that was sent counts at once");
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
    public void Four_times_the_bound_is_the_end_of_it_for_everybody()
    {
        Directory.CreateDirectory(Spool);
        File.WriteAllBytes(Path.Combine(Spool, "old.rejected.jsonl"), new byte[(4 << 20) - 1000]);
        var room = new SpoolRoom(Plan("siem"), new ManualTimeProvider());

        Assert.That((room.TryTake(1000, "siem"), room.TryTake(1, "siem")), Is.EqualTo((true, false)));
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
    public async Task A_file_that_the_disk_kept_in_the_spool_goes_when_there_is_room_though_no_event_comes()
    {
        var disk = new TestDisk();
        Collector.Answer = request => request.Body.Contains("\"kind\":\"Permitted\"", StringComparison.Ordinal) ? FillAndRefuse(disk) : null;
        await using JobSession job = await StartAsync(more: b => b.AuditDisk(disk));
        await job.Provider<BearerToken>("warehouse").GetAsync();
        await IsTriedInVainTwiceAsync(disk);
        Assert.That(await HealthOf(job), Is.EqualTo(HealthStatus.Degraded));
        disk.Room = null;

        await Eventually.HoldsAsync(async () => await HealthOf(job) == HealthStatus.Healthy, "health, though no event came");
        Assert.That(Files().Single(), Does.EndWith(".rejected.jsonl"));
        Assert.That(Collector.Kinds, Is.EqualTo(new[] { "Attested", "Exchanging", "Issued" }));
    }

    [Test]
    public async Task A_spool_that_such_a_file_fills_takes_events_again_when_the_disk_has_room()
    {
        string text = new('\u0416', 1000);
        Collector.IsDown = true;
        await RunAsync(more: b => b.Job(new JobContext { Pipeline = text, Dataset = text, Purpose = text, Task = text, Environment = text }));
        Collector.IsDown = false;
        var disk = new TestDisk();
        Collector.Answer = request => request.Body.Contains("\"kind\":\"Permitted\"", StringComparison.Ordinal) ? FillAndRefuse(disk) : null;
        await using JobSession job = await StartAsync(o => o.SpoolBytes = 1 << 20, b => b.AuditDisk(disk));
        await IsTriedInVainTwiceAsync(disk);
        await using FileStream rest = Fill(isOfAnotherSession: false, (1 << 20) - (int)Files().Sum(file => new FileInfo(file).Length) - 100);
        Assert.That(await IsHandedOutAsync(job, "warehouse"), Is.False);
        Assert.That(await HealthOf(job), Is.EqualTo(HealthStatus.Unhealthy));
        Collector.Answer = null;
        disk.Room = null;

        await Eventually.HoldsAsync(async () => await IsHandedOutAsync(job, "warehouse"), "a credential");
    }

    [Test]
    public async Task A_file_that_can_t_be_read_to_its_end_is_tried_again_from_where_it_was_and_not_each_second()
    {
        Collector.IsDown = true;
        await RunLongAsync();
        Collector.IsDown = false;
        int events = Files().Sum(file => File.ReadLines(file).Count(line => line.Contains("\"unmapped\"", StringComparison.Ordinal)));
        var disk = new TestDisk { ReadableUpTo = 600_000 };   // behind the first batch
        await using JobSession job = await StartAsync(more: b => b.AuditDisk(disk));
        await Eventually.HoldsAsync(() => disk.ReadsInVain > 2, "it is tried again");
        int taken = Collector.Taken.Count;
        disk.ReadableUpTo = null;
        await Eventually.HoldsAsync(async () => await HealthOf(job) == HealthStatus.Healthy && Files().Length == 1, "it is sent");

        Assert.That(taken, Is.GreaterThan(0).And.LessThan(events), "what stands before the bad place is sent");
        Assert.That(Collector.Uids, Is.Unique.And.Exactly(events).Items);
    }

    [Test]
    public async Task Probes_of_health_share_one_look_at_a_folder_that_hangs_and_none_waits_for_it()
    {
        var disk = new TestDisk();
        await using FileStream held = Fill(isOfAnotherSession: false);
        await using JobSession job = await StartAsync(o => o.SpoolBytes = 1 << 20, b => b.AuditDisk(disk));
        Assert.That(await IsHandedOutAsync(job, "warehouse"), Is.False);
        disk.FolderGate.Reset();
        try
        {
            HealthStatus[] all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => HealthOf(job))).WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System);
            Assert.That(all, Is.All.EqualTo(HealthStatus.Unhealthy), "full, as it was when the event came");
            Assert.That(disk.FolderLooksWaiting, Is.EqualTo(1));
        }
        finally
        {
            disk.FolderGate.Set();
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

    // A file of more than one batch.
    private async Task RunLongAsync()
    {
        string text = new('\u0416', 1000);
        string[] tables = [.. Enumerable.Range(0, 12).Select(i => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"table-{i}"))];
        await using JobSession job = await StartAsync(more: b => b.Job(new JobContext { Pipeline = text, Dataset = text, Purpose = text, Task = text, Environment = text }).Target("lake", new TestExchanger(TimeProvider.System), t =>
        {
            t.Identity = "job";
            t.Scopes = ScopeSet.Of(tables);
        }));
        foreach (string table in tables)
            await job.Provider<BearerToken>("lake").GetAsync(new CredentialRequest { Scopes = ScopeSet.Of(table) });
        await job.CompleteAsync();
        await job.Released;
    }

    private static ScriptedAnswer FillAndRefuse(TestDisk disk)
    {
        disk.Room = 0;
        return ScriptedAnswer.Status(400);
    }

    // The second try is the last that follows upon a word of the writer.
    private static async Task IsTriedInVainTwiceAsync(TestDisk disk)
    {
        await Eventually.HoldsAsync(() => disk.Room == 0, "the disk is full");
        int before = disk.Writes;
        await Eventually.HoldsAsync(() => disk.Writes >= before + 2, "two tries to set aside what was refused");
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
