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

    [Test]
    public async Task A_login_at_its_maximum_whose_renewal_is_answered_when_it_is_of_no_use_any_more_is_followed_by_another()
    {
        var time = new SkippingTime();
        await using VaultJob job = await VaultJob.StartAsync(time);
        (job.Role.TokenTtl, job.Role.TokenMaxTtl) = (TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(40));
        BearerToken first = await job.Login.GetAsync();
        await job.QuietAsync();   // and the watch for its renewal has begun
        // Due after 15 s, of no use after 30, dead after 40; answered in between.
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultToken, Fault.Status(503, ("Retry-After", "7")), times: 3);
        DateTimeOffset issued = time.GetUtcNow();
        time.Advance(TimeSpan.FromSeconds(15));
        await Eventually.HoldsAsync(() => time.GetUtcNow() - issued > TimeSpan.FromSeconds(30), "the tries of the renewal that is due, and the waits between them");
        await job.QuietAsync();

        BearerToken next = await job.Login.GetAsync();

        Assert.That(job.Emulator.Ledger.IsAlive(first.Fingerprint), Is.True, "it was answered before its end");
        Assert.That(next.Fingerprint, Is.Not.EqualTo(first.Fingerprint));
        Assert.That(job.Audit.Events.Select(e => e.Code), Has.None.EqualTo("NHI5003"));
    }
}
