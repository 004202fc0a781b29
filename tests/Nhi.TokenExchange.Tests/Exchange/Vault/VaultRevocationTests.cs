namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>How what Vault issued ends: with the job, by handle after a crash, and what is true where it does not.</summary>
internal sealed class VaultRevocationTests
{
    private static LeaseEnd EndOf(JobReport report, string target) => report.Leases.Single(lease => lease.Target == target).End;

    [Test]
    public async Task At_the_jobs_end_lease_and_login_are_ended_and_nothing_is_left()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        await job.Database.GetAsync();

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(EndOf(report, "vault"), Is.EqualTo(LeaseEnd.Revoked));
        Assert.That(EndOf(report, "database"), Is.AnyOf(LeaseEnd.Revoked, LeaseEnd.AlreadyGone), "whichever came first: the login takes its leases along");
        Assert.That((job.Vault.OpenTokens, job.Vault.OpenLeases), Is.EqualTo((0, 0)));
        Assert.That(job.Emulator.Ledger.Issued.Select(issue => issue.RevokedAt), Has.None.Null);
    }

    [Test]
    public async Task One_secret_is_ended_alone_and_its_login_lives_on()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        VaultSecret secret = await job.Database.GetAsync();

        LeaseEnd end = await job.Session.RevokeCredentialAsync(secret, "leaked");

        Assert.That((end, job.Vault.OpenLeases, job.Vault.OpenTokens), Is.EqualTo((LeaseEnd.Revoked, 0, 1)));
        Assert.That(await job.Database.GetAsync(), Is.Not.SameAs(secret));
    }

    [Test]
    public async Task A_login_that_may_not_revoke_leases_leaves_them_to_Vault_which_does_not_say_that_they_ended()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        job.Role.Paths.Clear();
        job.Role.Paths.Add("database/*");
        await job.Database.GetAsync();

        JobReport report = await job.Session.CompleteAsync();

        Assert.That((EndOf(report, "vault"), EndOf(report, "database"), report.AllEnded), Is.EqualTo((LeaseEnd.Revoked, LeaseEnd.Failed, false)));
        Assert.That(report.ToString(), Does.Contain("answered 403 at sys/leases/revoke").And.Contain("the credential of 'vault' that it was got through was ended, and its issuer may end it with that, but does not say so"));
        Assert.That(job.Requests(EmulatorEndpoint.VaultLease), Is.EqualTo(1), "what is not permitted is not tried again");
        Assert.That(job.Vault.OpenLeases, Is.Zero);
    }

    [Test]
    public async Task A_login_that_died_before_is_already_gone_and_nobody_said_that_its_leases_are()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        await job.Database.GetAsync();
        BearerToken login = await job.Login.GetAsync();
        await job.OperateAsync(HttpMethod.Post, "auth/token/revoke", $$"""{"token":"{{login.Reveal()}}"}""");

        JobReport report = await job.Session.CompleteAsync();

        Assert.That((EndOf(report, "vault"), EndOf(report, "database")), Is.EqualTo((LeaseEnd.AlreadyGone, LeaseEnd.Failed)));
    }

    [TestCase(500)]
    [TestCase(400)]
    [TestCase(404)]
    public async Task A_lease_whose_own_revocation_fails_is_not_said_to_be_gone_with_its_login_and_the_next_start_asks_for_it(int status)
    {
        string journals = Directory.CreateTempSubdirectory().FullName;
        try
        {
            await using VaultJob job = await VaultJob.StartAsync(more: b => b.Journal(journals).EndWithin(TimeSpan.FromSeconds(4)));
            string handle = (await job.Database.GetAsync()).Lease.Handle!;
            job.Emulator.Faults.Always(EmulatorEndpoint.VaultLease, Fault.Vault(status, "no such luck"));

            JobReport report = await job.Session.CompleteAsync();

            Assert.That((EndOf(report, "vault"), EndOf(report, "database"), report.AllEnded), Is.EqualTo((LeaseEnd.Revoked, LeaseEnd.Failed, false)));
            Assert.That(report.ToString(), Does.Contain("no such luck").And.Contain("the credential of 'vault' that it was got through was ended, and its issuer may end it with that, but does not say so").And.Contain(handle));
            AuditEvent told = job.Audit.Events.Single(one => one is { Target: "database", Kind: AuditEventKind.Orphaned });
            Assert.That((told.RevocationHandle, told.Code), Is.EqualTo((handle, "NHI4012")));
            await job.Session.Released;
            Assert.That(Directory.EnumerateFiles(journals).Count(), Is.EqualTo(1), "left to the next start");

            job.Emulator.Faults.Clear();
            RecoveryReport next = await job.RecoverAsync(journals, job.Audit);

            Assert.That((next.AllEnded, next.Jobs.Single().Leases.Single().End), Is.EqualTo((true, LeaseEnd.Revoked)), "it was asked for by itself");
            Assert.That(Directory.EnumerateFiles(journals), Is.Empty);
        }
        finally
        {
            Directory.Delete(journals, recursive: true);
        }
    }

    [Test]
    public async Task A_lease_whose_login_could_not_be_revoked_either_is_not_said_to_be_gone_and_why_and_by_which_handle_is_said()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        VaultSecret secret = await job.Database.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultLease, Fault.Vault(400, "no such luck"));
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultToken, Fault.Vault(400, "no such luck"));

        JobReport report = await job.Session.CompleteAsync();

        LeaseOutcome failed = report.Leases.Single(lease => lease.Target == "database");
        Assert.That((failed.End, failed.Handle), Is.EqualTo((LeaseEnd.Failed, secret.Lease.Handle)));
        Assert.That(failed.Reason, Is.EqualTo($"NHI4012: Host 127.0.0.1:{job.Vault.Address.Port} answered 400 at sys/leases/revoke: no such luck, in 1 try"));
        Assert.That(failed.ToString(), Does.Contain("NOT revoked (NHI4012: Host 127.0.0.1:").And.Contain($"handle {secret.Lease.Handle}, dies at"));
        Assert.That(report.ToString(), Does.Not.Contain(secret.Reveal("password")));
        AuditEvent told = job.Audit.Events.Single(one => one is { Target: "database", Kind: AuditEventKind.Orphaned });
        Assert.That((told.RevocationHandle, told.Code), Is.EqualTo((secret.Lease.Handle, "NHI4012")));
        Assert.That(job.Audit.Events.Single(one => one is { Target: "database", Kind: AuditEventKind.Issued }).RevocationHandle, Is.EqualTo(secret.Lease.Handle), "joins them");
    }

    [Test]
    public async Task A_login_that_is_revoked_while_the_job_runs_has_its_lease_revoked_before_it()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        await job.Database.GetAsync();
        await job.Session.RevokeCredentialAsync(await job.Login.GetAsync(), "drill");

        JobReport report = await job.Session.CompleteAsync();

        Assert.That((EndOf(report, "vault"), EndOf(report, "database"), report.AllEnded), Is.EqualTo((LeaseEnd.Revoked, LeaseEnd.Revoked, true)));
    }

    [Test]
    public async Task A_policy_that_changes_has_leases_revoked_before_their_login()
    {
        var policy = new TestPolicy();
        await using VaultJob job = await VaultJob.StartAsync(more: b => b.Policy(policy));
        await job.Database.GetAsync();
        HeldRequest ofTheLease = job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultLease), ofTheLogin = job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultToken);

        policy.Change("2", policy.Decide);
        Assert.That(await Task.WhenAny(ofTheLease.Reached, ofTheLogin.Reached), Is.SameAs(ofTheLease.Reached));
        ofTheLease.Release();
        await ofTheLogin.Reached;
        Assert.That(job.Vault.OpenLeases, Is.Zero, "it had ended when the login's turn came");
        ofTheLogin.Release();
        JobReport report = await job.Session.CompleteAsync();

        Assert.That((EndOf(report, "vault"), EndOf(report, "database"), report.AllEnded), Is.EqualTo((LeaseEnd.Revoked, LeaseEnd.Revoked, true)));
    }

    [Test]
    public async Task A_lease_of_a_batch_token_that_can_not_be_revoked_is_not_said_to_be_gone()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        job.Role.GivesBatchTokens = true;
        await job.Database.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultLease, Fault.Vault(400, "no such luck"));

        JobReport report = await job.Session.CompleteAsync();

        Assert.That((EndOf(report, "vault"), EndOf(report, "database")), Is.EqualTo((LeaseEnd.CannotBeRevoked, LeaseEnd.Failed)));
    }

    [TestCase(204, null, LeaseEnd.Revoked)]
    [TestCase(400, "invalid lease", LeaseEnd.AlreadyGone)]
    [TestCase(400, "lease not found", LeaseEnd.AlreadyGone)]
    [TestCase(404, "lease not found", LeaseEnd.AlreadyGone)]
    [TestCase(404, null, LeaseEnd.Failed)]
    [TestCase(400, "failed to parse JSON input", LeaseEnd.Failed)]
    [TestCase(405, "unsupported operation", LeaseEnd.Failed)]
    public async Task P56_What_Vault_says_of_a_lease_is_reported_as_it_is(int status, string? error, LeaseEnd end)
    {
        await using VaultJob job = await VaultJob.StartAsync();
        VaultSecret secret = await job.Database.GetAsync();
        if (status != 204)
            job.Emulator.Faults.Always(EmulatorEndpoint.VaultLease, Fault.Vault(status, error is null ? [] : [error]));

        Assert.That(await job.Session.RevokeCredentialAsync(secret, "test"), Is.EqualTo(end));
    }

    [Test]
    public async Task A_server_that_is_sealed_for_a_moment_is_asked_again_at_the_end()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        await job.Login.GetAsync();
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultToken, Fault.Vault(503, "Vault is sealed"), times: 3);

        JobReport report = await job.Session.CompleteAsync();

        Assert.That((EndOf(report, "vault"), job.Vault.OpenTokens), Is.EqualTo((LeaseEnd.Revoked, 0)));
    }

    [Test]
    public async Task A_login_that_is_revoked_takes_along_what_was_got_with_it()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        VaultSecret secret = await job.Database.GetAsync();
        await job.Session.RevokeCredentialAsync(await job.Login.GetAsync(), "for a test");

        VaultSecret next = await job.Database.GetAsync();

        Assert.That((job.Emulator.Ledger.IsAlive(secret.Fingerprint), job.Emulator.Ledger.IsAlive(next.Fingerprint)), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task A_login_that_the_policy_denies_at_its_refresh_takes_along_what_was_got_with_it()
    {
        var time = new ManualTimeProvider();
        var policy = new TestPolicy();
        await using VaultJob job = await VaultJob.StartAsync(time, more: b => b.Policy(policy));
        VaultSecret secret = await job.Database.GetAsync();
        await job.QuietAsync();   // and the watches for their renewals have begun
        policy.Decide = request => request.Target == "vault" ? AccessDecision.Deny("no-vault", "for a test") : AccessDecision.Permit("all");
        time.Advance(VaultJob.RefreshDue);
        await job.QuietAsync();
        job.Vault.EndQueuedLeases();

        Assert.That(job.Emulator.Ledger.IsAlive(secret.Fingerprint), Is.False);
        Assert.That(async () => await job.Database.GetAsync(), Throws.InstanceOf<AccessDeniedException>());
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(report.Leases.Where(lease => lease.Target == "database").Select(lease => lease.End), Is.Not.Empty.And.All.EqualTo(LeaseEnd.Revoked), report.ToString());
    }

    [TestCase("database/creds/readonly", null, LeaseEnd.Revoked)]
    [TestCase("database/creds/readonly", false, LeaseEnd.CannotBeRevoked)]
    [TestCase("aws/sts/deploy", null, LeaseEnd.CannotBeRevoked)]
    [TestCase("aws/sts/deploy", true, LeaseEnd.Revoked)]
    [TestCase("database/creds/sts", null, LeaseEnd.Revoked)]
    public async Task A_secret_is_revoked_where_it_ends_with_its_lease_and_else_the_lease_alone(string path, bool? endsWithLease, LeaseEnd end)
    {
        await using VaultJob job = await VaultJob.StartAsync(path: path, secret: o => o.EndsWithLease = endsWithLease);
        VaultSecret secret = await job.Database.GetAsync();

        Assert.That(await job.Session.RevokeCredentialAsync(secret, "for a test"), Is.EqualTo(end));
        Assert.That(job.Vault.OpenLeases, Is.Zero);
    }

    [TestCase(null, LeaseEnd.AlreadyGone)]
    [TestCase(false, LeaseEnd.CannotBeRevoked)]
    public async Task A_secret_that_outlives_its_lease_is_not_said_to_be_gone_with_its_login(bool? endsWithLease, LeaseEnd end)
    {
        await using VaultJob job = await VaultJob.StartAsync(secret: o => o.EndsWithLease = endsWithLease);
        VaultSecret secret = await job.Database.GetAsync();
        Assert.That(await job.Session.RevokeCredentialAsync(await job.Login.GetAsync(), "for a test"), Is.EqualTo(LeaseEnd.Revoked));

        Assert.That(await job.Session.RevokeCredentialAsync(secret, "for a test"), Is.EqualTo(end));
    }

    [Test]
    public async Task A_batch_token_cannot_be_revoked_and_the_report_says_when_it_dies()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        job.Role.GivesBatchTokens = true;
        BearerToken login = await job.Login.GetAsync();

        JobReport report = await job.Session.CompleteAsync();

        Assert.That((EndOf(report, "vault"), report.Leases.Single().DiesAt, job.Vault.OpenTokens), Is.EqualTo((LeaseEnd.CannotBeRevoked, login.ExpiresAt, 1)));
    }

    [Test]
    public async Task A_login_without_the_default_policy_is_not_said_to_be_gone()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        (job.Role.HasDefaultPolicy, _) = (false, job.Role.Paths.Remove("*"));
        await job.Login.GetAsync();

        JobReport report = await job.Session.CompleteAsync();

        Assert.That((EndOf(report, "vault"), job.Vault.OpenTokens), Is.EqualTo((LeaseEnd.Failed, 1)));
    }

    [Test]
    public async Task After_a_crash_the_next_job_ends_lease_and_login_by_their_handles_and_leaves_nothing_of_its_own()
    {
        await using VaultJob crashed = await VaultJob.StartAsync();
        string lease = (await crashed.Database.GetAsync()).Lease.Handle!;
        string accessor = (await crashed.Login.GetAsync()).Lease.Handle!;
        await using JobSession next = await crashed.AnotherAsync();

        Revocation ofLease = await next.Runtime("database").RevokeAsync(lease, CancellationToken.None);
        (int tokens, int leases) afterLease = (crashed.Vault.OpenTokens, crashed.Vault.OpenLeases);
        Revocation ofLogin = await next.Runtime("vault").RevokeAsync(accessor, CancellationToken.None);
        int afterLogin = crashed.Vault.OpenTokens;
        Revocation again = await next.Runtime("vault").RevokeAsync(accessor, CancellationToken.None);
        await next.CompleteAsync();

        Assert.That((ofLease, ofLogin, again), Is.EqualTo((Revocation.Revoked, Revocation.Revoked, Revocation.AlreadyGone)));
        Assert.That(afterLease, Is.EqualTo((2, 0)));
        Assert.That((afterLogin, crashed.Vault.OpenTokens), Is.EqualTo((1, 0)), "the next job's own login, and then nothing");
    }

    [Test]
    public async Task A_job_that_may_not_end_what_another_left_says_so_with_the_path_to_permit()
    {
        await using VaultJob crashed = await VaultJob.StartAsync();
        string accessor = (await crashed.Login.GetAsync()).Lease.Handle!;
        crashed.Role.Paths.Clear();
        await using JobSession next = await crashed.AnotherAsync();

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => next.Runtime("vault").RevokeAsync(accessor, CancellationToken.None).AsTask())!;

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo(("NHI4012", false)));
        Assert.That(refused.Message, Does.Contain("auth/token/revoke-accessor"));
        await next.CompleteAsync();
        Assert.That(crashed.Vault.OpenTokens, Is.EqualTo(1), "the next job's own login ended with it");
    }

    [Test]
    public async Task P55_A_thousand_jobs_leave_no_lease_open_in_Vault()
    {
        await using VaultJob first = await VaultJob.StartAsync();

        await Parallel.ForAsync(0, 1_000, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, cancellationToken) =>
        {
            await using JobSession job = await first.AnotherAsync();
            await job.Provider<VaultSecret>("database").GetAsync(cancellationToken);
        });

        Assert.That(first.Emulator.Ledger.Issued, Has.Count.EqualTo(2_000));
        Assert.That((first.Vault.OpenTokens, first.Vault.OpenLeases), Is.EqualTo((0, 0)));
    }
}
