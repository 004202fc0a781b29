namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Stampedes and retry storms: how often an issuer is asked, whatever the callers do.</summary>
internal sealed class StampedeFaultTests
{
    [Test]
    public async Task P19_Five_thousand_callers_of_an_issuer_that_throttles_twice_cost_three_requests()
    {
        await using EmulatedJob job = await EmulatedJob.StartAsync();
        job.Emulator.Faults.Next(EmulatorEndpoint.AuthorizationToken, Fault.Status(429), times: 2);
        HeldRequest held = job.Emulator.Faults.HoldNext(EmulatorEndpoint.AuthorizationToken);

        Task<BearerToken>[] asking = [.. Enumerable.Range(0, 5_000).Select(_ => job.Warehouse.GetAsync().AsTask())];
        await held.Reached;
        held.Release();
        BearerToken[] got = await Task.WhenAll(asking);

        Assert.That(got.Distinct().Count(), Is.EqualTo(1));
        Assert.That((job.Exchanges, job.Emulator.Ledger.Issued.Count, job.Emulator.Ledger.MaxConcurrentExchangesPerKey), Is.EqualTo((3, 1, 1)));
    }

    [TestCaseSource(typeof(HeldFlight), nameof(HeldFlight.Steps))]
    public async Task P21_A_starter_that_gives_up_fails_nobody_else_wherever_the_flight_was(string step)
    {
        var gate = new Gate();
        await using TestJob job = await HeldFlight.StartAsync(step, gate);
        using Gate opened = gate;   // before the job ends, also where this fails
        using var impatient = new CancellationTokenSource();
        Task<BearerToken> starter = job.Warehouse.GetAsync(impatient.Token).AsTask();
        await gate.Reached;
        Task<BearerToken>[] others = [.. Enumerable.Range(0, 10).Select(_ => job.Warehouse.GetAsync().AsTask())];

        await impatient.CancelAsync();
        Assert.That(() => starter, Throws.InstanceOf<OperationCanceledException>());
        gate.Open();
        BearerToken[] got = await Task.WhenAll(others);

        Assert.That((got.Distinct().Count(), job.Issuer.Requests.Count), Is.EqualTo((1, 1)));
    }

    // Without chance the waits are 0.5, 1, 2, 4, 8, 16 and 30 s: the tries come at 0, 1, 2, 4, 8, 16 and 32 s of whole seconds.
    [Test]
    public async Task P22_A_hundred_thousand_callers_of_a_dead_issuer_in_a_minute_cost_seven_tries_and_no_memory()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4002", ExchangeStage.Exchange, "down") { IsTransient = true };
        int failed = 0;
        long before = 0;

        for (int second = 0; second < 60; second++)
        {
            for (int caller = 0; caller < 1_667; caller++)
                failed += await FailsAsync(job.Warehouse) ? 1 : 0;
            if (second == 0)
                before = GC.GetTotalMemory(forceFullCollection: true);
            job.Time.Advance(TimeSpan.FromSeconds(1));
        }
        long kept = GC.GetTotalMemory(forceFullCollection: true) - before;

