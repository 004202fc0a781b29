namespace Nhi.TokenExchange.Tests;

public class HopTests
{
    private readonly ManualTimeProvider _time = new();

    [Test]
    public async Task Each_hop_has_its_own_lease_and_audit_and_the_shortest_hop_ends_the_chain()
    {
        var first = new TestExchanger(_time) { Life = TimeSpan.FromMinutes(10) };
        var second = new TestExchanger(_time) { Life = TimeSpan.FromHours(1) };
        var audit = new RecordingSink();
        JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(_time), ActsFor.Workload)
            .Target("archive", second, t => t.Through = "account")
            .Target("account", first, "job", "all")
            .Audit(audit).Time(_time).Jitter(() => 0).EndOnSignals(false));

        BearerToken archive = await session.Provider<BearerToken>("archive").GetAsync();
        BearerToken account = await session.Provider<BearerToken>("account").GetAsync();

        Assert.That(second.Requests.Single().Subject.Reveal(), Is.EqualTo(account.Reveal()));
        Assert.That(second.Requests.Single().Subject.Type, Is.EqualTo(SubjectTokenType.AccessToken));
        AuditEvent issued = audit.Events.Single(e => e.Kind == AuditEventKind.Issued && e.Target == "archive");
        Assert.That(issued.UnusableFrom, Is.LessThanOrEqualTo(account.ExpiresAt - first.Margin));
        Assert.That(issued.DiesAt, Is.EqualTo(archive.ExpiresAt));
        JobReport report = await session.CompleteAsync();
        Assert.That(report.Leases.Select(l => (l.Target, l.End)), Is.EqualTo(new[] { ("account", LeaseEnd.Revoked), ("archive", LeaseEnd.Revoked) }));
    }

    [Test]
    public async Task What_a_chain_of_three_got_goes_with_what_its_first_hop_had()
    {
        await using JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(_time), ActsFor.Workload)
            .Target("account", new TestExchanger(_time), "job")
            .Target("project", new TestExchanger(_time) { Tied = true }, t => t.Through = "account")
            .Target("archive", new TestExchanger(_time) { Tied = true }, t => t.Through = "project")
            .Time(_time).EndOnSignals(false));
        await session.Provider<BearerToken>("archive").GetAsync();
        BearerToken account = await session.Provider<BearerToken>("account").GetAsync();

        await session.RevokeCredentialAsync(account, "it leaked");

        Assert.That(session.Provider<BearerToken>("project").TryGet(out _), Is.False);
        Assert.That(session.Provider<BearerToken>("archive").TryGet(out _), Is.False);
    }

    [Test]
    public async Task A_hop_whose_credential_was_refused_as_expired_is_asked_for_another()
    {
        var first = new TestExchanger(_time);
        var second = new TestExchanger(_time);
        int calls = 0;
        second.Answer = _ => calls++ == 0 ? throw new TokenExchangeException("NHI4011", ExchangeStage.Exchange, "expired") : new Issued<BearerToken>(second.NewToken());
        await using JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(_time), ActsFor.Workload)
            .Target("account", first, "job")
            .Target("archive", second, t => t.Through = "account")
            .Time(_time).EndOnSignals(false));

        await session.Provider<BearerToken>("archive").GetAsync();

        Assert.That(first.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task What_failed_in_the_first_hop_is_told_once_with_one_wait()
    {
        var first = new TestExchanger(_time) { Answer = _ => throw new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "The issuer is away") { IsTransient = true, Hint = "Wait." } };
        await using JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(_time), ActsFor.Workload)
            .Target("account", first, "job")
            .Target("archive", new TestExchanger(_time), t => t.Through = "account")
            .Time(_time).Jitter(() => 0).EndOnSignals(false));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await session.Provider<BearerToken>("archive").GetAsync())!;

        Assert.That(refused.Message, Does.Match(@"^NHI4001 target 'account': The issuer is away\. Next try in [0-9.]+ s\. Wait\.$"));
        Assert.That(refused.InnerException!.InnerException!.InnerException, Is.Null);
    }

    [Test]
    public async Task A_wrong_request_of_the_next_hop_does_not_cost_the_first_hop_its_credential()
    {
        var first = new TestExchanger(_time);
        var second = new TestExchanger(_time)
        {
            Answer = _ => throw new TokenExchangeException("NHI4011", ExchangeStage.Exchange, "no such resource") { IssuerError = "invalid_request" },
        };
        await using JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(_time), ActsFor.Workload)
            .Target("account", first, "job")
            .Target("archive", second, t => t.Through = "account")
            .Time(_time).EndOnSignals(false));
        BearerToken account = await session.Provider<BearerToken>("account").GetAsync();

        Assert.ThrowsAsync<TokenExchangeException>(async () => await session.Provider<BearerToken>("archive").GetAsync());

        Assert.That(await session.Provider<BearerToken>("account").GetAsync(), Is.SameAs(account));
        Assert.That((first.Requests.Count, second.Requests.Count), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task A_chain_is_built_on_the_successor_of_a_hop_credential_whose_refresh_is_due()
    {
        var first = new TestExchanger(_time) { Life = TimeSpan.FromHours(1) };
        var second = new TestExchanger(_time);
        await using JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(_time), ActsFor.Workload)
            .Target("account", first, "job")
            .Target("archive", second, t => t.Through = "account")
            .Time(_time).Jitter(() => 0).EndOnSignals(false));
        BearerToken dying = await session.Provider<BearerToken>("account").GetAsync();
        _time.Advance(TimeSpan.FromMinutes(59));

        await session.Provider<BearerToken>("archive").GetAsync();

        Assert.That(second.Requests.Single().Subject.Reveal(), Is.Not.EqualTo(dying.Reveal()));
    }

    [Test]
    public async Task A_chain_waits_for_the_successor_that_another_caller_has_sent_for_already()
    {
        var first = new TestExchanger(_time) { Life = TimeSpan.FromHours(1) };
        await using JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(_time), ActsFor.Workload)
            .Target("account", first, "job")
            .Target("archive", new TestExchanger(_time), t => t.Through = "account")
            .Time(_time).Jitter(() => 0).EndOnSignals(false));
        BearerToken dying = await session.Provider<BearerToken>("account").GetAsync();
        _time.Advance(TimeSpan.FromMinutes(59));
        using var gate = new Gate();
        first.Gate = gate;
        Assert.That(await session.Provider<BearerToken>("account").GetAsync(), Is.SameAs(dying));
        await gate.Reached;

        Task<Credential> ofHop = session.Runtime("account").GetForNextHopAsync(onlyHeld: false, CancellationToken.None).AsTask();
        bool isWaiting = !ofHop.IsCompleted;
        gate.Open();

        Assert.That(isWaiting, Is.True);
        Assert.That(await ofHop, Is.Not.SameAs(dying));
    }

    [Test]
    public async Task A_credential_that_is_dead_on_arrival_because_its_hop_ended_on_the_way_is_asked_for_again_with_the_hops_successor()
    {
        var first = new TestExchanger(_time) { Life = TimeSpan.FromSeconds(30) };
        var second = new TestExchanger(_time);
        // The first answer takes longer than the hop's credential is good: less than the deadline of a flight.
        second.Answer = _ =>
        {
            if (second.Requests.Count == 1)
                _time.Advance(TimeSpan.FromSeconds(25));
            return new Issued<BearerToken>(second.NewToken());
        };
        await using JobSession session = await StartChainAsync(first, second);

        BearerToken archive = await session.Provider<BearerToken>("archive").GetAsync();

        Assert.That(archive, Is.SameAs(second.Issued.Last()));
        Assert.That(second.Requests.Select(request => request.Subject.Reveal()), Is.EqualTo(first.Issued.Select(token => token.Reveal())).And.Exactly(2).Items);
        Assert.That(second.Revoked, Is.EqualTo(new[] { second.Issued.First() }));
    }

    [Test]
    public async Task A_hops_credential_that_ended_while_the_next_issuer_was_asked_is_followed_by_its_successor_though_the_refusal_is_of_the_request()
    {
        var first = new TestExchanger(_time) { Life = TimeSpan.FromSeconds(30) };
        var second = new TestExchanger(_time);
        // The issuer was away, and the try that it answered came too late: RFC 8693 §2.2.2 wants invalid_request for that.
        second.Answer = _ =>
        {
            if (second.Requests.Count > 1)
                return new Issued<BearerToken>(second.NewToken());
            _time.Advance(TimeSpan.FromSeconds(25));
            throw new TokenExchangeException("NHI4011", ExchangeStage.Exchange, "the subject token is past its end") { IssuerError = "invalid_request" };
        };
        await using JobSession session = await StartChainAsync(first, second);

        BearerToken archive = await session.Provider<BearerToken>("archive").GetAsync();

        Assert.That(archive, Is.SameAs(second.Issued.Single()));
        Assert.That(second.Requests.Select(request => request.Subject.Reveal()), Is.EqualTo(first.Issued.Select(token => token.Reveal())).And.Exactly(2).Items);
    }

    [Test]
    public async Task A_hops_credential_that_ended_on_the_way_does_not_count_as_refused()
    {
        var first = new TestExchanger(_time) { Life = TimeSpan.FromSeconds(30) };
        var second = new TestExchanger(_time);
        bool isLate = false;
        second.Answer = _ =>
        {
            if (!(isLate = !isLate))
                return new Issued<BearerToken>(second.NewToken());
            _time.Advance(TimeSpan.FromSeconds(25));
            throw new TokenExchangeException("NHI4011", ExchangeStage.Exchange, "the subject token is past its end") { IssuerError = "invalid_grant" };
        };
        await using JobSession session = await StartChainAsync(first, second);
        CredentialProvider<BearerToken> archive = session.Provider<BearerToken>("archive");

        // Each within a minute of the one before: refusals of the first hop's credentials would make it wait.
        for (int time = 1; time <= 3; time++)
        {
            await archive.GetAsync();
            Assert.That(second.Issued, Has.Count.EqualTo(time));
            _time.Advance(TimeSpan.FromSeconds(21));
        }
    }

    [Test]
    public async Task Where_the_hop_has_no_successor_its_own_failure_is_told_and_not_that_the_next_was_dead_on_arrival()
    {
        var first = new TestExchanger(_time) { Life = TimeSpan.FromSeconds(30) };
        var second = new TestExchanger(_time);
        second.Answer = _ =>
        {
            _time.Advance(TimeSpan.FromSeconds(25));
            first.Answer = _ => throw new TokenExchangeException("NHI4002", ExchangeStage.Exchange, "The issuer is away") { IsTransient = true };
            return new Issued<BearerToken>(second.NewToken());
        };
        await using JobSession session = await StartChainAsync(first, second);

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await session.Provider<BearerToken>("archive").GetAsync())!;

        Assert.That((refused.Code, refused.Target), Is.EqualTo(("NHI4002", "account")));
        Assert.That(second.Revoked, Is.EqualTo(second.Issued).And.Exactly(1).Items);
    }

    [Test]
    public async Task A_next_hop_that_takes_longer_than_any_hop_is_good_is_asked_twice_and_no_more()
    {
        var first = new TestExchanger(_time) { Life = TimeSpan.FromSeconds(30) };
        var second = new TestExchanger(_time);
        second.Answer = _ =>
        {
            _time.Advance(TimeSpan.FromSeconds(25));
            return new Issued<BearerToken>(second.NewToken());
        };
        await using JobSession session = await StartChainAsync(first, second);

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await session.Provider<BearerToken>("archive").GetAsync())!;

        Assert.That((refused.Code, second.Requests.Count), Is.EqualTo(("NHI5003", 2)));
    }

    [Test]
    public void Cycles_are_refused_at_the_start_and_shown_in_order()
    {
        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.StartAsync(b => b
            .Target("a", new TestExchanger(_time), t => t.Through = "b")
            .Target("b", new TestExchanger(_time), t => t.Through = "c")
            .Target("c", new TestExchanger(_time), t => t.Through = "a")));

        Assert.That(error!.Code, Is.EqualTo("NHI1005"));
        Assert.That(error.Message, Does.Contain("a -> b -> c -> a"));
    }

    [Test]
    public async Task An_actor_is_proved_too_and_sent_beside_the_subject()
    {
        var issuer = new TestExchanger(_time);
        await using JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(_time), ActsFor.Workload)
            .Identity("agent", TestProofs.Source(_time), ActsFor.Workload)
            .Target("api", issuer, t =>
            {
                t.Identity = "job";
                t.Actor = "agent";
            })
            .Time(_time).EndOnSignals(false));

        await session.Provider<BearerToken>("api").GetAsync();

        ExchangeRequest asked = issuer.Requests.Single();
        Assert.That(asked.Actor, Is.Not.Null);
        Assert.That(asked.Actor!.Fingerprint, Is.Not.EqualTo(asked.Subject.Fingerprint));
    }

    [Test]
    public async Task A_wall_clock_that_was_back_while_a_chain_was_built_makes_the_jobs_end_forget_no_hop()
    {
        var first = new TestExchanger(_time) { Life = TimeSpan.FromMinutes(10) };
        var second = new TestExchanger(_time) { Life = TimeSpan.FromHours(1) };
        JobSession session = await StartChainAsync(first, second);
        await session.Provider<BearerToken>("account").GetAsync();
        _time.SetWall(_time.GetUtcNow().AddMinutes(-50));
        _time.Advance(TimeSpan.FromSeconds(1));   // the wall is asked once a tick
        BearerToken archive = await session.Provider<BearerToken>("archive").GetAsync();
        _time.SetWall(_time.GetUtcNow().AddMinutes(50));
        _time.Advance(TimeSpan.FromMinutes(15));

        await session.CompleteAsync();

        Assert.That(second.Revoked, Is.EqualTo(new[] { archive }), "it lives for three quarters of an hour yet");
    }

    [Test]
    public async Task What_is_on_its_way_when_its_hop_ends_sooner_than_was_known_lands_for_nobody_if_it_ends_with_it([Values] bool endsWithIt)
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        TestExchanger hop = new(time), behind = new(time) { Tied = endsWithIt, Gate = gate };
        hop.Answer = asked => asked.Held is BearerToken held
            ? new Issued<BearerToken>(new BearerToken(held.Reveal(), time.GetUtcNow() + TimeSpan.FromMinutes(5))) { IsRenewal = true }
            : new Issued<BearerToken>(hop.NewToken());
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload).Target("hop", hop, "job").Target("behind", behind, t => t.Through = "hop").Time(time).Jitter(() => 0).EndOnSignals(false));
        using Gate opened = gate;
        await job.Provider<BearerToken>("hop").GetAsync();
        time.Advance(new TimeSpan(0, 39, 40));
        Task<BearerToken> asking = job.Provider<BearerToken>("behind").GetAsync().AsTask();
        await gate.Reached;   // it was asked for with the hop's credential, which lives for twenty minutes yet
        time.Advance(TimeSpan.FromSeconds(10));
        await job.Provider<BearerToken>("hop").GetAsync();   // its refresh is due
        await Eventually.HoldsAsync(() => !((SlotProvider<BearerToken>)job.Provider<BearerToken>("hop")).HasFlight, "the landing of its renewal");

        gate.Open();
        BearerToken token = await asking;

        Assert.That(behind.Requests, Has.Count.EqualTo(endsWithIt ? 2 : 1));
        if (!endsWithIt)
            return;
        Assert.That(token.UnusableFrom - time.GetUtcNow(), Is.GreaterThan(TimeSpan.Zero).And.LessThanOrEqualTo(TimeSpan.FromMinutes(5)), "no longer than its hop");
        Assert.That(behind.Revoked, Is.EqualTo(behind.Issued.Take(1)));
    }

    [Test]
    public async Task A_hops_older_credential_that_is_revoked_takes_nothing_along_that_was_got_with_a_newer_one([Values] bool isRenewal)
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        var gotWith = new Dictionary<string, string>();
        TestExchanger hop = new(time), behind = new(time) { DiesWith = credential => gotWith.GetValueOrDefault(credential.Fingerprint) };
        behind.Answer = asked =>
        {
            bool renews = isRenewal && asked.Held is not null;
            BearerToken token = renews ? new BearerToken(((BearerToken)asked.Held!).Reveal(), time.GetUtcNow() + TimeSpan.FromHours(1)) : behind.NewToken();
            gotWith.TryAdd(token.Fingerprint, asked.Subject.Fingerprint);
            return new Issued<BearerToken>(token) { IsRenewal = renews };
        };
        await using JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload).Target("hop", hop, "job").Target("behind", behind, t => t.Through = "hop").Time(time).Jitter(() => 0).EndOnSignals(false));
        using Gate opened = gate;
        CredentialProvider<BearerToken> first = session.Provider<BearerToken>("hop"), second = session.Provider<BearerToken>("behind");
        BearerToken old = await first.GetAsync();
        first.Reject(old);
        BearerToken held = await second.GetAsync();   // with the newer one
        time.Advance(new TimeSpan(0, 39, 50));
        behind.Gate = gate;
        Assert.That(await second.GetAsync(), Is.SameAs(held), "its refresh is due, and on its way");
        await gate.Reached;

        await session.RevokeCredentialAsync(old, "it was seen in a log");

        Assert.That(second.TryGet(out BearerToken? current), Is.True);
        Assert.That(current, Is.SameAs(held), "it ends with another credential");
        gate.Open();
        await Eventually.HoldsAsync(() => !((SlotProvider<BearerToken>)second).HasFlight && session.Leases.FlightsInTheAir == 0, "the landing of its refresh");
        Assert.That(behind.Revoked, Is.EqualTo(isRenewal ? [] : behind.Issued.Skip(1)), "nobody knows yet with what it was got; a renewal is what is held");
        Assert.That((await second.GetAsync()).Fingerprint, Is.EqualTo(held.Fingerprint));
        Assert.That(behind.Revoked, Does.Not.Contain(held));
    }

    [Test]
    public async Task The_audit_states_the_end_that_a_chain_has_though_the_wall_clock_was_set_while_it_was_built()
    {
        var audit = new RecordingSink();
        await using JobSession session = await StartChainAsync(new TestExchanger(_time) { Life = TimeSpan.FromMinutes(10) }, new TestExchanger(_time) { Life = TimeSpan.FromHours(1) }, audit);
        await session.Provider<BearerToken>("account").GetAsync();
        _time.SetWall(_time.GetUtcNow().AddMinutes(-50));
        _time.Advance(TimeSpan.FromSeconds(1));

        BearerToken archive = await session.Provider<BearerToken>("archive").GetAsync();

        AuditEvent issued = audit.Events.Single(e => e.Kind == AuditEventKind.Issued && e.Target == "archive");
        Assert.That(issued.UnusableFrom, Is.EqualTo(archive.UnusableFrom).And.LessThan(_time.GetUtcNow().AddMinutes(10)));
    }

    private Task<JobSession> StartChainAsync(TestExchanger first, TestExchanger second, IAuditSink? audit = null) => JobSession.StartAsync(b => b
        .Identity("job", TestProofs.Source(_time), ActsFor.Workload)
        .Target("account", first, "job")
        .Target("archive", second, t => t.Through = "account")
        .Audit(audit ?? new RecordingSink()).Time(_time).Jitter(() => 0).EndOnSignals(false));
}
