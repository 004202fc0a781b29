namespace Nhi.TokenExchange.Tests;

/// <summary>An audit that refuses to record how credentials ended: the journal keeps them, and a later start tells.</summary>
internal sealed class RefusedEndRecordsTests : JournalFixture
{
    [Test]
    public async Task What_a_full_disk_refuses_at_the_job_s_end_is_left_to_the_next_start_to_tell()
    {
        var disk = new TestDisk();
        string trail = Path.Combine(Ledger, "audit");
        await using (TestJob job = await StartAsync(b => b.AuditFolder(trail).AuditDisk(disk)))
        {
            await job.Warehouse.GetAsync();
            disk.Room = 0;
            await job.Session.CompleteAsync();
            await job.Session.Released;
            Assert.That(job.Issuer.Revoked, Has.Count.EqualTo(1));
        }
        var told = new List<AuditEventKind>();
        Assert.That(AuditTrail.Verify(trail, onRecord: record => told.Add(record.Event.Kind)).Faults, Is.Empty);
        Assert.That(told, Is.EqualTo(new[] { AuditEventKind.Attested, AuditEventKind.Permitted, AuditEventKind.Exchanging, AuditEventKind.Issued }));

        await using TestJob next = await StartAsync(b => b.AuditFolder(trail), issuer: IsGone);
        await next.Session.WaitForRecoveryAsync();

        Assert.That(next.Audit.Kinds, Is.EqualTo(new[] { AuditEventKind.Expired }));
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
        await using (TestJob refused = await StartAsync(issuer: IsGone, audit: new RecordingSink { Refuse = _ => new IOException("full") }))
        {
            await refused.Session.WaitForRecoveryAsync();
            Assert.That(refused.Audit.Kinds, Is.EqualTo(new[] { AuditEventKind.Expired }), "told to the one that records");
        }

        await using TestJob next = await StartAsync(issuer: IsGone);
        await next.Session.WaitForRecoveryAsync();

        Assert.That(next.Audit.Kinds, Is.EqualTo(new[] { AuditEventKind.Expired }));
        Assert.That(Files(), Has.Length.EqualTo(1), "its own alone: all is told");
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

        Assert.That(report.Jobs.Single().Leases.Single().ToString(), Does.Contain("its job ended in order"));
        AuditEvent told = next.Audit.Events.Single();
        Assert.That(told.Kind, Is.EqualTo(AuditEventKind.Recovered), "who comes later does not know how it ended, and says so");
        Assert.That(told.Reason, Does.Contain("its job ended in order"));
    }

    private static void IsGone(TestExchanger issuer) => issuer.OnRevoke = _ => Task.FromResult(Revocation.AlreadyGone);

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
