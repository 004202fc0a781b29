namespace Nhi.TokenExchange.Tests;

/// <summary>Credentials whose issuers do not say when they end (RFC 6749 §5.1): they may live on after the end that is assumed.</summary>
[Parallelizable]
public class AssumedEndTests
{
    private static readonly TimeSpan AssumedLife = TimeSpan.FromMinutes(5);

    [Test]
    public async Task It_is_revoked_at_that_end_though_nobody_asks_for_another()
    {
        var time = new ManualTimeProvider();
        await using EmulatedJob job = await EmulatedJob.StartAsync(time);
        job.Emulator.Faults.Always(EmulatorEndpoint.AuthorizationToken, Fault.Without("expires_in"));
        BearerToken token = await job.Warehouse.GetAsync();
        time.Advance(AssumedLife - TimeSpan.FromSeconds(2));
        Assert.That(job.Emulator.Ledger.IsAlive(token.Fingerprint));
        time.Advance(TimeSpan.FromSeconds(4));

        await Eventually.HoldsAsync(() => !job.Emulator.Ledger.IsAlive(token.Fingerprint), "its revocation");
    }

    [Test]
    public async Task What_was_renewed_before_that_end_is_not_revoked_at_it()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = asked => asked.Held is BearerToken held
            ? new Issued<BearerToken>(new BearerToken(held.Reveal(), job.Time.GetUtcNow().AddHours(1))) { IsRenewal = true, RevocationHandle = asked.HeldHandle }
            : new Issued<BearerToken>(job.Issuer.NewToken(AssumedLife)) { EndIsAssumed = true, RevocationHandle = $"lease/{job.Issuer.Issued.Count}" };
        BearerToken first = await job.Warehouse.GetAsync();
        BearerToken other = await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of("read") });   // nobody asks for it again
        job.Time.Advance(AssumedLife / 2);
        await job.Warehouse.GetAsync();
        await job.QuietAsync();
        BearerToken renewed = await job.Warehouse.GetAsync();
        Assert.That(renewed, Is.Not.SameAs(first));

        job.Time.Advance(AssumedLife);
        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Contains(other), "the end of the one that was not renewed");
        Assert.That(job.Issuer.Revoked, Is.EqualTo(new[] { other }));
        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (renewed.Fingerprint, LeaseEnd.Revoked) }));
        Assert.That(job.Issuer.Revoked, Is.EqualTo(new[] { other, renewed }));
    }

    [Test]
    public async Task The_jobs_end_revokes_a_credential_whose_assumed_end_is_over_by_the_wall_alone()
    {
        await using TestJob job = await StartAsync();
        BearerToken token = await job.Warehouse.GetAsync();
        job.Time.SetWall(job.Time.GetUtcNow() + (2 * AssumedLife));

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (token.Fingerprint, LeaseEnd.Revoked) }));
    }

    [Test]
    public async Task One_whose_end_is_asked_for_when_the_job_ends_is_in_the_job_s_report()
    {
        var gate = new Gate();
        await using TestJob job = await StartAsync(async _ =>
        {
            await gate.PassAsync();
            return Revocation.Revoked;
        });
        using Gate opened = gate;
        BearerToken token = await job.Warehouse.GetAsync();
        job.Time.Advance(AssumedLife + TimeSpan.FromSeconds(2));
        await gate.Reached;   // at the end that is assumed, and not answered yet

        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => job.Session.Ended.IsCancellationRequested, "the job's end");
        gate.Open();
        JobReport report = await ending;

        Assert.That(report.Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (token.Fingerprint, LeaseEnd.Revoked) }));
    }

    [Test]
    public async Task What_failed_before_is_not_pushed_out_by_them()
    {
        BearerToken? failed = null;
        await using TestJob job = await StartAsync(asked =>
            asked.Credential == (failed ??= asked.Credential) ? throw new TokenExchangeException("NHI6001", ExchangeStage.Revoke, "This client may not revoke.") : Task.FromResult(Revocation.NotSupported));
        Assert.That(await job.Session.RevokeCredentialAsync(await job.Warehouse.GetAsync(), "drill"), Is.EqualTo(LeaseEnd.Failed));
        await IssueAsync(job, 1_100);

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.AllEnded, Is.False);
        Assert.That(report.Leases.Where(lease => lease.End == LeaseEnd.Failed).Select(lease => lease.Fingerprint), Is.EqualTo(new[] { failed!.Fingerprint }));
    }

    [Test]
    public async Task What_lives_longer_than_our_clock_says_because_that_was_set_ahead_is_revoked_at_the_jobs_end()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ =>
        {
            DateTimeOffset end = job.Time.GetUtcNow().AddMinutes(10);   // counted from when it was asked
            job.Time.SetWall(job.Time.GetUtcNow().AddMinutes(5));
            return new Issued<BearerToken>(new BearerToken(job.Issuer.NewToken(TimeSpan.FromMinutes(10)).Reveal(), end));
        };
        BearerToken token = await job.Warehouse.GetAsync();
        job.Time.Advance(TimeSpan.FromMinutes(6));

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (token.Fingerprint, LeaseEnd.Revoked) }));
    }

    [Test]
    public async Task A_long_job_revokes_them_at_their_assumed_ends_and_lists_no_more_than_were_left()
    {
        await using TestJob job = await StartAsync();
        await IssueAsync(job, 64);

        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count == 63, "63 revocations");
        JobReport report = await job.Session.CompleteAsync();

        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
        Assert.That(job.Audit.Events.Count(one => one.Kind == AuditEventKind.Revoked), Is.EqualTo(64));
        Assert.That(report.Leases.Select(lease => lease.End), Is.EqualTo(new[] { LeaseEnd.Revoked }));
    }

    [TestCase(Revocation.NotSupported, LeaseEnd.CannotBeRevoked)]
    [TestCase(null, LeaseEnd.Failed)]
    public async Task What_could_not_be_revoked_at_its_assumed_end_is_listed_and_said_to_be_a_guess(Revocation? answer, LeaseEnd end)
    {
        await using TestJob job = await StartAsync(_ => answer is { } said ? Task.FromResult(said) : throw new TokenExchangeException("NHI6001", ExchangeStage.Revoke, "This client may not revoke."));
        await IssueAsync(job, 64);
        await Eventually.HoldsAsync(() => Orphaned(job) == 63, "63 records of it");

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(lease => lease.Fingerprint), Is.EquivalentTo(job.Issuer.Issued.Select(token => token.Fingerprint)));
        Assert.That(report.Leases.Select(lease => lease.End), Is.All.EqualTo(end));
        Assert.That(report.Leases.Select(lease => lease.Reason), Is.All.Contains("when it dies is uncertain"));
    }

    [Test]
    public async Task A_host_that_runs_for_months_lists_the_last_thousand_that_could_not_be_revoked()
    {
        await using TestJob job = await StartAsync(_ => Task.FromResult(Revocation.NotSupported));
        await IssueAsync(job, 1_200);

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(Orphaned(job), Is.EqualTo(1_200));
        Assert.That(report.Leases, Has.Count.InRange(1_000, 1_200 - 1));
        Assert.That(report.Leases.Select(lease => lease.Fingerprint), Does.Contain(job.Issuer.Issued.Last().Fingerprint));
    }

    [Test]
    public async Task Who_finds_somebody_else_at_it_comes_again()
    {
        int asked = 0;
        var gate = new Gate();
        await using TestJob job = await StartAsync(async _ =>
        {
            if (Interlocked.Increment(ref asked) > 1)
                return Revocation.Revoked;
            await gate.PassAsync();
            throw new TokenExchangeException("NHI4002", ExchangeStage.Revoke, "The issuer is away.");
        });
        using Gate opened = gate;
        BearerToken token = await job.Warehouse.GetAsync();
        job.Time.Advance(AssumedLife - TimeSpan.FromSeconds(1));
        Task<LeaseEnd> revoking = job.Session.RevokeCredentialAsync(token, "drill");
        await gate.Reached;
        job.Time.Advance(TimeSpan.FromSeconds(3));
        await Eventually.HoldsAsync(() => job.Time.PendingTimers == 2, "the deadline of that one, and the wait of who came at the assumed end");
        gate.Open();
        Assert.That(await revoking, Is.EqualTo(LeaseEnd.Failed));

        job.Time.Advance(TimeSpan.FromMinutes(1));
        await Eventually.HoldsAsync(() => asked == 2, "another try");
    }

    [Test]
    public async Task An_assumed_end_years_from_now_comes()
    {
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromDays(730))) { EndIsAssumed = true };
        BearerToken token = await job.Warehouse.GetAsync();
        Assert.That(job.Time.PendingTimers, Is.EqualTo(1), "it is watched for");

        await Eventually.HoldsAsync(() =>
        {
            job.Time.Advance(TimeSpan.FromDays(1));
            return job.Issuer.Revoked.Contains(token);
        }, "its revocation");

        Assert.That(job.Time.GetUtcNow(), Is.GreaterThanOrEqualTo(token.ExpiresAt));
    }

    [Test]
    public async Task They_count_as_living_until_they_are_ended()
    {
        await using TestJob job = await StartAsync();
        await job.Warehouse.GetAsync();
        job.Time.SetWall(job.Time.GetUtcNow() + (2 * AssumedLife));

        Assert.That(job.Session.Leases.CountLive(), Is.EqualTo(new Dictionary<string, long> { ["warehouse"] = 1 }));
    }

    // Time runs on while others work: one whose deadline passed before its issuer could be asked is told of twice.
    private static int Orphaned(TestJob job) => job.Audit.Events.Where(one => one.Kind == AuditEventKind.Orphaned).DistinctBy(one => one.Fingerprint).Count();

    private static async Task<TestJob> StartAsync(Func<RevocationRequest<BearerToken>, Task<Revocation>>? onRevoke = null)
    {
        TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken(AssumedLife)) { EndIsAssumed = true };
        job.Issuer.OnRevoke = onRevoke;
        return job;
    }

    // One after the other, each when the assumed end of the one before is over.
    private static async Task IssueAsync(TestJob job, int count)
    {
        for (int i = 0; i < count; i++)
        {
            job.Time.Advance(AssumedLife);
            await job.Warehouse.GetAsync();
        }
    }
}
