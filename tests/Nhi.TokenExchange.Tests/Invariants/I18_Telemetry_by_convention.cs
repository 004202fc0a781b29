using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Nhi.TokenExchange.Tests.DependencyInjection;

namespace Nhi.TokenExchange.Tests.Invariants;

/// <summary>DESIGN 5.18: source and meter Nhi.TokenExchange; names and tags from a short list; nothing on the hit path.</summary>
[NonParallelizable]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class I18_Telemetry_by_convention : IDisposable
{
    private const string OfWarehouse = "nhi.credential.kind=BearerToken, nhi.target=warehouse";

    private readonly Telemetry _heard = new();

    public void Dispose() => _heard.Dispose();

    [Test]
    public async Task A_flight_is_one_activity_with_a_child_for_each_stage()
    {
        await using (TestJob job = await StartAsync())
            await job.Warehouse.GetAsync();

        Activity flight = _heard.Single("nhi.flight");
        Assert.That(Telemetry.Text(flight), Is.EqualTo("nhi.credential.kind=BearerToken, nhi.outcome=issued, nhi.target=warehouse"));
        Activity[] stages = [.. _heard.Activities.Where(activity => activity.ParentSpanId == flight.SpanId)];
        Assert.That(stages.Select(stage => stage.OperationName), Is.EqualTo(new[] { "nhi.attest", "nhi.authorize", "nhi.record", "nhi.exchange", "nhi.verify", "nhi.record" }));
        Assert.That(stages.Select(Telemetry.Text), Is.All.EqualTo(OfWarehouse));
        Assert.That(stages.Select(stage => stage.TraceId), Is.All.EqualTo(flight.TraceId));
        Assert.That(_heard.Activities.Select(activity => activity.Status), Is.All.EqualTo(ActivityStatusCode.Unset));
    }

    [Test]
    public async Task A_flight_begins_a_trace_of_its_own_that_links_to_the_caller_that_started_it()
    {
        await using TestJob job = await StartAsync();
        using Activity caller = new Activity("nightly load").Start();
        await job.Warehouse.GetAsync();
        caller.Stop();
        await job.Session.CompleteAsync();

        Activity flight = _heard.Single("nhi.flight");
        Assert.That(flight.ParentId, Is.Null, "it serves others too, and may outlive this caller");
        Assert.That(flight.TraceId, Is.Not.EqualTo(caller.TraceId));
        Assert.That(flight.Links.Select(link => link.Context.SpanId), Is.EqualTo(new[] { caller.SpanId }));
    }

    [Test]
    public async Task What_the_job_ends_is_revoked_within_the_activity_of_whoever_ended_it()
    {
        await using TestJob job = await StartAsync();
        await job.Warehouse.GetAsync();
        using Activity stopping = new Activity("stopping").Start();
        await job.Session.CompleteAsync();

        Activity revoke = _heard.Single("nhi.revoke");
        Assert.That((revoke.ParentSpanId, Telemetry.Text(revoke)), Is.EqualTo((stopping.SpanId, "nhi.credential.kind=BearerToken, nhi.outcome=revoked, nhi.target=warehouse")));
    }

    [Test]
    public async Task A_failure_is_told_by_its_code_and_never_by_a_text()
    {
        await using (TestJob job = await StartAsync())
        {
            job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "words of an issuer");
            await Refused(job);
        }

        foreach (string name in new[] { "nhi.flight", "nhi.exchange" })
        {
            Activity failed = _heard.Single(name);
            Assert.That((failed.Status, failed.StatusDescription, failed.GetTagItem("error.type")), Is.EqualTo((ActivityStatusCode.Error, (string?)null, "NHI4001")), name);
        }
        Assert.That(_heard.Of("nhi.exchange.failures"), Is.EqualTo(new[] { new Measured("nhi.exchange.failures", 1, $"error.type=NHI4001, nhi.credential.kind=BearerToken, nhi.stage=exchange, nhi.target=warehouse") }));
        Assert.That(_heard.Of("nhi.exchange.duration").Single().Tags, Does.StartWith("error.type=NHI4001, "));
        Assert.That(_heard.Of("nhi.credential.issued"), Is.Empty);
    }

    [Test]
    public async Task A_plug_ins_own_exception_is_told_by_its_type()
    {
        await using (TestJob job = await StartAsync())
        {
            job.Issuer.Answer = _ => throw new InvalidOperationException("words of a plug-in");
            await Refused(job);
        }

        Assert.That(_heard.Single("nhi.exchange").GetTagItem("error.type"), Is.EqualTo("System.InvalidOperationException"));
        Assert.That(_heard.Single("nhi.flight").GetTagItem("error.type"), Is.EqualTo("NHI4008"));
    }

    [Test]
    public async Task A_denial_is_counted_apart_from_failures()
    {
        await using (TestJob job = await StartAsync())
        {
            job.Policy.Decide = _ => AccessDecision.Deny("no-orders", "not this job");
            await Refused(job);
        }

        Assert.That(_heard.Of("nhi.exchange.denials").Single().Tags, Is.EqualTo("error.type=NHI3001, nhi.credential.kind=BearerToken, nhi.stage=authorize, nhi.target=warehouse"));
        Assert.That(_heard.Of("nhi.exchange.failures"), Is.Empty);
    }

    [Test]
    public async Task Issues_refreshes_rejections_and_ends_are_counted()
    {
        TestJob job = await StartAsync();
        BearerToken first = await job.Warehouse.GetAsync();
        job.Issuer.Gate = new Gate();
        job.Time.Advance(TimeSpan.FromMinutes(45));
        await job.Warehouse.GetAsync();   // good still; a refresh starts
        job.Issuer.Gate.Open();
        await Eventually.HoldsAsync(async () => await job.Warehouse.GetAsync() != first, "the refreshed credential");
        job.Warehouse.Reject(await job.Warehouse.GetAsync());
        job.Warehouse.Reject(first);   // long replaced: nothing is rejected
        job.Issuer.OnRevoke = request => Task.FromResult(request.Credential == first ? Revocation.AlreadyGone : Revocation.Revoked);
        await job.Session.CompleteAsync();

        Assert.That(Counts("nhi.credential.issued", "nhi.credential.refreshed", "nhi.credential.rejected"), Is.EqualTo(new double[] { 1, 1, 1 }));
        Assert.That(_heard.Of("nhi.credential.ended").Select(end => end.Tags).Order(), Is.EqualTo(new[]
        {
            "nhi.credential.kind=BearerToken, nhi.outcome=already_gone, nhi.target=warehouse", "nhi.credential.kind=BearerToken, nhi.outcome=revoked, nhi.target=warehouse",
        }));
    }

    [Test]
    public async Task Credentials_that_die_of_age_are_counted_as_ended()
    {
        // The leases are looked through when there are so many; the newest stays.
        const int Leases = 64;
        await using TestJob job = await StartAsync();
        for (int lease = 0; lease < Leases; lease++)
        {
            await job.Warehouse.GetAsync();
            job.Time.Advance(TimeSpan.FromHours(2));
        }
        await job.QuietAsync();

        Assert.That(_heard.Of("nhi.credential.ended").Select(end => end.Tags),
            Is.EqualTo(Enumerable.Repeat("nhi.credential.kind=BearerToken, nhi.outcome=already_gone, nhi.target=warehouse", Leases - 1)));
        Assert.That(job.Audit.Kinds.Count(kind => kind == AuditEventKind.Expired), Is.EqualTo(Leases - 1));
    }

    [Test]
    public async Task The_exchange_is_timed_in_seconds_by_the_jobs_clock()
    {
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = _ =>
        {
            job.Time.Advance(TimeSpan.FromSeconds(2.5));
            return new Issued<BearerToken>(job.Issuer.NewToken());
        };
        DateTime before = job.Time.GetUtcNow().UtcDateTime;
        await job.Warehouse.GetAsync();
        await job.Session.CompleteAsync();

        Assert.That(_heard.Of("nhi.exchange.duration"), Is.EqualTo(new[] { new Measured("nhi.exchange.duration", 2.5, OfWarehouse) }));
        Activity exchange = _heard.Single("nhi.exchange");
        Assert.That((exchange.StartTimeUtc, exchange.Duration), Is.EqualTo((before, TimeSpan.FromSeconds(2.5))));
    }

    [Test]
    public async Task The_time_left_and_the_leases_that_live_are_observed_while_the_job_runs()
    {
        await using TestJob job = await StartAsync();
        Assert.That(_heard.Observe(), Is.EqualTo(new[] { new Measured("nhi.credential.live", 0, OfWarehouse) }), "nothing is held yet");
        BearerToken token = await job.Warehouse.GetAsync();
        await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of("read") });
        job.Time.Advance(TimeSpan.FromMinutes(10));

        Assert.That(_heard.Observe(), Is.EquivalentTo(new[]
        {
            new Measured("nhi.credential.time_left", (token.UnusableFrom - job.Time.GetUtcNow()).TotalSeconds, OfWarehouse), new Measured("nhi.credential.live", 2, OfWarehouse),
        }));
        job.Time.Advance(TimeSpan.FromHours(1));
        Assert.That(_heard.Observe(), Is.EqualTo(new[] { new Measured("nhi.credential.live", 0, OfWarehouse) }), "both died of age");
        await job.Session.CompleteAsync();
        Assert.That(_heard.Observe(), Is.Empty, "the job has ended");
    }

    [Test]
    public async Task A_container_measures_by_its_own_factory_and_of_two_jobs_the_shorter_time_and_the_sum_of_the_leases()
    {
        var services = new Services();
        await using ServiceProvider container = services.Build(more => more.AddSingleton(_heard.Meters));
        JobSessionFactory jobs = container.GetRequiredService<JobSessionFactory>();
        await using JobSession first = await jobs.StartAsync(new JobContext { Run = "1" });
        await using JobSession second = await jobs.StartAsync(new JobContext { Run = "2" });
        await first.Provider<BearerToken>("warehouse").GetAsync();
        services.Warehouse.Life = TimeSpan.FromMinutes(20);
        BearerToken shorter = await second.Provider<BearerToken>("warehouse").GetAsync();

        Assert.That(_heard.Observe(), Is.EquivalentTo(new[]
        {
            new Measured("nhi.credential.time_left", (shorter.UnusableFrom - services.Time.GetUtcNow()).TotalSeconds, OfWarehouse),
            new Measured("nhi.credential.live", 2, OfWarehouse),
            new Measured("nhi.credential.live", 0, "nhi.credential.kind=BearerToken, nhi.target=lake"),
            new Measured("nhi.credential.live", 0, "nhi.credential.kind=Ticket, nhi.target=box"),
        }));
    }

    [Test]
    public async Task A_hit_reports_nothing_and_allocates_nothing_while_all_is_listened_to()
    {
        await using TestJob job = await StartAsync();
        await job.Warehouse.GetAsync();
        Hit(job.Warehouse, 10_000);   // the JIT's own allocations come before
        _heard.Observe();
        await Eventually.HoldsAsync(() => _heard.Activities.Any(activity => activity.OperationName == "nhi.flight"), "the end of the flight's activity");
        (int activities, int measurements) = (_heard.Activities.Count, _heard.Measurements.Count);

        long bytes = Hit(job.Warehouse, 10_000);

        Assert.That((bytes, _heard.Activities.Count, _heard.Measurements.Count), Is.EqualTo((0L, activities, measurements)));
    }

    [Test]
    public async Task A_listener_that_throws_breaks_neither_a_flight_nor_the_end_of_the_job([Values("sample", "start", "stop", "measurement")] string where)
    {
        static void ThrowIf(bool here)
        {
            if (here)
                throw new InvalidOperationException("a listener's own fault");
        }
        using var activities = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Nhi.TokenExchange",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) =>
            {
                ThrowIf(where == "sample");
                return ActivitySamplingResult.AllData;
            },
            ActivityStarted = _ => ThrowIf(where == "start"),
            ActivityStopped = _ => ThrowIf(where == "stop"),
        };
        ActivitySource.AddActivityListener(activities);
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Nhi.TokenExchange")   // the runtime counts exceptions too: a fault there would count itself, without end
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        meters.SetMeasurementEventCallback<long>((_, _, _, _) => ThrowIf(where == "measurement"));
        meters.SetMeasurementEventCallback<double>((_, _, _, _) => ThrowIf(where == "measurement"));
        meters.Start();
        await using TestJob job = await StartAsync();

        BearerToken token = await job.Warehouse.GetAsync();
        job.Warehouse.Reject(token);
        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.AllEnded, Is.True);
        Assert.That(job.Issuer.Revoked, Is.EqualTo(new[] { token }));
    }

    [Test]
    public async Task An_ended_session_is_kept_alive_by_no_instrument()
    {
        WeakReference session = await RunOnceAsync(end: true);

        Assert.That(await IsCollectedAsync(session), Is.True);
        Assert.That(_heard.Observe(), Is.Empty);
    }

    [Test]
    public async Task A_session_that_nobody_ended_is_not_kept_alive_either()
    {
        WeakReference session = await RunOnceAsync(end: false);

        Assert.That(await IsCollectedAsync(session), Is.True);
    }

    private Task<TestJob> StartAsync() => TestJob.StartAsync(more: b => b.Meters(_heard.Meters));

    private IEnumerable<double> Counts(params string[] instruments) => instruments.Select(instrument => _heard.Of(instrument).Sum(one => one.Value));

    private static async Task Refused(TestJob job)
    {
        try
        {
            await job.Warehouse.GetAsync();
        }
        catch (TokenExchangeException)
        {
            return;
        }
        Assert.Fail("Nothing was refused.");
    }

    private static long Hit(CredentialProvider<BearerToken> provider, int calls)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < calls; i++)
        {
            ValueTask<BearerToken> hit = provider.GetAsync();
            if (!hit.IsCompletedSuccessfully || hit.GetAwaiter().GetResult() is null)
                throw new InvalidOperationException("This was no hit.");
        }
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private async Task<WeakReference> RunOnceAsync(bool end)
    {
        TestJob job = await StartAsync();
        await job.Warehouse.GetAsync();
        _heard.Observe();
        if (end)
            await job.Session.CompleteAsync();
        return new WeakReference(job.Session);
    }

    // Not a wait for time: each round collects, and lets those threads run on that may still hold the last frame of a flight.
    private static async Task<bool> IsCollectedAsync(WeakReference reference)
    {
        for (int round = 0; round < 100 && reference.IsAlive; round++)
        {
            await Task.Yield();
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        return !reference.IsAlive;
    }
}
