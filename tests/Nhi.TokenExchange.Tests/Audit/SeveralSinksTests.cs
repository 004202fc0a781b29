using System.Globalization;

namespace Nhi.TokenExchange.Tests;

/// <summary>Sinks that have to record, and sinks that nobody waits for.</summary>
internal sealed class SeveralSinksTests
{
    [Test]
    public async Task Each_required_sink_gets_each_event()
    {
        var second = new RecordingSink();
        await using TestJob job = await TestJob.StartAsync(more: b => b.Audit(second));
        await job.Warehouse.GetAsync();
        await job.Session.CompleteAsync();
        Assert.That(second.Kinds, Is.EqualTo(job.Audit.Kinds).And.Count.EqualTo(5));
    }

    [Test]
    public async Task What_one_required_sink_refuses_is_not_handed_out_and_the_other_is_told_all_the_same([Values] bool throwsAtOnce)
    {
        var second = new RecordingSink();
        IAuditSink refusing = throwsAtOnce ? new RefusingSink() : new RecordingSink { Refuse = _ => new IOException("full") };
        await using TestJob job = await TestJob.StartAsync(more: b => b.Audit(refusing).Audit(second));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!.Code, Is.EqualTo("NHI6001"));
        await job.QuietAsync();
        Assert.That(job.Issuer.Requests, Is.Empty);
        Assert.That(second.Kinds, Is.EqualTo(job.Audit.Kinds).And.Contains(AuditEventKind.Attested));
    }

    [Test]
    public async Task The_slowest_required_sink_is_waited_for()
    {
        var gate = new Gate();
        var slow = new RecordingSink { Hold = _ => gate.PassAsync() };
        await using TestJob job = await TestJob.StartAsync(more: b => b.Audit(slow));
        using Gate opened = gate;   // before the job ends, also where this fails
        Task<BearerToken> getting = job.Warehouse.GetAsync().AsTask();
        await Eventually.HoldsAsync(() => job.Audit.Kinds.Count == 1, "the other sink's record");
        Assert.That(getting.IsCompleted, Is.False);
        gate.Open();
        await getting;
    }

    [Test]
    public async Task A_sink_of_best_effort_that_hangs_blocks_or_fails_holds_no_exchange_up_and_fails_none([Values("hangs", "blocks", "fails", "throws")] string how)
    {
        var gate = new Gate();
        using var blocked = new ManualResetEventSlim();
        using var log = new LoggedText();
        IAuditSink sink = how switch
        {
            "hangs" => new RecordingSink { Hold = _ => gate.PassAsync() },
            "blocks" => new RecordingSink
            {
                Refuse = _ =>
                {
                    blocked.Wait();
                    return null;
                },
            },
            "fails" => new RecordingSink { Refuse = _ => new IOException("full") },
            _ => new RefusingSink(),
        };
        await using TestJob job = await TestJob.StartAsync(more: b => b.AuditBestEffort(sink).Logging(log));

        try
        {
            await job.Warehouse.GetAsync();
        }
        finally
        {
            blocked.Set();   // before the job ends, also where this fails
            gate.Open();
        }
        await job.Session.CompleteAsync();
        Assert.That(job.Audit.Kinds, Has.Count.EqualTo(5));
        if (how is "hangs" or "blocks")
            Assert.That(((RecordingSink)sink).Kinds, Is.EquivalentTo(job.Audit.Kinds), "drained at the job's end");
        else
            Assert.That(SaidToBeDropped(log), Is.EqualTo(new[] { 1, 4 }), "said at once, and at the end");
    }

    [Test]
    public async Task A_sink_of_best_effort_that_hangs_holds_the_job_s_end_up_by_two_seconds()
    {
        var never = new Gate();
        var sink = new RecordingSink { Hold = _ => never.PassAsync() };
        await using TestJob job = await TestJob.StartAsync(more: b => b.AuditBestEffort(sink));
        using Gate opened = never;   // before the job ends, also where this fails
        await job.Warehouse.GetAsync();
        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => job.Audit.Kinds.Count == 5, "the end's records");
        job.Time.Advance(TimeSpan.FromSeconds(12));
        Assert.That((await ending).AllEnded, Is.True);
    }

    [Test]
    public async Task One_that_hangs_keeps_no_file_from_its_last_line()
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory("nhi-audit-").FullName, "audit");
        var never = new Gate();
        var sink = new RecordingSink { Hold = _ => never.PassAsync() };
        await using TestJob job = await TestJob.StartAsync(more: b => b.AuditFolder(folder).AuditBestEffort(sink));
        using Gate opened = never;   // before the job ends, also where this fails
        await job.Warehouse.GetAsync();

        Task<JobReport> ending = job.Session.CompleteAsync();

        await Eventually.HoldsAsync(() => AuditTrail.Verify(folder).Chains.Single().IsEnded, "the file has its last line, whoever hangs");
        job.Time.Advance(TimeSpan.FromSeconds(12));
        await ending;
        Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
    }

    [Test]
    public async Task An_event_that_it_does_not_take_within_two_seconds_is_dropped_and_the_next_ones_are_told()
    {
        using var heard = new Telemetry();
        var never = new Gate();
        var sink = new RecordingSink { Hold = one => one.Kind == AuditEventKind.Attested ? never.PassAsync() : Task.CompletedTask };
        await using TestJob job = await TestJob.StartAsync(more: b => b.Meters(heard.Meters).AuditBestEffort(sink));
        using Gate opened = never;   // before the job ends, also where this fails
        await job.Warehouse.GetAsync();

        await Eventually.HoldsAsync(
            () =>
            {
                job.Time.Advance(TimeSpan.FromSeconds(2));
                return heard.Of("nhi.audit.dropped").Count == 1;
            },
            "the first is dropped");

        await Eventually.HoldsAsync(() => sink.Kinds.Contains(AuditEventKind.Issued), "the others are told");
    }

    [Test]
    public async Task Where_nothing_has_to_record_the_log_does()
    {
        using var log = new LoggedText();
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload).Target("warehouse", new TestExchanger(TimeProvider.System), "job")
            .Logging(log).EndOnSignals(false).AuditBestEffort(new RecordingSink()));

        await job.Provider<BearerToken>("warehouse").GetAsync();

        Assert.That(log.Text, Does.Contain("issued").IgnoreCase);
    }

    [Test]
    public async Task What_it_is_too_far_behind_for_is_dropped_and_counted()
    {
        using var heard = new Telemetry();
        using var log = new LoggedText();
        var never = new Gate();
        var sink = new RecordingSink { Hold = _ => never.PassAsync() };
        await using TestJob job = await TestJob.StartAsync(more: b => b.Meters(heard.Meters).Logging(log));
        using Gate opened = never;   // before the job ends, also where this fails
        var bestEffort = new BestEffortSink(sink, job.Session.Plan, bound: null, mostWaiting: 8);
        AuditEvent one = new() { Kind = AuditEventKind.Attested, At = DateTimeOffset.UnixEpoch, FlightId = Guid.Empty, Target = "warehouse", Job = job.Session.Context };
        // The loop takes sixty-four, and waits for those; eight stay in the queue.
        for (int i = 0; i < 200; i++)
            bestEffort.Offer(one);
        Assert.That(heard.Of("nhi.audit.dropped").Count, Is.GreaterThanOrEqualTo(200 - 64 - 8));
        Assert.That(bestEffort.Failing, Is.EqualTo("RecordingSink: it is behind"));
        never.Open();
        await bestEffort.EndAsync();
        Assert.That(bestEffort.Failing, Is.Null, "what it was told of last, it took");
        await job.Session.Plan.Log.SaidAsync();
        Assert.That(SaidToBeDropped(log).Sum(), Is.EqualTo(heard.Of("nhi.audit.dropped").Count), "each is said");
        Assert.That(sink.Events.Count + heard.Of("nhi.audit.dropped").Count, Is.EqualTo(200), "recorded, or counted");
    }

    [Test]
    public async Task The_log_has_the_events_where_nothing_is_said_and_where_it_is_asked_for([Values] bool isSaid, [Values] bool toLog)
    {
        using var log = new LoggedText();
        JobSession job = await JobSession.StartAsync(b =>
        {
            b.Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload).Target("warehouse", new TestExchanger(TimeProvider.System), "job").Logging(log).EndOnSignals(false);
            if (isSaid)
                b.Audit(new RecordingSink());
            if (toLog)
                b.AuditToLog();
        });
        await using (job)
            await job.Provider<BearerToken>("warehouse").GetAsync();
        Assert.That(log.Text.Contains("warehouse exchanging", StringComparison.Ordinal), Is.EqualTo(toLog || !isSaid));
    }

    private static int[] SaidToBeDropped(LoggedText log) =>
        [.. log.Text.Split('\n').Where(line => line.Contains(" audit event(s) were dropped", StringComparison.Ordinal) && char.IsAsciiDigit(line[0])).Select(line => int.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture))];

    // Before it gives a task.
    private sealed class RefusingSink : IAuditSink
    {
        public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken) => throw new IOException("full");
    }
}
