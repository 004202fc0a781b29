namespace Nhi.TokenExchange.Tests;

/// <summary>An audit that refuses to record how credentials ended: it is asked once more, the journal keeps them, and a later start tells them as what they were.</summary>
internal sealed class RefusedEndRecordsTests : JournalFixture
{
    // The job of seventy-five credentials has said then that it started, at most two steps towards each, and of twenty-seven at least that it has got them. Twenty-five have no handle.
    private const int LinesUntilTwoHandlesAreKnown = 1 + (2 * 75) + 25 + 2;

    [Test]
    public async Task What_a_full_disk_refuses_at_the_job_s_end_is_left_to_the_next_start_to_tell()
    {
        var disk = new TestDisk();
        string trail = Path.Combine(Ledger, "audit");
        await using (TestJob job = await StartAsync(b => b.AuditFolder(trail).AuditDisk(disk)))
        {
            await job.Warehouse.GetAsync();
            disk.Room = 0;
            JobReport report = await job.Session.CompleteAsync();
            await job.Session.Released;
            Assert.That((report.AllEnded, report.Untold), Is.EqualTo((true, 1)), report.ToString());
            Assert.That(job.Issuer.Revoked, Has.Count.EqualTo(1));
        }
        var told = new List<AuditEventKind>();
        Assert.That(AuditTrail.Verify(trail, onRecord: record => told.Add(record.Event.Kind)).Faults, Is.Empty);
        Assert.That(told, Is.EqualTo(new[] { AuditEventKind.Attested, AuditEventKind.Permitted, AuditEventKind.Exchanging, AuditEventKind.Issued }));

        await using TestJob next = await StartAsync(b => b.AuditFolder(trail), issuer: IsNotAsked);
        await next.Session.WaitForRecoveryAsync();

        AuditEvent late = next.Audit.Events.Single();
        Assert.That((late.Kind, late.Fingerprint is not null), Is.EqualTo((AuditEventKind.Revoked, true)));
        Assert.That(late.Reason, Does.StartWith("the job ended (completed); that was so at ").And.EndsWith("Z, and is told late, for the audit did not take it then"));
    }

