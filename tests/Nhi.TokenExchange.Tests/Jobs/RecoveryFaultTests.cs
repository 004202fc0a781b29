namespace Nhi.TokenExchange.Tests;

/// <summary>What a recovery can't do is told, and keeps it from nothing else.</summary>
internal sealed class RecoveryFaultTests : JournalFixture
{
    [Test]
    public async Task A_journal_that_the_disk_does_not_give_is_told_of_and_is_left_to_the_next_recovery()
    {
        string file = Write($"{Header}\n{Lease(1)}\n");
        using var logged = new LoggedText();

        RecoveryReport report = await JobSession.RecoverAsync(b => Compose(b).JournalDisk(new TestDisk { ReadableUpTo = 0 }).Logging(logged));

        TokenExchangeException told = report.Refused.Single();
        Assert.That((report.AllEnded, told.Code), Is.EqualTo((false, "NHI7007")));
        Assert.That(report.ToString(), Does.Contain($"The journal '{file}' could not be recovered (IOException: Input/output error)").And.Contain("may live on"));
        Assert.That(logged.Text, Does.Contain("What earlier jobs left behind, killed or ended, could not all be ended").And.Contain(file));
        Assert.That(Fingerprints("revoked"), Is.Empty);
        Assert.That((await RecoverAsync()).AllEnded, Is.True);
        Assert.That(Fingerprints("revoked"), Is.EqualTo(new[] { "f1" }));
    }

    [Test]
    public async Task A_torn_line_that_the_disk_keeps_is_told_of_and_a_whole_journal_needs_no_cut()
    {
        string torn = Write($"{Header}\n{Lease(1)}\n{Lease(2)[..20]}");
        Write($"{Header}\n{Lease(3)}\n");

        RecoveryReport report = await JobSession.RecoverAsync(b => Compose(b).JournalDisk(new TestDisk { FailsToCut = true }));

        Assert.That((report.AllEnded, report.Refused.Single().Code), Is.EqualTo((false, "NHI7007")));
        Assert.That(report.Refused.Single().Message, Does.Contain(torn));
        Assert.That(Fingerprints("revoked"), Is.EqualTo(new[] { "f3" }));
        Assert.That(Files(), Is.EqualTo(new[] { torn }));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "A folder of open files is not moved there.")]
    public async Task A_folder_that_cannot_be_listed_is_told_of()
    {
        Write($"{Header}\n{Lease(1)}\n");
        string elsewhere = Path.Combine(Ledger, "elsewhere");
        await using TestJob job = await TestJob.StartAsync(
            issuer => issuer.Reusable = () =>
            {
                if (Directory.Exists(Journals))
                    Directory.Move(Journals, elsewhere);   // the job has begun, its recovery has not
                return ExposureAnswer.No("a test");
            },
            more: b => b.Journal(Journals));

        RecoveryReport report = await job.Session.WaitForRecoveryAsync();

        Assert.That((report.AllEnded, report.Refused.Single().Code), Is.EqualTo((false, "NHI7007")));
        Assert.That(report.ToString(), Does.Contain($"The journals in '{Journals}' could not be listed (DirectoryNotFoundException"));
        Directory.Move(elsewhere, Journals);
    }

    [Test]
    public async Task One_that_is_said_to_die_in_the_last_year_that_there_is_holds_up_no_other([Values] bool isUncertain, [Values] bool isDeclared)
    {
        string never = Lease(1, more: isUncertain ? ",\"uncertain\":true" : "", diesAt: "9999-12-31T23:59:59.0000000+00:00");
        string file = Write($"{Header}\n{(isDeclared ? never : never.Replace("handles.test", "moved.test", StringComparison.Ordinal))}\n{Lease(2)}\n"), other = Write($"{Header}\n{Lease(3)}\n");

        RecoveryReport report = await RecoverAsync(before: _ => throw new TokenExchangeException("NHI4012", ExchangeStage.Revoke, "This client may not revoke."));

        LeaseOutcome[] left = [.. report.Jobs.SelectMany(job => job.Leases)];
        Assert.That((report.AllEnded, report.Refused.Count), Is.EqualTo((false, 0)), report.ToString());
        Assert.That(left.Select(lease => (lease.Fingerprint, lease.End)), Is.EquivalentTo(new[] { ("f1", LeaseEnd.Failed), ("f2", LeaseEnd.Failed), ("f3", LeaseEnd.Failed) }));
        Assert.That(left.Single(lease => lease.Fingerprint == "f1").Reason, Does.Contain(isDeclared ? "NHI4012" : "declare the target 'held'"));
        Assert.That(Files(), Is.EquivalentTo(new[] { file, other }));
    }

    [Test]
    public async Task A_journal_that_could_not_be_closed_is_recovered_by_the_next_job_of_the_same_process()
    {
        var disk = new TestDisk();
        BearerToken token;
        await using (TestJob full = await StartAsync(b => b.JournalDisk(disk)))
        {
            full.Issuer.OnRevoke = _ => throw new TokenExchangeException("NHI4012", ExchangeStage.Revoke, "This client may not revoke.");
            token = await full.Warehouse.GetAsync();
            disk.Room = 0;
            Assert.That((await full.Session.CompleteAsync()).AllEnded, Is.False);
            await full.Session.Released;
        }
        string left = Files().Single();
        Assert.That(await File.ReadAllTextAsync(left), Does.Not.Contain("closed"));

        await using TestJob next = await StartAsync();
        RecoveryReport report = await next.Session.WaitForRecoveryAsync();

        Assert.That(report.Jobs.Single().Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (token.Fingerprint, LeaseEnd.AlreadyGone) }), report.ToString());
        Assert.That(report.AllEnded, Is.True);
        Assert.That(File.Exists(left), Is.False);
    }

    private async Task<TestJob> StartAsync(Action<TokenExchangeBuilder>? more = null)
    {
        TestJob job = await TestJob.StartAsync(
            issuer => issuer.OnRevoke = _ => Task.FromResult(Revocation.AlreadyGone),
            more: b =>
            {
                b.Journal(Journals);
                more?.Invoke(b);
            });
        job.Issuer.Answer = _ =>
        {
            BearerToken token = job.Issuer.NewToken();
            return new Issued<BearerToken>(token) { RevocationHandle = "lease/" + token.Fingerprint };
        };
        return job;
    }
}
