namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>A login that has died: it is told as gone, and the leases of its secrets are revoked by id, with whatever login the job holds by then.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class VaultDeadLoginTests
{
    // "maxRevokeAttempts".
    private const int MostTries = 6;

    private readonly TestPolicy _policy = new();

    [Test]
    public async Task It_is_ended_with_the_login_that_the_job_holds_now([Values("the job ends", "the policy changes", "the job ends, at a server that says no more of a dead token than of a deny")] string when)
    {
        await using VaultJob job = await StartWithASecretOfADeadLoginAsync();
        await job.Login.GetAsync();
        if (when.Contains("no more", StringComparison.Ordinal))
            job.Emulator.Faults.Next(EmulatorEndpoint.VaultLease, Fault.Vault(403, "1 error occurred:\n\t* permission denied\n\n"));
        if (when == "the policy changes")
        {
            _policy.Change("2", _policy.Decide);
            await Eventually.HoldsAsync(() => job.Vault.OpenTokens == 0, "the end of the second login");
        }

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Single(lease => lease.Target == "database").End, Is.EqualTo(LeaseEnd.Revoked), report.ToString());
        Assert.That((report.AllEnded, job.Vault.OpenTokens, job.Vault.OpenLeases), Is.EqualTo((true, 0, 0)));
    }

    [Test]
    public async Task Where_the_job_holds_none_it_is_told_as_not_ended_and_no_login_is_made_for_it()
    {
        await using VaultJob job = await StartWithASecretOfADeadLoginAsync();

        JobReport report = await job.Session.CompleteAsync();

        LeaseOutcome secret = report.Leases.Single(lease => lease.Target == "database");
        Assert.That((secret.End, job.Vault.OpenLeases), Is.EqualTo((LeaseEnd.Failed, 1)), report.ToString());
        Assert.That(secret.Reason, Does.Contain("the credential of 'vault' that it was got through was ended, and its issuer may end it with that, but does not say so"));
        Assert.That(job.Emulator.Ledger.Issued, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_login_that_may_not_revoke_leases_is_told_with_what_to_permit()
    {
        await using VaultJob job = await StartWithASecretOfADeadLoginAsync();
        job.Role.Paths.Clear();
        job.Role.Paths.Add("database/*");
        await job.Login.GetAsync();

        JobReport report = await job.Session.CompleteAsync();

        LeaseOutcome secret = report.Leases.Single(lease => lease.Target == "database");
        Assert.That((secret.End, job.Requests(EmulatorEndpoint.VaultLease)), Is.EqualTo((LeaseEnd.Failed, 2)), "each login once");
        Assert.That(secret.Reason, Does.Contain("answered 403 at sys/leases/revoke").And.Contain("permission denied").And.Not.Contain("invalid token"));
    }

    [TestCase(true, LeaseEnd.AlreadyGone)]
    [TestCase(false, LeaseEnd.Failed, Description = "its role may do without the policy that lets it look after itself")]
    public async Task At_a_server_that_says_no_more_of_a_dead_token_than_of_a_deny_a_dead_login_is_gone_where_one_was_seen_to_end_itself(bool wasSeen, LeaseEnd end)
    {
        await using VaultJob job = await VaultJob.StartAsync();
        if (wasSeen)
            Assert.That(await job.Session.RevokeCredentialAsync(await job.Login.GetAsync(), "drill"), Is.EqualTo(LeaseEnd.Revoked));
        BearerToken login = await job.Login.GetAsync();
        await job.OperateAsync(HttpMethod.Post, "auth/token/revoke", $$"""{"token":"{{login.Reveal()}}"}""");
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultToken, Fault.Vault(403, "1 error occurred:\n\t* permission denied\n\n"));

        Assert.That(await job.Session.RevokeCredentialAsync(login, "drill"), Is.EqualTo(end));
    }

    [Test]
    public async Task A_login_that_lives_and_may_not_end_itself_is_not_said_to_be_gone()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        await job.Session.RevokeCredentialAsync(await job.Login.GetAsync(), "drill");
        BearerToken login = await job.Login.GetAsync();
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultToken, Fault.Vault(403, "1 error occurred:\n\t* permission denied\n\n"));

        Assert.That(await job.Session.RevokeCredentialAsync(login, "drill"), Is.EqualTo(LeaseEnd.Failed));
        Assert.That(job.Vault.OpenTokens, Is.EqualTo(1));
    }

    // The first answer may be Vault's own.
    [Test]
    public async Task A_login_is_not_gone_by_the_word_of_what_stands_before_the_server([Values] bool isVaultsFirst, [Values("JSON of another kind", "text")] string form)
    {
        Fault refusal = form == "text" ? Fault.Body("{\"errors\":[\"permission denied\"]}", "text/plain", 403) : Fault.Status(403);
        await using VaultJob job = await VaultJob.StartAsync();
        await job.Session.RevokeCredentialAsync(await job.Login.GetAsync(), "drill");
        BearerToken login = await job.Login.GetAsync();
        if (isVaultsFirst)
            job.Emulator.Faults.Next(EmulatorEndpoint.VaultToken, Fault.Vault(403, "1 error occurred:\n\t* permission denied\n\n"));
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultToken, refusal);

        Assert.That(await job.Session.RevokeCredentialAsync(login, "drill"), Is.EqualTo(LeaseEnd.Failed));
        Assert.That(job.Vault.OpenTokens, Is.EqualTo(1));
    }

    [Test]
    public async Task That_another_login_has_died_is_not_told_of_one_that_lives_and_may_not_revoke_leases()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        job.Role.Paths.Clear();
        job.Role.Paths.Add("database/*");
        VaultSecret secret = await job.Database.GetAsync();
        job.Login.Reject(await job.Login.GetAsync());
        BearerToken other = await job.Login.GetAsync();
        await job.OperateAsync(HttpMethod.Post, "auth/token/revoke", $$"""{"token":"{{other.Reveal()}}"}""");

        Assert.That(await job.Session.RevokeCredentialAsync(secret, "drill"), Is.EqualTo(LeaseEnd.Failed));
        Assert.That((job.Requests(EmulatorEndpoint.VaultLease), job.Vault.OpenTokens), Is.EqualTo((2, 1)), "each login once, and the first one lives");
        string? reason = job.Audit.Events.Single(one => one.Kind == AuditEventKind.Orphaned).Reason;
        Assert.That(reason, Does.Contain("permission denied").And.Not.Contain("invalid token").And.Not.Contain("was ended"));
    }

    // Its engine failed when Vault ended it behind its login, until Vault gave it up.
    private async Task<VaultJob> StartWithASecretOfADeadLoginAsync()
    {
        VaultJob job = await VaultJob.StartAsync(more: b => b.Policy(_policy));
        await job.Database.GetAsync();
        BearerToken login = await job.Login.GetAsync();
        job.SecretRole.CannotEnd = true;
        await job.OperateAsync(HttpMethod.Post, "auth/token/revoke", $$"""{"token":"{{login.Reveal()}}"}""");
        for (int tries = 0; tries < MostTries; tries++)
            job.Vault.EndQueuedLeases();
        job.SecretRole.CannotEnd = false;
        Assert.That((job.Vault.OpenTokens, job.Vault.IrrevocableLeases), Is.EqualTo((0, 1)), "the login is dead, and the secret is not");
        job.Login.Reject(login);
        return job;
    }
}
