namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>What is held is renewed while the job runs, though nobody asks for it: a long query calls nothing.</summary>
internal sealed class VaultHeldRenewalTests
{
    private readonly ManualTimeProvider _time = new();

    [Test]
    public async Task One_call_and_then_only_time_the_lease_and_its_login_live_on_and_end_with_the_job()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        VaultSecret held = await job.HeldAsync();

        for (int renewal = 0; renewal < 8; renewal++)
        {
            _time.Advance(VaultJob.RefreshDue);
            await job.QuietAsync();
        }

        Assert.That(job.Emulator.Ledger.IsAlive(held.Fingerprint), Is.True, "the user of the long query");
        Assert.That(job.Emulator.Ledger.Issued, Has.Count.EqualTo(2), "one login, one lease");
        Assert.That(job.Emulator.Ledger.Issued.Select(issue => issue.Renewals), Is.All.InRange(7, 9));
        Assert.That(job.Audit.Kinds, Has.None.EqualTo(AuditEventKind.Refreshed).And.None.EqualTo(AuditEventKind.Failed));
        JobReport report = await job.Session.CompleteAsync();
        Assert.That((report.Leases.Count, report.AllEnded), Is.EqualTo((2, true)));
        int asked = Asked(job);
        _time.Advance(TimeSpan.FromHours(5));
        Assert.That((Asked(job), job.Vault.OpenLeases, job.Vault.OpenTokens), Is.EqualTo((asked, 0, 0)));
    }

    [Test]
    public async Task At_the_maximum_nothing_new_is_got_until_somebody_asks()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        job.SecretRole.MaxTtl = TimeSpan.FromMinutes(90);
        VaultSecret held = await job.Database.GetAsync();

        await PassAsync(job, minutes: 85);
        Assert.That(job.Emulator.Ledger.IsAlive(held.Fingerprint), Is.True, "to its maximum");
        await PassAsync(job, minutes: 120);

        Assert.That(job.Emulator.Ledger.IsAlive(held.Fingerprint), Is.False);
        Assert.That(job.Emulator.Ledger.Issued.Select(issue => issue.RevocationsAsked), Is.All.Zero, "the server had said that its end is what it was");
        Assert.That(job.Requests(EmulatorEndpoint.VaultSecret), Is.EqualTo(1));
        Assert.That(job.Requests(EmulatorEndpoint.VaultLease), Is.InRange(2, 5));
        VaultSecret next = await job.Database.GetAsync();
        Assert.That((job.Requests(EmulatorEndpoint.VaultSecret), job.Emulator.Ledger.IsAlive(next.Fingerprint)), Is.EqualTo((2, true)));
    }

    [Test]
    public async Task A_login_at_its_maximum_is_not_replaced_for_a_lease_that_nobody_asked_for()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        job.Role.TokenMaxTtl = TimeSpan.FromMinutes(90);
        await job.Database.GetAsync();

        await PassAsync(job, minutes: 200);

        Assert.That((job.Requests(EmulatorEndpoint.VaultLogin), job.Requests(EmulatorEndpoint.VaultSecret)), Is.EqualTo((1, 1)));
        VaultSecret next = await job.Database.GetAsync();
        Assert.That(job.Emulator.Ledger.IsAlive(next.Fingerprint), Is.True);
    }

    [Test]
    public async Task A_revoked_credential_is_renewed_no_more_and_nothing_takes_its_place()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        VaultSecret held = await job.Database.GetAsync();
        await job.Session.RevokeCredentialAsync(held, "leaked");
        int asked = job.Requests(EmulatorEndpoint.VaultLease);

        await PassAsync(job, minutes: 200);

        Assert.That((job.Requests(EmulatorEndpoint.VaultLease), job.Requests(EmulatorEndpoint.VaultSecret), job.Vault.OpenLeases), Is.EqualTo((asked, 1, 0)));
    }

    [Test]
    public async Task A_renewal_that_fails_is_tried_again_after_the_waits_of_any_refresh()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        VaultSecret held = await job.HeldAsync();
        job.Audit.Refuse = e => e is { Kind: AuditEventKind.Exchanging, Target: "database" } ? new IOException("full") : null;
        foreach (TimeSpan wait in new[] { VaultJob.RefreshDue, TimeSpan.FromSeconds(1) })
        {
            _time.Advance(wait);
            await job.QuietAsync();
        }
        int failed = job.Audit.Events.Count(e => e is { Kind: AuditEventKind.Failed, Target: "database" });
        job.Audit.Refuse = null;
        _time.Advance(TimeSpan.FromSeconds(1));
        await job.QuietAsync();

        Assert.That(failed, Is.EqualTo(2));
        Assert.That(job.Emulator.Ledger.Issued.Single(issue => issue.Fingerprint == held.Fingerprint).Renewals, Is.EqualTo(1));
    }

    [Test]
    public async Task Who_calls_when_what_is_held_is_over_waits_for_no_answer_to_its_renewal(
        [Values(EmulatorEndpoint.VaultToken, EmulatorEndpoint.VaultLease)] EmulatorEndpoint renewal, [Values] bool isAskedFor)
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        bool isLogin = renewal == EmulatorEndpoint.VaultToken;
        var life = TimeSpan.FromSeconds(70);   // it is handed out for 60, and renewed when 20 of them are left
        if (isLogin)
            job.Role.TokenTtl = life;
        else
            job.SecretRole.Ttl = life;
        async Task<Credential> GetAsync() => isLogin ? await job.Login.GetAsync() : await job.Database.GetAsync();
        Credential held = await GetAsync();
        await job.QuietAsync();
        HeldRequest asked = job.Emulator.Faults.HoldNext(renewal);
        if (isAskedFor)
            job.Audit.Refuse = e => e.Kind == AuditEventKind.Exchanging ? new IOException("full") : null;   // the first try fails, and a call comes before the job itself tries again
        _time.Advance(TimeSpan.FromSeconds(40));
        await (isAskedFor ? job.QuietAsync() : asked.Reached);
        job.Audit.Refuse = null;
        _time.Advance(TimeSpan.FromSeconds(0.6));
        Assert.That(await GetAsync(), Is.SameAs(held));
        await asked.Reached;

        _time.Advance(TimeSpan.FromSeconds(19.4));
        Task<Credential> called = GetAsync();
        _time.Advance(TimeSpan.FromSeconds(10));   // when any call is given up

        Credential next = await called;
        Assert.That(next.Fingerprint, Is.Not.EqualTo(held.Fingerprint));
        await job.QuietAsync();
        AuditEvent[] failed = [.. job.Audit.Events.Where(e => e.Kind == AuditEventKind.Failed)];
        Assert.That(failed.Select(e => e.Code), Is.EqualTo(new[] { isAskedFor ? ErrorCodes.NotRecorded : ErrorCodes.NothingToRenew }));
        Assert.That(failed[0].Reason, isAskedFor ? Is.Not.Null : Is.EqualTo("Host 127.0.0.1 gave no answer to a renewal until what it was to renew was over. Nothing came of its renewal; the next call gets another."));
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(report.Leases.Select(lease => lease.Fingerprint), Has.One.EqualTo(held.Fingerprint), "whose end nobody knows");
    }

    // A renewal that was not answered has its end watched; the next one was.
    [Test]
    public async Task The_first_end_of_a_login_that_was_renewed_takes_nothing_along_that_was_got_with_it()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        BearerToken login = await job.Login.GetAsync();
        VaultSecret held = await job.HeldAsync();
        job.Session.WatchAssumedEnd(login);
        for (int minute = 0; minute < 100; minute += 5)
        {
            _time.Advance(TimeSpan.FromMinutes(5));
            await job.QuietAsync();
            await job.Database.GetAsync();
        }

        Assert.That(job.Emulator.Ledger.IsAlive(held.Fingerprint), Is.True);
        Assert.That(job.Emulator.Ledger.Issued.Select(issue => issue.RevocationsAsked), Is.All.Zero);
    }

    private static int Asked(VaultJob job) =>
        job.Requests(EmulatorEndpoint.VaultLease) + job.Requests(EmulatorEndpoint.VaultToken) + job.Requests(EmulatorEndpoint.VaultSecret) + job.Requests(EmulatorEndpoint.VaultLogin);

    // The clock stands while the flights that it began are in the air.
    private async Task PassAsync(VaultJob job, int minutes)
    {
        for (int minute = 0; minute < minutes; minute += 5)
        {
            _time.Advance(TimeSpan.FromMinutes(5));
            await job.QuietAsync();
        }
    }
}
