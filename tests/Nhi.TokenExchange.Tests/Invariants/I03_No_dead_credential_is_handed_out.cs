namespace Nhi.TokenExchange.Tests.Invariants;

/// <summary>DESIGN 5.3: valid means that both clocks say so, less the margin, capped by target, policy, proof and hop.</summary>
public class I03_No_dead_credential_is_handed_out
{
    [Test]
    public async Task The_margin_of_the_exchanger_is_kept_before_the_end()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Margin = TimeSpan.FromSeconds(40));
        BearerToken old = await job.Warehouse.GetAsync();
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4002", ExchangeStage.Exchange, "down") { IsTransient = true };

        job.Time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromSeconds(43));
        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(old));

        job.Time.Advance(TimeSpan.FromSeconds(3));
        Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());
        Assert.That(job.Warehouse.TryGet(out _), Is.False);
    }

    [Test]
    public async Task A_suspend_is_seen_at_the_first_hit_after_it()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();

        job.Time.Suspend(TimeSpan.FromHours(3));
        job.Time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.That(await job.Warehouse.GetAsync(), Is.Not.SameAs(old));
    }

    [Test]
    public async Task A_clock_set_back_does_not_lengthen_a_life()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();

        job.Time.SetWall(job.Time.GetUtcNow().AddHours(-2));
        job.Time.Advance(TimeSpan.FromHours(1));

        Assert.That(job.Warehouse.TryGet(out _), Is.False);
        Assert.That(old.ExpiresAt, Is.GreaterThan(job.Time.GetUtcNow()), "the wall alone would still believe in it");
    }

    [Test]
    public async Task Nothing_is_handed_out_beyond_the_targets_longest_life()
    {
        await using TestJob job = await TestJob.StartAsync(target: t => t.MaxLifetime = TimeSpan.FromMinutes(15));
        BearerToken old = await job.Warehouse.GetAsync();

        job.Time.Advance(TimeSpan.FromMinutes(15));

        Assert.That(await job.Warehouse.GetAsync(), Is.Not.SameAs(old));
        AuditEvent issued = job.Audit.Events.First(e => e.Kind == AuditEventKind.Issued);
        Assert.That((issued.UnusableFrom, issued.DiesAt), Is.EqualTo((issued.At.AddMinutes(15), (DateTimeOffset?)old.ExpiresAt)), "the audit states both ends");
    }

    [Test]
    public async Task A_grant_does_not_outlive_its_permit()
    {
        await using TestJob job = await TestJob.StartAsync();
        DateTimeOffset until = job.Time.GetUtcNow().AddMinutes(3);
        job.Policy.Decide = _ => AccessDecision.Permit("window", holdsUntil: until);
        await job.Warehouse.GetAsync();
        job.Policy.Decide = _ => AccessDecision.Deny("window", "closed");

        job.Time.Advance(TimeSpan.FromMinutes(3));

        Assert.ThrowsAsync<AccessDeniedException>(async () => await job.Warehouse.GetAsync());
    }

    [Test]
    public async Task A_credential_that_its_issuer_ties_to_the_proof_ends_with_the_proof()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Tied = true);
        BearerToken old = await job.Warehouse.GetAsync();   // the proof lives ten minutes

        job.Time.Advance(TimeSpan.FromMinutes(10));

        Assert.That(await job.Warehouse.GetAsync(), Is.Not.SameAs(old));
    }

    [Test]
    public async Task A_wall_clock_that_is_set_ahead_during_an_exchange_and_back_after_it_lengthens_no_life()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Life = TimeSpan.FromMinutes(10));
        DateTimeOffset right = job.Time.GetUtcNow();
        job.Issuer.Answer = _ =>
        {
            job.Time.SetWall(right.AddMinutes(20));   // an exchanger counts the life from here
            return new Issued<BearerToken>(job.Issuer.NewToken());
        };
        await job.Warehouse.GetAsync();
        job.Time.SetWall(right);
        Assert.That(job.Warehouse.TryGet(out _), "it is good");

        job.Time.Advance(TimeSpan.FromMinutes(10));

        Assert.That(job.Warehouse.TryGet(out _), Is.False);
    }

    [Test]
    public async Task How_long_the_intent_takes_to_be_recorded_is_in_the_clock_of_the_exchange()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Audit.Refuse = told =>
        {
            if (told.Kind == AuditEventKind.Exchanging)
                job.Time.Advance(TimeSpan.FromSeconds(1.5));
            return null;
        };
        DateTimeOffset? seen = null;
        job.Issuer.Answer = request =>
        {
            seen = request.Time.GetUtcNow();
            return new Issued<BearerToken>(job.Issuer.NewToken());
        };

        await job.Warehouse.GetAsync();

        Assert.That(seen, Is.EqualTo(job.Time.GetUtcNow()));
    }

    [Test]
    public async Task A_wall_clock_that_is_set_ahead_and_back_within_an_exchange_lengthens_no_life()
    {
        await using TestJob job = await TestJob.StartAsync();
        DateTimeOffset right = job.Time.GetUtcNow();
        job.Issuer.Answer = request =>
        {
            job.Time.SetWall(right.AddMinutes(20));
            DateTimeOffset ends = request.Time.GetUtcNow().AddMinutes(10);
            job.Time.SetWall(right);
            return new Issued<BearerToken>(new BearerToken(job.Issuer.NewToken().Reveal(), ends));
        };
        await job.Warehouse.GetAsync();

        job.Time.Advance(TimeSpan.FromMinutes(10));

        Assert.That(job.Warehouse.TryGet(out _), Is.False);
    }
}
