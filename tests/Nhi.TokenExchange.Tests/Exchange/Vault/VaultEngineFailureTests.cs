namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>A secrets engine of Vault that can't end what it made: Vault queues it behind the login's end, tries some times, gives up, and the secret works on.</summary>
internal sealed class VaultEngineFailureTests
{
    // "maxRevokeAttempts".
    private const int MostTries = 6;

    private static LeaseEnd EndOf(JobReport report, string target) => report.Leases.Single(lease => lease.Target == target).End;

    private static void HaveItGivenUp(VaultJob job, int leases = 1)
    {
        for (int tries = 0; tries < MostTries; tries++)
            job.Vault.EndQueuedLeases();
        Assert.That(job.Vault.IrrevocableLeases, Is.EqualTo(leases));
    }

    [TestCase("the job ends, and not each has its turn", 17)]
    [TestCase("the login is revoked", 1)]
    [TestCase("the policy changes", 3)]
    [TestCase("nobody may revoke leases", 1)]
    public async Task What_ends_behind_its_login_alone_is_told_as_not_revoked_and_the_next_start_ends_it(string when, int secrets)
    {
        string journals = Directory.CreateTempSubdirectory().FullName;
        try
        {
            var policy = new TestPolicy();
            await using VaultJob job = await VaultJob.StartAsync(more: b => b.Journal(journals).Policy(policy).EndWithin(TimeSpan.FromSeconds(3)));
            if (when == "nobody may revoke leases")
            {
                job.Role.Paths.Clear();
                job.Role.Paths.Add("database/*");
            }
            BearerToken login = await job.Login.GetAsync();
            for (int made = 0; made < secrets; made++)
                await job.Database.GetAsync(new CredentialRequest { Caller = new CredentialCaller($"client {made}", "psql") });
            job.SecretRole.CannotEnd = true;
            if (when == "the login is revoked")
                await job.Session.RevokeCredentialAsync(login, "drill");
            if (when == "the policy changes")
            {
                policy.Change("2", policy.Decide);
                await Eventually.HoldsAsync(() => job.Vault.OpenTokens == 0, "the login's end");
            }

            JobReport report = await job.Session.CompleteAsync();
            await job.Session.Released;
            HaveItGivenUp(job, secrets);

            Assert.That(report.Leases.Where(lease => lease.Target == "database").Select(lease => lease.End), Has.Exactly(secrets).Items.And.All.EqualTo(LeaseEnd.Failed), report.ToString());
            Assert.That((EndOf(report, "vault"), report.AllEnded), Is.EqualTo((LeaseEnd.Revoked, false)));
            Assert.That(job.Emulator.Ledger.Issued.Where(issue => job.Emulator.Ledger.IsAlive(issue.Fingerprint)).ToArray(), Has.Length.EqualTo(secrets), "whoever has a copy of one works on");
            Assert.That(job.Audit.Events.Where(one => one is { Target: "database", Kind: AuditEventKind.Expired }), Is.Empty);
            Assert.That(Directory.EnumerateFiles(journals).Count(), Is.EqualTo(1), "left to the next start");

            job.SecretRole.CannotEnd = false;
            job.Role.Paths.Add("*");
            RecoveryReport next = await job.RecoverAsync(journals, job.Audit);

            Assert.That(next.AllEnded, Is.True, next.ToString());
            Assert.That(next.Jobs.Single().Leases.Select(lease => lease.End), Has.Exactly(secrets).Items.And.All.EqualTo(LeaseEnd.Revoked));
            Assert.That((job.Vault.OpenTokens, job.Vault.OpenLeases), Is.EqualTo((0, 0)));
            Assert.That(Directory.EnumerateFiles(journals), Is.Empty);
        }
        finally
        {
            Directory.Delete(journals, recursive: true);
        }
    }