        Assert.That((failed, job.Issuer.Requests.Count), Is.EqualTo((60 * 1_667, 7)));
        Assert.That(kept, Is.LessThan(4_000_000), "exceptions that are kept are more than a kilobyte each");
    }

    [Test]
    public async Task P24_A_refresh_that_hangs_holds_no_hit_up()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();
        job.Issuer.Gate = new Gate();
        job.Time.Advance(TimeSpan.FromMinutes(45));
        int waited = 0;

        for (int call = 0; call < 10_000; call++)
        {
            ValueTask<BearerToken> hit = job.Warehouse.GetAsync();
            waited += hit.IsCompletedSuccessfully ? 0 : 1;
            Assert.That(ReferenceEquals(await hit, old));
        }

        await job.Issuer.Gate.Reached;
        Assert.That((waited, job.Issuer.Requests.Count), Is.EqualTo((0, 2)));
    }

    [Test]
    public async Task P27_Ten_clients_with_a_token_that_the_issuer_ended_cost_one_exchange()
    {
        await using EmulatedJob job = await EmulatedJob.StartAsync();
        await job.RevokeAtTheIssuerAsync(await job.Warehouse.GetAsync());

        int[] statuses = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => job.ReadAsync()));

        Assert.That(statuses, Is.All.EqualTo(200));
        Assert.That(job.Exchanges, Is.EqualTo(2));
    }

    [Test]
    public async Task P28_A_forbidden_refresh_is_no_storm_and_a_dead_credential_costs_one_exchange()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken held = await job.Warehouse.GetAsync();
        job.Issuer.Answer = _ => throw new AccessDeniedException("issuer", "403");
        job.Time.Advance(TimeSpan.FromMinutes(45));

        for (int call = 0; call < 1_000; call++)
        {
            Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(held), "an issuer's denial takes nothing away");
            await HeldFlight.LandedAsync(job.Session, job.Warehouse);
        }
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(2));

        job.Issuer.Answer = null;
        job.Warehouse.Reject(held);
        BearerToken[] next = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => job.Warehouse.GetAsync().AsTask()));
        Assert.That((next.Distinct().Count(), job.Issuer.Requests.Count), Is.EqualTo((1, 3)));
    }

    [Test]
    public async Task P29_An_outage_that_is_shorter_than_the_rest_of_the_life_fails_and_revokes_nothing()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken held = await job.Warehouse.GetAsync();
        job.Time.Advance(TimeSpan.FromMinutes(45));
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4002", ExchangeStage.Exchange, "503") { IsTransient = true };

        for (int minute = 0; minute < 10; minute++)
        {
            Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(held));
            await HeldFlight.LandedAsync(job.Session, job.Warehouse);
            job.Time.Advance(TimeSpan.FromMinutes(1));
        }
        job.Issuer.Answer = null;
        await job.Warehouse.GetAsync();
        await HeldFlight.LandedAsync(job.Session, job.Warehouse);

        Assert.That(await job.Warehouse.GetAsync(), Is.Not.SameAs(held));
        Assert.That(job.Issuer.Revoked, Is.Empty);
        Assert.That(job.Audit.Kinds, Has.None.EqualTo(AuditEventKind.Revoked));
    }

    // A refresh comes up to a tenth of its lead early, by chance: a tenth of 20 minutes.
    [Test]
    public async Task P30_Two_hundred_jobs_that_started_together_come_back_over_the_whole_window_and_wait_for_nothing()
    {
        var time = new ManualTimeProvider();
        var jobs = new List<(JobSession Job, CredentialProvider<BearerToken> Provider, BearerToken First)>();
        for (int number = 0; number < 200; number++)
        {
            var chance = new Random(number);
            JobSession job = await JobSession.StartAsync(b => b
                .Identity("job", TestProofs.Source(time), ActsFor.Workload).Target("warehouse", new TestExchanger(time), "job")
                .Time(time).Jitter(chance.NextDouble).EndOnSignals(false));
            CredentialProvider<BearerToken> provider = job.Provider<BearerToken>("warehouse");
            jobs.Add((job, provider, await provider.GetAsync()));
        }
        var arrivals = new List<int>();
        time.Advance(TimeSpan.FromSeconds(2390 - 120));

        for (int second = 0; second <= 120; second++)
        {
            foreach ((JobSession job, CredentialProvider<BearerToken> provider, BearerToken first) in jobs.Where(one => !one.Provider.TryGet(out _)).ToList())
            {
                ValueTask<BearerToken> served = provider.GetAsync();
                Assert.That(served.IsCompletedSuccessfully);
                Assert.That(await served, Is.SameAs(first));
                await HeldFlight.LandedAsync(job, provider);
                arrivals.Add(second);
            }
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That(arrivals, Has.Count.EqualTo(200));
        Assert.That(arrivals.Max() - arrivals.Min(), Is.GreaterThanOrEqualTo(0.8 * 120));
        Assert.That(arrivals.GroupBy(second => second / 12).Max(tenth => tenth.Count()), Is.LessThan(50), "no herd in any tenth of the window");
        foreach ((JobSession job, _, _) in jobs)
            await job.DisposeAsync();
    }

    [Test]
    public async Task P31_Twenty_thousand_failed_exchanges_leave_nothing_behind()
    {
        var time = new ManualTimeProvider();
        var dead = new DeadIssuer();
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload).Target("warehouse", dead, "job").Time(time).Jitter(() => 0).EndOnSignals(false));
        CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");
        long before = 0;

        for (int number = 0; number < 20_000; number++)
        {
            Assert.That(await FailsAsync(warehouse));
            time.Advance(TimeSpan.FromMinutes(1));
            if (number == 2_000)
                before = GC.GetTotalMemory(forceFullCollection: true);
        }
        long kept = GC.GetTotalMemory(forceFullCollection: true) - before;

        Assert.That(dead.Asked, Is.EqualTo(20_000));
        Assert.That(kept, Is.LessThan(4_000_000), "18,000 kept exceptions are tens of megabytes");
    }

    private static async Task<bool> FailsAsync(CredentialProvider<BearerToken> provider)
    {
        try
        {
            await provider.GetAsync();
            return false;
        }
        catch (TokenExchangeException)
        {
            return true;
        }
    }

    private sealed class DeadIssuer : TokenExchanger<BearerToken>
    {
        public int Asked { get; private set; }

        public override Uri Issuer { get; } = new("https://issuer.test/");

        public override Audience SubjectAudience { get; } = new("https://issuer.test/");

        public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
        {
            Asked++;
            throw new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "invalid_token");
        }
    }
}
