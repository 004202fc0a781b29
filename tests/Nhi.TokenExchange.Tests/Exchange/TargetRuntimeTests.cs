namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What one target of a running job takes from its callers, tells of itself, and lets go.</summary>
internal sealed class TargetRuntimeTests
{
    private static readonly CredentialRequest ReadOnly = new() { Scopes = ScopeSet.Of("read") };

    [Test]
    public async Task An_exchange_sees_nothing_of_the_context_of_who_asked_for_it([Values] bool isFlowStopped)
    {
        await using TestJob job = await TestJob.StartAsync();
        var context = new AsyncLocal<string?>();
        string? seen = "not asked";
        job.Issuer.Answer = _ =>
        {
            seen = context.Value;
            return new Issued<BearerToken>(job.Issuer.NewToken());
        };
        context.Value = "of the caller";

        Task<BearerToken> getting;
        if (isFlowStopped)
        {
            using AsyncFlowControl stopped = ExecutionContext.SuppressFlow();
            getting = job.Warehouse.GetAsync().AsTask();
        }
        else
        {
            getting = job.Warehouse.GetAsync().AsTask();
        }

        Assert.That(await getting, Is.Not.Null);
        Assert.That(seen, Is.Null);
    }

    [Test]
    public async Task What_an_exchanger_fails_to_answer_about_its_credential_is_not_known([Values] bool isNull)
    {
        using var log = new LoggedText();
        var time = new ManualTimeProvider();
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload).Target("warehouse", new BareExchanger(isNull), "job").Logging(log).Time(time).EndOnSignals(false));

        string said = isNull ? "the exchanger gave no answer" : "the exchanger failed with IOException";
        Assert.That(job.Runtime("warehouse").ExposureBy(null).ReusableAfterJob.Reason, Is.EqualTo($"it is not known: {said}"));
        Assert.That(log.Text, Does.Contain($"warehouse gives what is reusable after the job: not known, which counts as yes: {said}; visible to operators: not known, which counts as yes: who else can see the credential; tied to a human: "));
        Assert.That(log.Text, Does.Not.Contain("canary"));
    }

    [Test]
    public async Task An_exchanger_says_by_itself_that_it_does_nothing_special()
    {
        var bare = new BareExchanger(isNull: true);

        using (Assert.EnterMultipleScope())
        {
            Assert.That((bare.UsableMargin, bare.EndsWithSubjectToken, bare.Tenant, bare.IsPlatformIssued), Is.EqualTo((TimeSpan.FromSeconds(10), false, (string?)null, false)));
            Assert.That((bare.RenewsHeld, bare.EndsByOwn, bare.MayEndWithHop, bare.LearnsMore), Is.EqualTo((false, false, false, false)));
            Assert.That(bare.VisibleToOperators.ToString(), Is.EqualTo("not known, which counts as yes: who else can see the credential"));
            Assert.That(bare.HopRemedy, Is.EqualTo("Name a target with the exchange VaultLogin at the same server"));
            using HttpMessageInvoker channel = WireSamples.Backchannel();
            Assert.That(await bare.RevokeAsync(WireSamples.Revocation(channel, new ManualTimeProvider()), default), Is.EqualTo(Revocation.NotSupported));
        }
    }

    [Test]
    public async Task A_rejection_is_told_once_of_what_was_handed_out_and_never_of_anything_else()
    {
        using var log = new LoggedText();
        await using TestJob job = await TestJob.StartAsync(more: b => b.Logging(log));
        BearerToken usual = await job.Warehouse.GetAsync(), other = await job.Warehouse.GetAsync(ReadOnly);

        job.Warehouse.Reject(job.Issuer.NewToken());
        foreach (BearerToken refused in new[] { usual, other, usual, other })
            job.Warehouse.Reject(refused);

        Assert.That(log.Text.Split('\n').Where(line => line.StartsWith("A credential of warehouse was rejected", StringComparison.Ordinal)), Is.EqualTo(
            new[] { usual, other }.Select(refused => $"A credential of warehouse was rejected by the target and is handed out no more: {refused.Fingerprint}")));
        Assert.That((await job.Warehouse.GetAsync() == usual, await job.Warehouse.GetAsync(ReadOnly) == other), Is.EqualTo((false, false)));
    }

    [Test]
    public async Task What_is_revoked_is_handed_out_no_more_to_who_asks_for_less_either()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken leaked = await job.Warehouse.GetAsync(ReadOnly);

        await job.Session.RevokeCredentialAsync(leaked, "it leaked");

        Assert.That((await job.Warehouse.GetAsync(ReadOnly)).Fingerprint, Is.Not.EqualTo(leaked.Fingerprint));
    }

    [Test]
    public async Task What_is_dropped_is_handed_out_no_more_to_who_asks_for_less_either([Values] bool asksForLess)
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken usual = await job.Warehouse.GetAsync(), other = await job.Warehouse.GetAsync(ReadOnly);

        job.Session.Runtime("warehouse").Drop(asksForLess ? other : usual);

        Assert.That((await job.Warehouse.GetAsync() == usual, await job.Warehouse.GetAsync(ReadOnly) == other), Is.EqualTo((asksForLess, !asksForLess)));
    }

    [Test]
    public async Task After_the_job_nothing_that_was_held_is_handed_out()
    {
        await using TestJob job = await TestJob.StartAsync();
        await job.Warehouse.GetAsync();
        await job.Warehouse.GetAsync(ReadOnly);

        await job.Session.CompleteAsync();

        Assert.That(job.Warehouse.TryGet(out _), Is.False);
        Assert.That(async () => await job.Warehouse.GetAsync(), Throws.InstanceOf<TokenExchangeException>().With.Property(nameof(TokenExchangeException.Code)).EqualTo(ErrorCodes.JobEnded));
        Assert.That(async () => await job.Warehouse.GetAsync(ReadOnly), Throws.InstanceOf<TokenExchangeException>().With.Property(nameof(TokenExchangeException.Code)).EqualTo(ErrorCodes.JobEnded));
        Assert.That(job.Issuer.Issued, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Where_a_credential_came_from_is_one_object_until_the_policy_changes()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken first = await job.Warehouse.GetAsync(), second = await job.Warehouse.GetAsync(ReadOnly);
        job.Policy.Change("2", _ => AccessDecision.Permit("all"));

        BearerToken third = await job.Warehouse.GetAsync();

        Assert.That(second.Lease.Origin, Is.SameAs(first.Lease.Origin));
        Assert.That((third.Lease.Origin!.Era > first.Lease.Origin!.Era, third.Lease.Origin == first.Lease.Origin), Is.EqualTo((true, false)));
    }

    [Test]
    public async Task What_lives_behind_a_credential_is_what_was_got_with_it_and_ends_with_it()
    {
        var time = new ManualTimeProvider();
        string? hop = null;
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload)
            .Target("account", new TestExchanger(time), "job")
            .Target("with", new TestExchanger(time) { DiesWith = _ => hop }, t => t.Through = "account")
            .Target("with-another", new TestExchanger(time) { DiesWith = _ => "another" }, t => t.Through = "account")
            .Target("by-itself", new TestExchanger(time), t => t.Through = "account")
            .Target("elsewhere", new TestExchanger(time) { DiesWith = _ => hop }, "job")
            .Time(time).Jitter(() => 0).EndOnSignals(false));
        BearerToken account = await job.Provider<BearerToken>("account").GetAsync();
        hop = account.Fingerprint;
        foreach (string target in new[] { "with", "with-another", "by-itself", "elsewhere" })
            await job.Provider<BearerToken>(target).GetAsync();

        Assert.That(job.Runtime("account").LiveBehind(account).Select(lease => lease.Lease.Owner!.Target), Is.EqualTo(new[] { "with" }));
        Assert.That(job.Runtime("with").LiveBehind(account), Is.Empty);
        job.Runtime("account").DropBehind(account);
        Assert.That(
            new[] { "account", "with", "with-another", "by-itself", "elsewhere" }.Where(target => job.Provider<BearerToken>(target).TryGet(out _)),
            Is.EqualTo(new[] { "account", "with-another", "by-itself", "elsewhere" }));
    }

    [Test]
    public async Task What_a_hop_ends_is_handed_out_no_more_to_who_asks_for_less_either()
    {
        var time = new ManualTimeProvider();
        var second = new TestExchanger(time) { Tied = true };
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload)
            .Target("account", new TestExchanger(time), "job")
            .Target("archive", second, t => (t.Through, t.Scopes) = ("account", ScopeSet.Of("read", "write")))
            .Time(time).Jitter(() => 0).EndOnSignals(false));
        await job.Provider<BearerToken>("archive").GetAsync(ReadOnly);

        await job.RevokeCredentialAsync(await job.Provider<BearerToken>("account").GetAsync(), "it leaked");
        await job.Provider<BearerToken>("archive").GetAsync(ReadOnly);

        Assert.That(second.Issued, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_permit_for_bound_credentials_alone_denies_what_works_for_whoever_holds_it([Values] bool isBound)
    {
        await using TestJob job = await TestJob.StartAsync();
        int forgotten = 0;
        job.Policy.Decide = _ =>
        {
            AccessDecision permit = AccessDecision.Permit("all", senderConstrained: isBound);
            permit.Forget = () => forgotten++;
            return permit;
        };

        TokenExchangeException? denied = null;
        try
        {
            await job.Warehouse.GetAsync();
        }
        catch (AccessDeniedException no)
        {
            denied = no;
        }

        Assert.That(denied?.Original.Detail, Is.EqualTo(isBound ? "Rule 'all' denies access: senderConstrained expected a credential that is bound to a key of this process, presented a BearerToken, which works for whoever holds it" : null));
        Assert.That((forgotten, job.Issuer.Requests.Count), Is.EqualTo(isBound ? (1, 0) : (0, 1)), "what comes to a deny is asked for again");
    }

    private sealed class BareExchanger(bool isNull) : TokenExchanger<BearerToken>
    {
        public override Uri Issuer { get; } = new("https://issuer.test/");

        public override Audience SubjectAudience { get; } = new("https://issuer.test/");

        public override ExposureAnswer ReusableAfterJob => isNull ? null! : throw new IOException("canary");

        public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