    [Test]
    public async Task What_was_refused_in_passing_is_told_before_the_job_s_end_is_over([Values] bool whileTheJobRuns)
    {
        await using TestJob job = await StartAsync();
        BearerToken token = await job.Warehouse.GetAsync();
        int refusals = 0;
        job.Audit.Refuse = one => one.Kind == AuditEventKind.Revoked && refusals++ == 0 ? new IOException("full") : null;
        if (whileTheJobRuns)
            await job.Session.RevokeCredentialAsync(token, "it was seen in a log");

        JobReport report = await job.Session.CompleteAsync();
        await job.Session.Released;

        Assert.That((refusals, report.Untold), Is.EqualTo((2, 0)));
        Assert.That(job.Audit.Kinds.Count(kind => kind == AuditEventKind.Revoked), Is.EqualTo(1));
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task Of_one_that_could_not_be_ended_first_and_then_was_the_last_end_is_told()
    {
        await using TestJob job = await StartAsync();
        BearerToken token = await job.Warehouse.GetAsync();
        job.Issuer.OnRevoke = _ => throw new InvalidOperationException("no");
        job.Audit.Refuse = one => one.Kind == AuditEventKind.Orphaned ? new IOException("full") : null;
        Assert.That(await job.Session.RevokeCredentialAsync(token, "it was seen in a log"), Is.EqualTo(LeaseEnd.Failed));
        job.Audit.Refuse = null;
        job.Issuer.OnRevoke = null;

        JobReport report = await job.Session.CompleteAsync();

        Assert.That((report.AllEnded, report.Untold), Is.EqualTo((true, 0)), report.ToString());
        Assert.That(job.Audit.Kinds.Skip(4), Is.EqualTo(new[] { AuditEventKind.Revoked }));
    }

    [Test]
    public async Task What_cut_a_job_short_is_told_once_more_too()
    {
        await using TestJob job = await StartAsync();
        int refusals = 0;
        job.Audit.Refuse = one => one.Kind == AuditEventKind.JobCutShort && refusals++ == 0 ? new IOException("full") : null;

        JobReport report = await job.Session.RevokeAsync("a drill");

        Assert.That((report.Untold, job.Audit.Kinds), Is.EqualTo((0, new[] { AuditEventKind.JobCutShort })));
    }

    [Test]
    public async Task So_is_what_a_recovery_could_not_record()
    {
        await using (TestJob job = await StartAsync())
        {
            await job.Warehouse.GetAsync();
            job.Audit.Refuse = _ => new IOException("full");
            await job.Session.CompleteAsync();
            await job.Session.Released;
        }
        await using (TestJob refused = await StartAsync(issuer: IsNotAsked, audit: new RecordingSink { Refuse = _ => new IOException("full") }))
        {
            RecoveryReport report = await refused.Session.WaitForRecoveryAsync();
            Assert.That((report.AllEnded, report.Jobs.Single().Untold), Is.EqualTo((false, 1)));
            Assert.That(report.ToString(), Does.Contain("1 end(s) NOT told: the audit did not take them"));
            Assert.That(refused.Audit.Kinds, Is.EqualTo(new[] { AuditEventKind.Revoked }), "told to the one that records");
        }

        await using TestJob next = await StartAsync(issuer: IsNotAsked);
        await next.Session.WaitForRecoveryAsync();

        Assert.That(next.Audit.Kinds, Is.EqualTo(new[] { AuditEventKind.Revoked }));
        Assert.That(Files(), Has.Length.EqualTo(1), "its own alone: all is told");
    }

    [Test]
    public async Task A_recovery_whose_audit_refuses_is_not_complete_and_the_next_one_tells_what_it_did()
    {
        await KillJobAsync(LinesUntilTwoHandlesAreKnown);

        RecoveryReport refused = await RecoverAsync(new RecordingSink { Refuse = _ => new IOException("full") });
        string[] revoked = [.. Fingerprints("revoked")];
        var audit = new RecordingSink();
        RecoveryReport told = await RecoverAsync(audit);

        JobReport job = refused.Jobs.Single();
        Assert.That((refused.AllEnded, job.Untold), Is.EqualTo((false, job.Leases.Count + job.FlightsInTheAir)), "nothing of it is told");
        Assert.That(revoked, Is.Not.Empty);
        Assert.That(Fingerprints("again"), Is.Empty, "what was revoked is not asked for again");
        Assert.That(audit.Kinds.Count(kind => kind == AuditEventKind.Revoked), Is.EqualTo(job.Leases.Count(lease => lease.End == LeaseEnd.Revoked)));
        Assert.That(told.Jobs.Single().Leases.Select(lease => (lease.Target, lease.Fingerprint, lease.End)), Is.EquivalentTo(job.Leases.Select(lease => (lease.Target, lease.Fingerprint, lease.End))));
        Assert.That((told.AllEnded, Files()), Is.EqualTo((true, Array.Empty<string>())), told.ToString());
    }

    [Test]
    public async Task So_is_one_that_died_of_age_and_one_that_nothing_ends([Values] bool diesOfAge)
    {
        await using (TestJob job = await StartAsync(hasHandles: false, issuer: i => i.OnRevoke = _ => throw new InvalidOperationException("no")))
        {
            await job.Warehouse.GetAsync();
            job.Audit.Refuse = _ => new IOException("full");
            if (diesOfAge)
                job.Time.Advance(TimeSpan.FromHours(5));
            Task<JobReport> ending = job.Session.CompleteAsync();
            await Eventually.HoldsAsync(
                () =>
                {
                    job.Time.Advance(TimeSpan.FromSeconds(1));
                    return ending.IsCompleted;
                },
                "the job's end");
            await job.Session.Released;
        }
        await using TestJob next = await StartAsync();
        RecoveryReport report = await next.Session.WaitForRecoveryAsync();

        Assert.That(report.Jobs.Single().Leases.Single().End, Is.EqualTo(diesOfAge ? LeaseEnd.AlreadyGone : LeaseEnd.Failed));
        AuditEvent told = next.Audit.Events.Single();
        Assert.That((told.Kind, told.Code), Is.EqualTo(diesOfAge ? (AuditEventKind.Expired, null) : (AuditEventKind.Orphaned, ErrorCodes.RevocationFailed)));
        Assert.That(Files(), Has.Length.EqualTo(1), "its own alone: all is told");
    }

    private static void IsNotAsked(TestExchanger issuer) => issuer.OnRevoke = _ => throw new InvalidOperationException("it was asked");

    private async Task<TestJob> StartAsync(Action<TokenExchangeBuilder>? more = null, bool hasHandles = true, Action<TestExchanger>? issuer = null, IAuditSink? audit = null)
    {
        TestJob job = await TestJob.StartAsync(
            issuer,
            more: b =>
            {
                b.Journal(Journals);
                if (audit is not null)
                    b.Audit(audit);
                more?.Invoke(b);
            });
        if (hasHandles)
        {
            job.Issuer.Answer = _ =>
            {
                BearerToken token = job.Issuer.NewToken();
                return new Issued<BearerToken>(token) { RevocationHandle = "lease/" + token.Fingerprint };
            };
        }
        return job;
    }
}
