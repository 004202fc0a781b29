namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>A lease or a token is renewed while the server gives more, then got anew; it stays one in the books.</summary>
internal sealed class VaultRenewalTests
{
    private readonly ManualTimeProvider _time = new();

    [Test]
    public async Task A_refresh_renews_the_lease_and_its_login_instead_of_making_others()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        VaultSecret first = await job.Database.GetAsync();
        BearerToken login = await job.Login.GetAsync();
        _time.Advance(VaultJob.RefreshDue);

        VaultSecret renewed = await job.RefreshedAsync();

        Assert.That(renewed, Is.Not.SameAs(first));
        Assert.That((renewed.Fingerprint, renewed.Reveal("password")), Is.EqualTo((first.Fingerprint, first.Reveal("password"))));
        Assert.That(renewed.ExpiresAt, Is.EqualTo(first.ExpiresAt + VaultJob.RefreshDue));
        Assert.That((await job.Login.GetAsync()).ExpiresAt, Is.EqualTo(login.ExpiresAt + VaultJob.RefreshDue));
        Assert.That(job.Emulator.Ledger.Issued.Select(issue => issue.Renewals), Is.EqualTo(new[] { 1, 1 }));
        Assert.That(job.Audit.Kinds.Count(kind => kind == AuditEventKind.Renewed), Is.EqualTo(2));
        Assert.That(job.Audit.Kinds, Has.None.EqualTo(AuditEventKind.Revoked).And.None.EqualTo(AuditEventKind.Refreshed));
        Assert.That(job.Session.Leases.CountLive(), Is.EqualTo(new Dictionary<string, long> { ["vault"] = 1, ["database"] = 1 }));
    }

    [Test]
    public async Task What_was_renewed_many_times_is_ended_once_and_reported_once()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        await job.Database.GetAsync();
        for (int refresh = 0; refresh < 5; refresh++)
        {
            _time.Advance(VaultJob.RefreshDue);
            await job.RefreshedAsync();
        }
        int before = job.Requests(EmulatorEndpoint.VaultLease);

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(lease => lease.Target), Is.EquivalentTo(new[] { "vault", "database" }));
        Assert.That(job.Requests(EmulatorEndpoint.VaultLease) - before, Is.EqualTo(1));
        Assert.That((job.Emulator.Ledger.Issued.Count, job.Vault.OpenTokens, job.Vault.OpenLeases), Is.EqualTo((2, 0, 0)));
    }

    [Test]
    public async Task At_its_maximum_a_lease_is_left_to_its_end_and_another_is_got()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        job.SecretRole.MaxTtl = TimeSpan.FromMinutes(90);
        VaultSecret first = await job.Database.GetAsync();
        var seen = new List<string> { first.Fingerprint };
        for (int minute = 0; minute < 170; minute += 5)
        {
            _time.Advance(TimeSpan.FromMinutes(5));
            VaultSecret secret = await job.RefreshedAsync();
            Assert.That(job.Emulator.Ledger.IsAlive(secret.Fingerprint), Is.True, $"minute {minute + 5}");
            if (seen[^1] != secret.Fingerprint)
                seen.Add(secret.Fingerprint);
        }

        // Renewed at 40 to 90 minutes; no more is given at some point of the second half, and the next one is got.
        Assert.That(seen, Has.Count.InRange(3, 4));
        Assert.That(job.Requests(EmulatorEndpoint.VaultLease), Is.LessThanOrEqualTo(3 * seen.Count));
    }

    [Test]
    public async Task A_lease_of_a_login_that_was_replaced_is_not_renewed_but_got_anew()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        VaultSecret first = await job.Database.GetAsync();
        job.Login.Reject(await job.Login.GetAsync());
        _time.Advance(VaultJob.RefreshDue);

        VaultSecret next = await job.RefreshedAsync();

        Assert.That(next.Fingerprint, Is.Not.EqualTo(first.Fingerprint));
        Assert.That((job.Requests(EmulatorEndpoint.VaultLease), job.Requests(EmulatorEndpoint.VaultLogin)), Is.EqualTo((0, 2)));
    }

    [TestCase(403, "permission denied")]
    [TestCase(400, "lease not found")]
    [TestCase(400, "lease is not renewable")]
    [TestCase(404, null)]
    public async Task P28_A_renewal_that_is_refused_is_one_try_and_then_one_exchange(int status, string? error)
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        VaultSecret first = await job.Database.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultLease, Fault.Vault(status, error is null ? [] : [error]));
        _time.Advance(VaultJob.RefreshDue);

        VaultSecret next = await job.RefreshedAsync();
        for (int call = 0; call < 100; call++)
            Assert.That(await job.Database.GetAsync(), Is.SameAs(next));
        await job.QuietAsync();

        Assert.That(next.Fingerprint, Is.Not.EqualTo(first.Fingerprint));
        Assert.That((job.Requests(EmulatorEndpoint.VaultLease), job.Requests(EmulatorEndpoint.VaultSecret)), Is.EqualTo((1, 2)));
    }

    [Test]
    public async Task P28_A_login_whose_renewal_is_refused_is_got_anew_once()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        BearerToken first = await job.Login.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultToken, Fault.Vault(403, "permission denied"));
        _time.Advance(VaultJob.RefreshDue);
        await job.QuietAsync();
        await job.Login.GetAsync();
        await job.QuietAsync();

        Assert.That((await job.Login.GetAsync()).Fingerprint, Is.Not.EqualTo(first.Fingerprint));
        Assert.That((job.Requests(EmulatorEndpoint.VaultToken), job.Requests(EmulatorEndpoint.VaultLogin)), Is.EqualTo((1, 2)));
    }

    [TestCase(503)]
    [TestCase(412)]
    [TestCase(429)]
    public async Task P29_A_renewal_that_fails_in_passing_leaves_the_lease_and_makes_no_other(int status)
    {
        var time = new SkippingTime();
        await using VaultJob job = await VaultJob.StartAsync(time);
        VaultSecret held = await job.Database.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultLease, Fault.Vault(status, "in passing"));
        time.Advance(VaultJob.RefreshDue);

        Assert.That(await job.RefreshedAsync(), Is.SameAs(held));
        Assert.That(job.Requests(EmulatorEndpoint.VaultSecret), Is.EqualTo(1));
        job.Emulator.Faults.Clear();
        time.Advance(TimeSpan.FromSeconds(2));

        Assert.That((await job.RefreshedAsync()).ExpiresAt, Is.GreaterThan(held.ExpiresAt));
        Assert.That(job.Emulator.Ledger.Issued, Has.Count.EqualTo(2));
    }

    [TestCase("vault")]
    [TestCase("database")]
    public async Task What_a_policy_lets_live_shorter_than_what_is_held_is_not_renewed_for_that_would_cut_it(string target)
    {
        var policy = new TestPolicy { Decide = asked => AccessDecision.Permit("all", maxLifetime: asked.IsRefresh && asked.Target == target ? TimeSpan.FromMinutes(10) : null) };
        await using VaultJob job = await VaultJob.StartAsync(_time, more: b => b.Policy(policy));
        VaultSecret secret = await job.Database.GetAsync();
        Credential held = target == "vault" ? await job.Login.GetAsync() : secret;
        // Nothing new is to be had, so what is held is handed out to its end.
        job.Emulator.Faults.Always(target == "vault" ? EmulatorEndpoint.VaultLogin : EmulatorEndpoint.VaultSecret, Fault.Vault(400, "role is not there"));
        _time.Advance(VaultJob.RefreshDue);
        await job.QuietAsync();
        await AskAsync();
        await job.QuietAsync();
        _time.Advance(TimeSpan.FromMinutes(12));

        Assert.That(await AskAsync(), Is.SameAs(held));
        Assert.That(job.Emulator.Ledger.IsAlive(held.Fingerprint), Is.True, "it is what it was said to be");

        async Task<Credential> AskAsync() => target == "vault" ? await job.Login.GetAsync() : await job.Database.GetAsync();
    }

    [Test]
    public async Task Who_revokes_the_object_that_was_renewed_ends_the_lease_and_it_is_handed_out_no_more()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        VaultSecret first = await job.Database.GetAsync();
        _time.Advance(VaultJob.RefreshDue);
        VaultSecret renewed = await job.RefreshedAsync();

        LeaseEnd end = await job.Session.RevokeCredentialAsync(first, "leaked");

        Assert.That((end, job.Vault.OpenLeases), Is.EqualTo((LeaseEnd.Revoked, 0)));
        VaultSecret next = await job.Database.GetAsync();
        Assert.That(next.Fingerprint, Is.Not.EqualTo(renewed.Fingerprint));
    }

    [Test]
    public async Task What_is_revoked_while_its_renewal_is_recorded_is_not_handed_out_again()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        BearerToken leaked = await job.Login.GetAsync();
        using var recording = new Gate();
        job.Audit.Hold = e => e is { Kind: AuditEventKind.Renewed } ? recording.PassAsync() : Task.CompletedTask;
        _time.Advance(VaultJob.RefreshDue);
        await job.Login.GetAsync();
        await recording.Reached;

        LeaseEnd end = await job.Session.RevokeCredentialAsync(leaked, "leaked");
        Task<BearerToken> asking = job.Login.GetAsync().AsTask();
        recording.Open();
        BearerToken next = await asking;
        await job.QuietAsync();

        Assert.That((end, job.Emulator.Ledger.IsAlive(leaked.Fingerprint)), Is.EqualTo((LeaseEnd.Revoked, false)));
        Assert.That(next.Fingerprint, Is.Not.EqualTo(leaked.Fingerprint));
        Assert.That((await job.Login.GetAsync(), job.Vault.OpenTokens), Is.EqualTo((next, 1)));
    }

    [Test]
    public async Task What_is_revoked_while_the_server_renews_it_is_not_handed_out_again()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        BearerToken leaked = await job.Login.GetAsync();
        HeldRequest renewing = job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultToken, HoldPoint.BeforeAnswer);
        _time.Advance(VaultJob.RefreshDue);
        await job.Login.GetAsync();
        await renewing.Reached;

        await job.Session.RevokeCredentialAsync(leaked, "leaked");
        Task<BearerToken> asking = job.Login.GetAsync().AsTask();
        renewing.Release();
        BearerToken next = await asking;
        await job.QuietAsync();

        Assert.That((job.Emulator.Ledger.IsAlive(leaked.Fingerprint), job.Emulator.Ledger.IsAlive(next.Fingerprint)), Is.EqualTo((false, true)));
        Assert.That((await job.Login.GetAsync(), job.Vault.OpenTokens), Is.EqualTo((next, 1)), "nothing is left of what came meanwhile");
        Assert.That(job.Emulator.Ledger.Issued.Single(issue => issue.Fingerprint == leaked.Fingerprint).RevocationsAsked, Is.EqualTo(1), "one thing at the server");
    }

    [Test]
    public async Task A_renewal_that_can_not_be_recorded_takes_nothing_away_and_is_ended_with_the_job_though_its_first_end_has_passed()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        VaultSecret held = await job.Database.GetAsync();
        job.Audit.Refuse = e => e is { Kind: AuditEventKind.Renewed, Target: "database" } ? new IOException("full") : null;
        _time.Advance(VaultJob.RefreshDue);

        Assert.That(await job.RefreshedAsync(), Is.SameAs(held));
        Assert.That(job.Vault.OpenLeases, Is.EqualTo(1), "what is handed out still was not revoked");
        _time.Advance(TimeSpan.FromMinutes(21));
        await job.QuietAsync();
        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Single(lease => lease.Target == "database").End, Is.AnyOf(LeaseEnd.Revoked, LeaseEnd.AlreadyGone));
        Assert.That((job.Vault.OpenLeases, job.Vault.OpenTokens), Is.EqualTo((0, 0)));
        Assert.That(job.Emulator.Ledger.Issued.Single(issue => issue.Fingerprint == held.Fingerprint).RevokedAt, Is.Not.Null);
    }

    [Test]
    public async Task A_login_whose_renewal_was_not_answered_is_ended_at_the_end_that_is_known_of_it()
    {
        var time = new SkippingTime();
        await using VaultJob job = await VaultJob.StartAsync(time);
        BearerToken login = await job.Login.GetAsync();
        await job.QuietAsync();   // and the watch for its renewal has begun
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultToken, Fault.ResetAfterWork(), times: 5);   // as often as one renewal is tried
        time.Advance(VaultJob.RefreshDue);
        await job.QuietAsync();
        Assert.That(job.Emulator.Ledger.Issued.Single().EndsAt, Is.GreaterThan(login.ExpiresAt.AddMinutes(30)), "it lives longer than its job knows");
        job.Audit.Refuse = e => e is { Kind: AuditEventKind.Exchanging } ? new IOException("full") : null;   // no renewal more

        time.Advance(TimeSpan.FromMinutes(21));

        await Eventually.HoldsAsync(() => job.Vault.OpenTokens == 0, "its end at the server");
        await Eventually.HoldsAsync(() => job.Audit.Events.Any(e => e.Kind == AuditEventKind.Revoked && e.Fingerprint == login.Fingerprint), "the record of it");
    }

    [Test]
    public async Task A_policy_that_changes_while_a_lease_is_renewed_ends_it()
    {
        var policy = new TestPolicy();
        await using VaultJob job = await VaultJob.StartAsync(_time, more: b => b.Policy(policy));
        await job.Database.GetAsync();
        HeldRequest held = job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultLease, HoldPoint.BeforeAnswer);
        _time.Advance(VaultJob.RefreshDue);
        await job.Database.GetAsync();
        await held.Reached;
        policy.Change("2", _ => AccessDecision.Permit("all"));
        held.Release();
        await job.QuietAsync();

        Assert.That(job.Vault.OpenLeases, Is.Zero);
        Assert.That(job.Emulator.Ledger.IsAlive((await job.Database.GetAsync()).Fingerprint), Is.True);
    }
}
