namespace Nhi.TokenExchange.Tests;

public class ExchangePipelineTests
{
    [Test]
    public async Task A_miss_attests_authorizes_records_exchanges_and_records_in_this_order()
    {
        await using TestJob job = await TestJob.StartAsync();

        BearerToken token = await job.Warehouse.GetAsync();

        Assert.That(job.Audit.Kinds, Is.EqualTo(new[] { AuditEventKind.Attested, AuditEventKind.Permitted, AuditEventKind.Exchanging, AuditEventKind.Issued }));
        Assert.That(job.Audit.Events.Select(e => e.FlightId).Distinct().ToArray(), Has.Length.EqualTo(1));
        AuditEvent issued = job.Audit.Events[^1];
        Assert.Multiple(() =>
        {
            Assert.That(issued.Fingerprint, Is.EqualTo(token.Fingerprint));
            Assert.That(issued.DiesAt, Is.EqualTo(token.ExpiresAt));
            Assert.That(issued.UnusableFrom, Is.EqualTo(token.ExpiresAt - job.Issuer.Margin));
            Assert.That(issued.SubjectFingerprint, Is.EqualTo(job.Issuer.Requests.Single().Subject.Fingerprint));
        });
    }

    [Test]
    public async Task The_intent_is_recorded_before_the_issuer_is_asked()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Gate = new Gate());
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();

        await job.Issuer.Gate!.Reached;

        Assert.That(job.Audit.Kinds[^1], Is.EqualTo(AuditEventKind.Exchanging));
        job.Issuer.Gate.Open();
        await asking;
    }

    [TestCase(AuditEventKind.Attested)]
    [TestCase(AuditEventKind.Permitted)]
    [TestCase(AuditEventKind.Exchanging)]
    public async Task What_cannot_be_recorded_before_the_exchange_never_reaches_the_issuer(AuditEventKind kind)
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Audit.Refuse = e => e.Kind == kind ? new IOException("disk full") : null;

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That(error!.Code, Is.EqualTo("NHI6001"));
        Assert.That(job.Issuer.Requests, Is.Empty);
    }

    [Test]
    public async Task An_outcome_that_cannot_be_recorded_is_revoked_and_not_handed_out()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Audit.Refuse = e => e.Kind == AuditEventKind.Issued ? new IOException("disk full") : null;

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That(error!.Code, Is.EqualTo("NHI6001"));
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
        Assert.That(job.Audit.Kinds, Does.Contain(AuditEventKind.Revoked));
    }

    [Test]
    public async Task A_sink_that_hangs_is_given_up_after_two_seconds_and_nothing_is_handed_out()
    {
        var hanging = new TaskCompletionSource();
        var reached = new TaskCompletionSource();
        var sink = new Moq.Mock<IAuditSink>();
        sink.Setup(s => s.WriteAsync(Moq.It.IsAny<AuditEvent>(), Moq.It.IsAny<CancellationToken>())).Returns((AuditEvent e, CancellationToken _) =>
        {
            reached.TrySetResult();
            return e.Kind == AuditEventKind.Attested ? new ValueTask(hanging.Task) : default;
        });
        await using TestJob job = await TestJob.StartAsync(more: b => b.Audit(sink.Object));
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await reached.Task;
        await Eventually.HoldsAsync(() => job.Time.PendingTimers >= 2, "the timers of the flight's deadline and of the sink's");

        job.Time.Advance(TimeSpan.FromSeconds(2));

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(() => asking);
        Assert.That(error!.Code, Is.EqualTo("NHI6001"));
        Assert.That(job.Issuer.Requests, Is.Empty);
    }

    [Test]
    public async Task A_denial_names_the_rule_and_the_issuer_is_not_asked()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Policy.Decide = _ => AccessDecision.Deny("no-orders", "dataset: expected 'customers', presented 'orders'");

        AccessDeniedException? denied = Assert.ThrowsAsync<AccessDeniedException>(async () => await job.Warehouse.GetAsync());

        Assert.That(denied!.Rule, Is.EqualTo("no-orders"));
        Assert.That(denied.Message, Does.Contain("expected 'customers', presented 'orders'").And.Contain("warehouse"));
        Assert.That(job.Issuer.Requests, Is.Empty);
        Assert.That(job.Audit.Kinds, Does.Contain(AuditEventKind.Denied));
    }

    [Test]
    public async Task A_denial_is_remembered_until_the_policy_changes()
    {
        await using TestJob job = await TestJob.StartAsync();
        int decisions = 0;
        job.Policy.Decide = _ =>
        {
            decisions++;
            return AccessDecision.Deny("no", "never");
        };
        Assert.ThrowsAsync<AccessDeniedException>(async () => await job.Warehouse.GetAsync());
        job.Time.Advance(TimeSpan.FromHours(1));
        Assert.ThrowsAsync<AccessDeniedException>(async () => await job.Warehouse.GetAsync());
        Assert.That(decisions, Is.EqualTo(1));

        job.Policy.Change("2", _ => AccessDecision.Permit("yes"));

        Assert.That(await job.Warehouse.GetAsync(), Is.Not.Null);
    }

    [Test]
    public async Task A_policy_that_throws_grants_nothing()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Policy.Decide = _ => throw new InvalidOperationException("boom");

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That((error!.Code, error.Stage, error.IsTransient), Is.EqualTo(("NHI3002", ExchangeStage.Authorize, true)));
        Assert.That(job.Issuer.Requests, Is.Empty);
    }

    [Test]
    public async Task A_policy_narrows_what_is_asked_of_the_issuer()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Policy.Decide = _ => AccessDecision.Permit("narrow", ScopeSet.Of("read"), TimeSpan.FromMinutes(5));

        BearerToken token = await job.Warehouse.GetAsync();

        ExchangeRequest asked = job.Issuer.Requests.Single();
        Assert.That((asked.Scopes.ToString(), asked.MaxLifetime), Is.EqualTo(("read", TimeSpan.FromMinutes(5))));
        job.Time.Advance(TimeSpan.FromMinutes(5));
        Assert.That(await job.Warehouse.GetAsync(), Is.Not.SameAs(token));
    }

    [Test]
    public async Task A_policy_that_widens_is_an_error()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Policy.Decide = _ => AccessDecision.Permit("wide", ScopeSet.Of("read", "admin"));

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That(error!.Code, Is.EqualTo("NHI3003"));
        Assert.That(job.Issuer.Requests, Is.Empty);
    }

    [Test]
    public async Task A_wider_answer_is_revoked_and_refused()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken()) { GrantedScopes = ScopeSet.Of("read", "write", "admin") };

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That(error!.Code, Is.EqualTo("NHI5001"));
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
    }

    [Test]
    public async Task A_flawed_answer_is_revoked_and_its_flaw_is_thrown()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken()) { Flaw = new TokenExchangeException("NHI5002", ExchangeStage.Verify, "token_type is mac") };

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That(error!.Code, Is.EqualTo("NHI5002"));
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
    }

    [TestCase(-5)]
    [TestCase(0)]
    [TestCase(10)]   // the margin exactly: unusable at once
    public async Task A_credential_that_is_dead_on_arrival_is_refused(int seconds)
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Life = TimeSpan.FromSeconds(seconds);

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That((error!.Code, error.IsTransient), Is.EqualTo(("NHI5003", true)));
    }

    [Test]
    public async Task A_credential_object_that_was_seen_before_is_refused_and_its_lease_stays_with_its_first_owner()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken first = await job.Warehouse.GetAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(first);
        job.Warehouse.Reject(first);

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That((error!.Code, error.Original.Detail, error.Hint, error.Target), Is.EqualTo((
            "NHI5004", "The exchanger gave a credential object that was given before.", "Make a new credential object for each exchange.", "warehouse")));
        Assert.That(job.Issuer.Revoked, Is.Empty);
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(report.Leases.Single().Fingerprint, Is.EqualTo(first.Fingerprint));
    }

    [Test]
    public async Task A_proof_refused_as_expired_is_replaced_once_by_a_new_one()
    {
        var asked = new List<bool>();
        var time = new ManualTimeProvider();
        IWorkloadIdentitySource source = IdentitySources.From((request, _) =>
        {
            asked.Add(request.MustBeNew);
            return new ValueTask<SubjectToken>(new SubjectToken(TestProofs.Jwt(time, request.Audience.ToString()), SubjectTokenType.Jwt));
        });
        await using TestJob job = await TestJob.StartAsync(source: source);
        int calls = 0;
        job.Issuer.Answer = _ => calls++ == 0
            ? throw new TokenExchangeException("NHI4011", ExchangeStage.Exchange, "the proof has expired")
            : new Issued<BearerToken>(job.Issuer.NewToken());

        await job.Warehouse.GetAsync();

        Assert.That(asked, Is.EqualTo(new[] { false, true }));
        Assert.That(job.Issuer.Requests.Select(r => r.Subject.Fingerprint).Distinct().Count(), Is.EqualTo(2));
    }

    [Test]
    public async Task A_proof_refused_as_expired_twice_is_an_error()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4011", ExchangeStage.Exchange, "the proof has expired");

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That(error!.Code, Is.EqualTo("NHI4011"));
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task S17_An_exception_of_a_source_is_wrapped_as_the_stage_attest()
    {
        IWorkloadIdentitySource source = IdentitySources.From((_, _) => throw new IOException("no such device"));
        await using TestJob job = await TestJob.StartAsync(source: source);

        IdentityUnavailableException? error = Assert.ThrowsAsync<IdentityUnavailableException>(async () => await job.Warehouse.GetAsync());

        Assert.That((error!.Code, error.Stage, error.Target), Is.EqualTo(("NHI2009", ExchangeStage.Attest, "warehouse")));
    }

    [Test]
    public async Task S17_A_source_that_gives_nothing_is_named()
    {
        await using TestJob job = await TestJob.StartAsync(source: IdentitySources.From((_, _) => new ValueTask<SubjectToken>((SubjectToken)null!)));

        IdentityUnavailableException? error = Assert.ThrowsAsync<IdentityUnavailableException>(async () => await job.Warehouse.GetAsync());

        Assert.That((error!.Code, error.Stage), Is.EqualTo(("NHI2009", ExchangeStage.Attest)));
        Assert.That(error.Message, Does.Contain("identity 'job' gave null"));
        Assert.That(job.Issuer.Requests, Is.Empty);
    }

    [Test]
    public async Task S17_A_source_that_never_answers_is_given_up_at_the_flights_deadline_and_what_it_gives_later_is_dropped()
    {
        var reached = new TaskCompletionSource();
        var never = new TaskCompletionSource<SubjectToken>();
        IWorkloadIdentitySource source = IdentitySources.From((_, _) =>
        {
            reached.TrySetResult();
            return new ValueTask<SubjectToken>(never.Task);
        });
        await using TestJob job = await TestJob.StartAsync(source: source);
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await reached.Task;

        job.Time.Advance(TimeSpan.FromSeconds(60));

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(() => asking);
        Assert.That((error!.Code, error.IsTransient), Is.EqualTo(("NHI4009", true)));

        never.SetResult(new SubjectToken(TestProofs.Jwt(job.Time, "https://issuer.test/"), SubjectTokenType.Jwt));
        await job.Session.CompleteAsync();
        Assert.That(job.Issuer.Requests, Is.Empty);
    }

    [Test]
    public async Task An_exchange_that_comes_back_after_its_deadline_ends_its_own_credential()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Gate = new Gate());
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await job.Issuer.Gate!.Reached;
        job.Time.Advance(TimeSpan.FromSeconds(60));
        TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(() => asking)!;
        Assert.That((error.Code, error.Original.Detail, error.IsTransient, error.Target), Is.EqualTo(("NHI4009", "The exchange took more than 60 s.", true, "warehouse")));

        job.Issuer.Gate.Open();
        await job.Session.CompleteAsync();

        Assert.That(job.Issuer.Issued, Has.Count.EqualTo(1));
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
    }

    [Test]
    public async Task C6_An_exchanger_that_asks_for_its_own_target_gets_an_error_instead_of_hanging()
    {
        CredentialProvider<BearerToken>? self = null;
        IWorkloadIdentitySource source = IdentitySources.From(async (_, ct) => new SubjectToken((await self!.GetAsync(ct)).Reveal(), SubjectTokenType.Jwt));
        await using TestJob job = await TestJob.StartAsync(source: source);
        self = job.Warehouse;

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That(error!.Code, Is.EqualTo("NHI4010"));
    }

    [Test]
    public async Task Within_a_flight_its_own_target_is_refused_at_once()
    {
        CredentialProvider<BearerToken>? self = null;
        Task<BearerToken>? inner = null;
        bool isRefused = false;
        IWorkloadIdentitySource source = IdentitySources.From((request, cancellationToken) =>
        {
            inner = self!.GetAsync(cancellationToken).AsTask();
            isRefused = inner.IsFaulted;
            return new ValueTask<SubjectToken>(new SubjectToken(TestProofs.Jwt(new ManualTimeProvider(), request.Audience.ToString()), SubjectTokenType.Jwt));
        });
        await using TestJob job = await TestJob.StartAsync(source: source);
        self = job.Warehouse;

        await job.Warehouse.GetAsync();

        Assert.That(isRefused, Is.True, "it would wait for itself");
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => inner!)!;
        Assert.That((refused.Code, refused.Detail, refused.Hint, refused.Target), Is.EqualTo((
            "NHI4010", "The exchange of this target asks for a credential of this very target.", "Let the identity source or the exchanger use another target, or none.", "warehouse")));
    }

    [TestCase(typeof(InvalidOperationException), "InvalidOperationException", false)]
    [TestCase(typeof(TimeoutException), "TimeoutException", true)]
    [TestCase(typeof(OperationCanceledException), "OperationCanceledException", true)]
    [TestCase(typeof(TaskCanceledException), "TaskCanceledException", true)]
    public async Task An_exception_of_an_exchanger_is_told_by_its_type_and_passes_if_it_is_a_time_out(Type type, string name, bool isTransient)
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => throw (Exception)Activator.CreateInstance(type)!;

        TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;

        Assert.That((error.Code, error.Stage, error.Target, error.IsTransient), Is.EqualTo(("NHI4008", ExchangeStage.Exchange, "warehouse", isTransient)));
        Assert.That(error.Original.Detail, Is.EqualTo($"The exchanger failed with {name}."));
    }

    [Test]
    public async Task The_clock_of_an_exchange_goes_on_with_the_job_s_whatever_its_wall_is_set_to()
    {
        await using TestJob job = await TestJob.StartAsync();
        DateTimeOffset asked = job.Time.GetUtcNow();
        var read = new List<TimeSpan>();
        job.Issuer.Answer = request =>
        {
            read.Add(request.Time.GetUtcNow() - asked);
            job.Time.Advance(TimeSpan.FromSeconds(7));
            job.Time.SetWall(asked.AddDays(1));
            read.Add(request.Time.GetUtcNow() - asked);
            job.Time.SetWall(asked.AddSeconds(7));
            return new Issued<BearerToken>(job.Issuer.NewToken());
        };

        await job.Warehouse.GetAsync();

        Assert.That(read, Is.EqualTo(new[] { TimeSpan.Zero, TimeSpan.FromSeconds(7) }));
    }

    [Test]
    public async Task A_credential_whose_permit_ends_before_it_does_is_ended_then()
    {
        await using TestJob job = await TestJob.StartAsync();
        DateTimeOffset ends = job.Time.GetUtcNow().AddMinutes(5);
        job.Policy.Decide = _ => AccessDecision.Permit("window", holdsUntil: ends);
        BearerToken token = await job.Warehouse.GetAsync();
        await job.QuietAsync();
        job.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1));
        Assert.That(job.Session.IsAlive(token), Is.True);

        job.Time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.HoldsAsync(() => job.Audit.Kinds.Contains(AuditEventKind.Revoked), "the end of the permit, which nobody asks for");

        Assert.That(job.Issuer.Revoked, Is.EqualTo(new[] { token }));
        Assert.That(job.Audit.Events.Single(e => e.Kind == AuditEventKind.Revoked).Reason, Is.EqualTo("its permit is over"));
    }

    [Test]
    public async Task A_denial_ends_all_that_was_handed_out_and_lives_at_its_issuer_and_all_of_it_at_once()
    {
        const int Tokens = 9;
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = request => new Issued<BearerToken>(job.Issuer.NewToken()) { RefreshAt = request.Time.GetUtcNow().AddMinutes(6) };
        int asked = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        job.Issuer.OnRevoke = async _ =>
        {
            if (Interlocked.Increment(ref asked) == Tokens)
                all.TrySetResult();
            await all.Task;
            return Revocation.Revoked;
        };
        for (int token = 0; token < Tokens; token++)
        {
            await job.Warehouse.GetAsync();
            await job.QuietAsync();
            job.Time.Advance(TimeSpan.FromSeconds(361));
        }
        Assert.That(job.Issuer.Issued, Has.Count.EqualTo(Tokens));

        job.Policy.Decide = _ => AccessDecision.Deny("closed", "no more");
        await job.Warehouse.GetAsync();
        try
        {
            await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count == Tokens, "the end of all, each of which waits for the others");
        }
        finally
        {
            all.TrySetResult();
        }
        await job.QuietAsync();

        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
        Assert.That(job.Audit.Events.Where(e => e.Kind == AuditEventKind.Revoked).Select(e => e.Reason), Is.All.EqualTo("the policy denies it now").And.Exactly(Tokens).Items);
    }

    [Test]
    public async Task What_died_while_its_refresh_was_denied_is_accounted_for_at_once()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken held = await job.Warehouse.GetAsync();
        await job.QuietAsync();
        using var gate = new Gate();
        job.Policy.Before = _ => gate.PassAsync();
        job.Policy.Decide = _ => AccessDecision.Deny("closed", "no more");
        job.Time.Advance(new TimeSpan(0, 59, 30));
        await job.Warehouse.GetAsync();
        await gate.Reached;
        job.Time.Advance(TimeSpan.FromSeconds(40));

        gate.Open();
        await job.QuietAsync();

        Assert.That(job.Audit.Events.Where(e => e.Fingerprint == held.Fingerprint).Select(e => e.Kind), Is.EqualTo(new[] { AuditEventKind.Issued, AuditEventKind.Expired }));
        Assert.That(job.Issuer.Revoked, Is.Empty, "there is nothing to revoke any more");
    }

    [TestCase(true, Description = "it stands in the books for what is held, and is ended with that")]
    [TestCase(false)]
    public async Task What_a_refresh_brings_after_its_deadline_is_ended_unless_it_renews_what_is_held(bool isRenewal)
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken held = await job.Warehouse.GetAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(isRenewal ? new BearerToken(held.Reveal(), job.Time.GetUtcNow().AddHours(1)) : job.Issuer.NewToken()) { IsRenewal = isRenewal };
        job.Issuer.Gate = new Gate();
        job.Time.Advance(TimeSpan.FromMinutes(45));
        await job.Warehouse.GetAsync();
        await job.Issuer.Gate.Reached;
        job.Time.Advance(TimeSpan.FromSeconds(60));
        await Eventually.HoldsAsync(() => job.Audit.Kinds.Contains(AuditEventKind.Failed), "the deadline of the refresh");

        job.Issuer.Gate.Open();
        await job.QuietAsync();

        Assert.That(job.Warehouse.TryGet(out BearerToken? served), Is.True);
        Assert.That(served, Is.SameAs(held));
        Assert.That(job.Issuer.Revoked, Is.EqualTo(isRenewal ? [] : new[] { job.Issuer.Issued.Last() }));
        Assert.That(job.Audit.Events.Where(e => e.Kind == AuditEventKind.Revoked).Select(e => e.Reason), isRenewal ? Is.Empty : Is.EqualTo(new[] { "came after the deadline" }));
        await job.Session.CompleteAsync();
        Assert.That(job.Issuer.Revoked, Has.Count.EqualTo(isRenewal ? 1 : 2));
    }

    [Test]
    public async Task The_refresh_is_recorded_as_a_refresh_and_serves_the_old_one_meanwhile()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();
        job.Issuer.Gate = new Gate();
        job.Time.Advance(TimeSpan.FromMinutes(41));   // an hour less 20 minutes, less the margin: due

        BearerToken served = await job.Warehouse.GetAsync();
        await job.Issuer.Gate.Reached;

        Assert.That(served, Is.SameAs(old));
        Assert.That(job.Warehouse.TryGet(out BearerToken? hit), Is.True);
        Assert.That(hit, Is.SameAs(old));
        job.Issuer.Gate.Open();
        await Eventually.HoldsAsync(async () => job.Audit.Kinds.Contains(AuditEventKind.Refreshed) && !ReferenceEquals(await job.Warehouse.GetAsync(), old), "the refreshed credential");
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task No_scope_at_all_is_wider_than_the_targets_and_refused()
    {
        await using TestJob job = await TestJob.StartAsync();

        TokenExchangeException? caller = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of([]) }));
        job.Policy.Decide = _ => AccessDecision.Permit("empty intersection", ScopeSet.Empty);
        TokenExchangeException? policy = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That((caller!.Code, policy!.Code), Is.EqualTo(("NHI3003", "NHI3003")));
        Assert.That(job.Issuer.Requests, Is.Empty);
    }

    [Test]
    public async Task A_denial_stands_even_if_it_cannot_be_recorded()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();
        job.Audit.Refuse = e => e.Kind == AuditEventKind.Denied ? new IOException("disk full") : null;
        job.Policy.Decide = _ => AccessDecision.Deny("closed", "no more");
        job.Time.Advance(TimeSpan.FromMinutes(45));
        await job.Warehouse.GetAsync();

        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count > 0, "a revocation");

        Assert.That(job.Issuer.Revoked.Single(), Is.SameAs(old));
        Assert.ThrowsAsync<AccessDeniedException>(async () => await job.Warehouse.GetAsync());
    }

    [Test]
    public async Task A_denial_that_holds_until_an_instant_is_asked_again_then()
    {
        await using TestJob job = await TestJob.StartAsync();
        DateTimeOffset opens = job.Time.GetUtcNow().AddMinutes(5);
        job.Policy.Decide = _ => job.Time.GetUtcNow() < opens ? AccessDecision.Deny("window", "not yet", holdsUntil: opens) : AccessDecision.Permit("window");
        Assert.ThrowsAsync<AccessDeniedException>(async () => await job.Warehouse.GetAsync());
        job.Time.Advance(TimeSpan.FromMinutes(4));
        Assert.ThrowsAsync<AccessDeniedException>(async () => await job.Warehouse.GetAsync());

        job.Time.Advance(TimeSpan.FromMinutes(1));

        Assert.That(await job.Warehouse.GetAsync(), Is.Not.Null);
    }

    [Test]
    public async Task An_exchanger_that_says_denied_is_remembered_for_seconds_and_takes_nothing_away()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();
        job.Issuer.Answer = _ => throw new AccessDeniedException("issuer", "403");
        job.Time.Advance(TimeSpan.FromMinutes(45));
        await job.Warehouse.GetAsync();
        await Eventually.HoldsAsync(() => job.Audit.Kinds.Contains(AuditEventKind.Failed), "the record of a failure");

        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(old));
        Assert.That(job.Issuer.Revoked, Is.Empty);
    }

    [Test]
    public async Task A_credential_with_an_absurd_end_is_still_registered_and_ended()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(new BearerToken(Guid.NewGuid().ToString("N"), default));

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That(error!.Code, Is.EqualTo("NHI5003"));
        Assert.That(job.Audit.Kinds, Does.Contain(AuditEventKind.Expired).Or.Contain(AuditEventKind.Revoked));
    }

    [Test]
    public async Task A_negative_margin_is_refused_before_the_issuer_is_asked()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Margin = TimeSpan.FromSeconds(-1));

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That(error!.Message, Does.Contain("UsableMargin"));
        Assert.That(job.Issuer.Requests, Is.Empty);
    }

    [Test]
    public async Task An_exchanger_that_gives_null_gets_a_clear_error()
    {
        await using TestJob job = await TestJob.StartAsync();
        var exchanger = new Moq.Mock<TokenExchanger<BearerToken>>();
        exchanger.Setup(e => e.Issuer).Returns(new Uri("https://issuer.test/"));
        exchanger.Setup(e => e.SubjectAudience).Returns(new Audience("https://issuer.test/"));
        exchanger.Setup(e => e.UsableMargin).Returns(TimeSpan.Zero);
        await using JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(job.Time), ActsFor.Workload).Target("api", exchanger.Object, "job").Time(job.Time).EndOnSignals(false));

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await session.Provider<BearerToken>("api").GetAsync());

        Assert.That(error!.Message, Does.Contain("gave null"));
    }

    [Test]
    public async Task What_a_plug_ins_exception_says_is_not_repeated_anywhere()
    {
        const string canary = "canary-token-value";
        IWorkloadIdentitySource source = IdentitySources.From((_, _) => throw new FormatException($"The format of value 'Bearer {canary}' is invalid.", new IOException(canary)));
        await using TestJob job = await TestJob.StartAsync(source: source);

        IdentityUnavailableException? error = Assert.ThrowsAsync<IdentityUnavailableException>(async () => await job.Warehouse.GetAsync());

        Assert.That(error!.ToString(), Does.Not.Contain(canary));
        Assert.That(error.ToString(), Does.Contain("System.FormatException").And.Contain("System.IO.IOException"), "type and place are kept");
        Assert.That(job.Audit.Events.Select(e => e.Reason ?? ""), Has.None.Contains(canary));
    }

    [Test]
    public async Task A_sources_own_time_out_is_the_sources_and_transient()
    {
        IWorkloadIdentitySource source = IdentitySources.From((_, _) => throw new TaskCanceledException());
        await using TestJob job = await TestJob.StartAsync(source: source);

        IdentityUnavailableException? error = Assert.ThrowsAsync<IdentityUnavailableException>(async () => await job.Warehouse.GetAsync());

        Assert.That((error!.Code, error.IsTransient), Is.EqualTo(("NHI2009", true)));
    }

    [Test]
    public async Task Where_there_is_no_other_proof_what_the_issuer_said_stands()
    {
        var time = new ManualTimeProvider();
        IWorkloadIdentitySource once = IdentitySources.From((request, _) => request.MustBeNew
            ? throw new IdentityUnavailableException("NHI2003", "the variable holds the same one still")
            : new ValueTask<SubjectToken>(new SubjectToken(TestProofs.Jwt(time, request.Audience.ToString()), SubjectTokenType.Jwt)));
        await using TestJob job = await TestJob.StartAsync(source: once);
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4011", ExchangeStage.Exchange, "no policy for this subject") { IssuerError = "invalid_grant", CorrelationId = "req-9" };

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That((error!.Code, error.IssuerError, error.CorrelationId), Is.EqualTo(("NHI4011", "invalid_grant", "req-9")));
        Assert.That(error.Message, Does.Contain("no policy for this subject"));
    }

    [Test]
    public async Task Policy_and_audit_see_the_tenant_and_the_scopes_of_a_narrower_request()
    {
        await using TestJob job = await TestJob.StartAsync();
        AccessRequest? seen = null;
        job.Policy.Decide = request =>
        {
            seen = request;
            return AccessDecision.Permit("look");
        };

        await job.Warehouse.GetAsync(new CredentialRequest { Tenant = "b", Scopes = ScopeSet.Of("read"), Claims = "{}" });

        Assert.That((seen!.Tenant, seen.AnswersClaimsChallenge, seen.Scopes.ToString()), Is.EqualTo(("b", true, "read")));
        foreach (AuditEvent told in job.Audit.Events.Where(e => e.Kind != AuditEventKind.Attested))
            Assert.That((told.Tenant, told.Scopes.ToString()), Is.EqualTo(("b", "read")), told.Kind.ToString());
    }
}