    [Test]
    public async Task What_Vault_gives_up_behind_its_login_is_told_as_not_revoked_and_the_next_start_ends_it()
    {
        string journals = Directory.CreateTempSubdirectory().FullName;
        try
        {
            await using VaultJob job = await VaultJob.StartAsync(more: b => b.Journal(journals).EndWithin(TimeSpan.FromSeconds(3)));
            VaultSecret secret = await job.Database.GetAsync();
            job.SecretRole.CannotEnd = true;

            JobReport report = await job.Session.CompleteAsync();
            await job.Session.Released;
            HaveItGivenUp(job);
            job.SecretRole.CannotEnd = false;
            job.Vault.EndQueuedLeases();

            Assert.That((EndOf(report, "vault"), EndOf(report, "database"), report.AllEnded), Is.EqualTo((LeaseEnd.Revoked, LeaseEnd.Failed, false)));
            Assert.That(report.ToString(), Does.Contain("failed to revoke entry").And.Contain(secret.Lease.Handle));
            Assert.That(job.Emulator.Ledger.IsAlive(secret.Fingerprint), Is.True, "whoever has a copy of it works on");
            Assert.That(Directory.EnumerateFiles(journals).Count(), Is.EqualTo(1), "left to the next start");

            RecoveryReport next = await job.RecoverAsync(journals, job.Audit);

            Assert.That((next.AllEnded, next.Jobs.Single().Leases.Single().End), Is.EqualTo((true, LeaseEnd.Revoked)));
            Assert.That((job.Emulator.Ledger.IsAlive(secret.Fingerprint), job.Vault.OpenLeases), Is.EqualTo((false, 0)));
            Assert.That(Directory.EnumerateFiles(journals), Is.Empty);
        }
        finally
        {
            Directory.Delete(journals, recursive: true);
        }
    }

    [Test]
    public async Task An_engine_that_is_down_for_a_moment_is_asked_again_before_the_login_ends()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        await job.Database.GetAsync();
        job.SecretRole.CannotEnd = true;
        HeldRequest first = job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultLease, HoldPoint.BeforeAnswer), second = job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultLease);

        Task<JobReport> ending = job.Session.CompleteAsync();
        await first.Reached;
        first.Release();
        Assert.That(await Task.WhenAny(second.Reached, ending), Is.SameAs(second.Reached), "it is asked again");
        job.SecretRole.CannotEnd = false;
        second.Release();
        JobReport report = await ending;

        Assert.That((EndOf(report, "vault"), EndOf(report, "database"), job.Vault.OpenLeases), Is.EqualTo((LeaseEnd.Revoked, LeaseEnd.Revoked, 0)));
    }

    // The back channel itself asks once more after a 500.
    [TestCase(1)]
    [TestCase(2)]
    public async Task A_login_that_dies_before_the_next_try_says_nothing_of_a_lease_that_failed(int failures)
    {
        await using VaultJob job = await VaultJob.StartAsync();
        VaultSecret secret = await job.Database.GetAsync();
        BearerToken login = await job.Login.GetAsync();
        job.SecretRole.CannotEnd = true;
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultLease, Fault.Vault(500, "no such luck"), failures);
        HeldRequest[] asked = [.. Enumerable.Range(0, failures + 1).Select(_ => job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultLease))];

        Task<LeaseEnd> ending = job.Session.RevokeCredentialAsync(secret, "leaked");
        foreach (HeldRequest one in asked[..failures])
        {
            await one.Reached;
            one.Release();
        }
        Assert.That(await Task.WhenAny(asked[failures].Reached, ending), Is.SameAs(asked[failures].Reached), "it is asked again");
        Assert.That(await job.OperateAsync(HttpMethod.Post, "auth/token/revoke", $$"""{"token":"{{login.Reveal()}}"}"""), Is.EqualTo(204));
        HaveItGivenUp(job);
        asked[failures].Release();
        LeaseEnd end = await ending;
        JobReport report = await job.Session.CompleteAsync();

        Assert.That((end, EndOf(report, "database"), report.AllEnded), Is.EqualTo((LeaseEnd.Failed, LeaseEnd.Failed, false)), "whoever asks again hears of the dead login alone");
        Assert.That(job.Emulator.Ledger.IsAlive(secret.Fingerprint), Is.True);
    }
}
