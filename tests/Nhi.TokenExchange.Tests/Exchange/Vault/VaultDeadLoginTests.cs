namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>A secret whose login has died: its lease is revoked by id, with whatever login the job holds by then.</summary>
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
