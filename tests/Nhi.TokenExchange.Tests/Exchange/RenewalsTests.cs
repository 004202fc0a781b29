namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>When a server that was asked to lengthen a life has given more.</summary>
internal sealed class RenewalsTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    [TestCase(100, 200, true, Description = "the whole life once more")]
    [TestCase(180, 200, true, Description = "a tenth of what is left")]
    [TestCase(181, 200, false, Description = "less")]
    [TestCase(200, 200, false, Description = "at the maximum")]
    [TestCase(200, 199, false, Description = "at the maximum, rounded")]
    [TestCase(-2, -1, false, Description = "at the maximum, answered when it was of no use any more")]
    [TestCase(-1, 0, false, Description = "of use until now")]
    [TestCase(-1, 2, false, Description = "of use for no longer than a slot's clock takes off")]
    [TestCase(-1, 3, true, Description = "in time though it had ended as far as was known")]
    public void A_tenth_of_a_life_that_is_not_over_is_more(int heldUntil, int renewedUntil, bool isMore) =>
        Assert.That(Renewals.GivesMore(Now.AddSeconds(heldUntil), Now.AddSeconds(renewedUntil), Now), Is.EqualTo(isMore));

    // Seconds: the end so far, the end that was given, and from when that is of no use; it is the tenth.
    [TestCase(100.0, 97.0, 87.0, false, Description = "as much as two answers in cut seconds differ")]
    [TestCase(100.0, 96.999, 87.0, true)]
    [TestCase(100.0, 20.0, 12.0, false, Description = "of no use for longer than a slot's clock takes off")]
    [TestCase(100.0, 20.0, 12.001, true)]
    [TestCase(100.0, 100.0, 90.0, false)]
    [TestCase(100.0, 200.0, 190.0, false)]
    public void An_end_that_is_sooner_by_more_than_roundings_is_sooner(double held, double renewed, double usable, bool isSooner) =>
        Assert.That(Renewals.EndsSooner(Now.AddSeconds(held), Now.AddSeconds(renewed), Now.AddSeconds(usable), Now.AddSeconds(10)), Is.EqualTo(isSooner));

    [Test]
    public void What_comes_of_a_renewal_is_told()
    {
        TokenExchangeException noMore = Renewals.NoMore("warehouse"), lost = Renewals.Lost("warehouse");

        using (Assert.EnterMultipleScope())
        {
            Assert.That((noMore.Code, noMore.Stage, noMore.Detail), Is.EqualTo((ErrorCodes.NothingToRenew, ExchangeStage.Exchange, "The issuer gives the held credential no longer life. It is used on to its end; the next call gets another.")));
            Assert.That((noMore.Target, noMore.IsTransient, noMore.SaysNoMore, noMore.IsDeadAtIssuer), Is.EqualTo(("warehouse", false, true, false)));
            Assert.That((lost.Code, lost.Stage, lost.Detail), Is.EqualTo((ErrorCodes.DeadOnArrival, ExchangeStage.Verify, "The credential was ended while it was renewed.")));
            Assert.That((lost.Target, lost.IsTransient, lost.SaysNoMore, lost.IsRenewalForNothing), Is.EqualTo(("warehouse", true, false, true)));
        }
    }

    [TestCase(0, true)]
    [TestCase(-1, false, Description = "a tick more than roundings and a slow request make")]
    public async Task What_is_held_serves_on_unless_it_ends_three_seconds_sooner(int ticks, bool servesOn)
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken held = await job.Warehouse.GetAsync();
        var renewal = new Renewal(job.Session, held);
        Assert.That(await renewal.TryBeginAsync(CancellationToken.None), Is.True);

        renewal.GaveNoMore(held.ExpiresAt.AddSeconds(-3).AddTicks(ticks));

        Assert.That(job.Warehouse.TryGet(out _), Is.EqualTo(servesOn));
    }

    [Test]
    public async Task What_somebody_ends_is_not_renewed()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken held = await job.Warehouse.GetAsync();
        await job.Session.RevokeCredentialAsync(held, "it leaked");

        Assert.That(await new Renewal(job.Session, held).TryBeginAsync(CancellationToken.None), Is.False);
    }

    [TestCase(0, false)]
    [TestCase(1, false, Description = "rounded")]
    [TestCase(-1, false, Description = "rounded")]
    [TestCase(5, true, Description = "less than a tenth more, which is not taken")]
    [TestCase(-20, true, Description = "the wall clock was set back")]
    public async Task An_answer_that_gives_no_more_leaves_the_end_certain_only_where_it_says_the_same(int seconds, bool isUncertain)
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = asked =>
        {
            if (asked.Held is not { } renewing)
                return new Issued<BearerToken>(job.Issuer.NewToken()) { RevocationHandle = "lease/1" };
            Assert.That(Blocking.Wait(asked.Renewal!.TryBeginAsync(CancellationToken.None).AsTask()), Is.True);
            Assert.That(renewing.Lease.EndIsUncertain, Is.True, "until it has answered");
            asked.Renewal.GaveNoMore(renewing.ExpiresAt.AddSeconds(seconds));
            throw Renewals.NoMore("warehouse");
        };
        BearerToken held = await job.Warehouse.GetAsync();
        job.Time.Advance(TimeSpan.FromMinutes(45));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();

        Assert.That(held.Lease.EndIsUncertain, Is.EqualTo(isUncertain));
    }

    [TestCase(-10, true, Description = "set back by what the issuer gave: the end reads the same, and comes later")]
    [TestCase(10, true)]
    [TestCase(0, false)]
    public async Task An_end_that_reads_the_same_on_a_clock_that_was_set_is_not_the_same(int setBySeconds, bool isUncertain)
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = asked =>
        {
            if (asked.Held is not { } renewing)
                return new Issued<BearerToken>(job.Issuer.NewToken()) { RevocationHandle = "lease/1" };
            Assert.That(Blocking.Wait(asked.Renewal!.TryBeginAsync(CancellationToken.None).AsTask()), Is.True);
            asked.Renewal.GaveNoMore(renewing.ExpiresAt);
            throw Renewals.NoMore("warehouse");
        };
        BearerToken held = await job.Warehouse.GetAsync();
        job.Time.Advance(TimeSpan.FromMinutes(45));
        job.Time.SetWall(job.Time.GetUtcNow().AddSeconds(setBySeconds));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();

        Assert.That(held.Lease.EndIsUncertain, Is.EqualTo(isUncertain));
    }

    [Test]
    public async Task What_is_handed_out_is_dropped_for_an_end_that_is_sooner_than_its_own_alone()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken held = await job.Warehouse.GetAsync();
        job.Issuer.Answer = asked => new Issued<BearerToken>(new BearerToken(((BearerToken)asked.Held!).Reveal(), job.Time.GetUtcNow().AddHours(1))) { IsRenewal = true };
        job.Audit.Refuse = e => e.Kind == AuditEventKind.Renewed ? new IOException("full") : null;
        job.Time.Advance(TimeSpan.FromMinutes(45));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();   // a renewal that ends 45 minutes later stands in the books, and is handed out to nobody
        job.Audit.Refuse = null;
        bool wasAsked = false;
        job.Issuer.Answer = asked =>
        {
            Assert.That(Blocking.Wait(asked.Renewal!.TryBeginAsync(CancellationToken.None).AsTask()), Is.True);
            asked.Renewal.GaveNoMore(held.ExpiresAt.AddMinutes(1));
            wasAsked = true;
            throw new TokenExchangeException(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, "The issuer is away.") { IsTransient = true };
        };
        job.Time.Advance(TimeSpan.FromMinutes(2));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();

        Assert.That(wasAsked, Is.True);
        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(held), "its own end is as it was");
    }

    [Test]
    public async Task The_answer_to_a_renewal_that_was_given_up_makes_nothing_certain_while_the_next_is_in_the_air()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken held = await job.Warehouse.GetAsync();
        Renewal givenUp = new(job.Session, held), next = new(job.Session, held);
        Assert.That(await givenUp.TryBeginAsync(CancellationToken.None), Is.True);
        givenUp.Settle();
        Assert.That(await next.TryBeginAsync(CancellationToken.None), Is.True);

        givenUp.GaveNoMore(held.ExpiresAt);

        Assert.That(held.Lease.EndIsUncertain, Is.True);
    }

    [Test]
    public async Task A_login_at_its_maximum_whose_renewal_is_answered_when_it_is_of_next_to_no_use_is_followed_by_another()
    {
        var time = new SkippingTime();
        await using VaultJob job = await VaultJob.StartAsync(time);
        (job.Role.TokenTtl, job.Role.TokenMaxTtl) = (TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(40));
        BearerToken first = await job.Login.GetAsync();
        await job.QuietAsync();   // and the watch for its renewal has begun
        // Due after 15 s, of no use after 30, dead after 40; answered in the last two seconds that it is of use.
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultToken, Fault.Status(503, ("Retry-After", "7")), times: 2);
        DateTimeOffset issued = time.GetUtcNow();
        time.Advance(TimeSpan.FromSeconds(15));
        await Eventually.HoldsAsync(() => time.GetUtcNow() - issued > TimeSpan.FromSeconds(28), "the tries of the renewal that is due, and the waits between them");
        await job.QuietAsync();
        Assert.That(job.Requests(EmulatorEndpoint.VaultToken), Is.EqualTo(3));
        time.Advance(TimeSpan.FromSeconds(2));

        BearerToken next = await job.Login.GetAsync();

        Assert.That(job.Emulator.Ledger.IsAlive(first.Fingerprint), Is.True, "it is over, and not dead");
        Assert.That(next.Fingerprint, Is.Not.EqualTo(first.Fingerprint));
        Assert.That(job.Audit.Events.Select(e => e.Code), Has.None.EqualTo("NHI5003"));
    }

    [Test]
    public async Task What_an_issuer_wants_to_be_waited_for_at_a_renewal_is_not_waited_for_when_what_is_held_is_over()
    {
        var time = new SkippingTime();
        await using VaultJob job = await VaultJob.StartAsync(time);
        job.Role.TokenTtl = TimeSpan.FromSeconds(40);
        BearerToken first = await job.Login.GetAsync();
        await job.QuietAsync();
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultToken, Fault.Status(503, ("Retry-After", "7")), times: 3);   // a fourth would be answered
        DateTimeOffset issued = time.GetUtcNow();
        time.Advance(TimeSpan.FromSeconds(15));
        await Eventually.HoldsAsync(() => time.GetUtcNow() - issued >= TimeSpan.FromSeconds(30), "the end of the third wait");
        await job.QuietAsync();

        Assert.That((await job.Login.GetAsync()).Fingerprint, Is.Not.EqualTo(first.Fingerprint));
        Assert.That(time.Waits.Take(3), Is.All.EqualTo(TimeSpan.FromSeconds(7)), "tried at 15, 22 and 29 s");
        Assert.That(
            job.Audit.Events.Single(e => e.Kind == AuditEventKind.Failed).Reason,
            Does.StartWith("Host 127.0.0.1:").And.EndsWith(" answered 503 at /v1/auth/token/renew-self. Nothing came of its renewal; the next call gets another."));
    }
}
