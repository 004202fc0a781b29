using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests;

/// <summary>A job, or one of its credentials, ended from outside before its time.</summary>
internal sealed class JobRevocationTests
{
    [Test]
    public async Task From_the_call_on_nothing_is_handed_out_and_callers_get_the_reason()
    {
        using var logged = new LoggedText();
        await using TestJob job = await TestJob.StartAsync(more: b => b.Logging(logged));
        BearerToken token = await job.Warehouse.GetAsync();
        using var revoking = new Gate();
        job.Issuer.OnRevoke = async _ =>
        {
            await revoking.PassAsync();
            return Revocation.Revoked;
        };

        Task<JobReport> ending = job.Session.RevokeAsync("incident 4711, ann\nsecond line");
        bool isServed = job.Warehouse.TryGet(out _);
        TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;
        revoking.Open();
        JobReport report = await ending;

        Assert.That(isServed, Is.False, "before the issuer has answered");
        Assert.That((error.Code, error.Stage, error.Target, error.IsTransient), Is.EqualTo(("NHI7002", ExchangeStage.JobEnded, "warehouse", false)));
        Assert.That(error.Message, Does.Contain("The job was revoked by code: incident 4711, ann; nothing is handed out any more."));
        Assert.That(report.Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (token.Fingerprint, LeaseEnd.Revoked) }));
        Assert.That(job.Audit.Events[^1].Kind, Is.EqualTo(AuditEventKind.Revoked));
        Assert.That(job.Audit.Events[^1].Reason, Is.EqualTo("the job was revoked by code: incident 4711, ann"));
        Assert.That(logged.Text, Does.Contain("Job ends before its time: ").And.Contain("; the job was revoked by code: incident 4711, ann"));
        Assert.That(job.Session.Ended.IsCancellationRequested, Is.True);
    }

    [Test]
    public async Task A_flight_in_the_air_ends_its_own_credential_and_its_waiters_get_the_reason()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Gate = new Gate());
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await job.Issuer.Gate!.Reached;

        Task<JobReport> ending = job.Session.RevokeAsync("incident");
        TokenExchangeException waiter = Assert.ThrowsAsync<TokenExchangeException>(() => asking)!;
        job.Issuer.Gate.Open();
        await ending;

        Assert.That(waiter.Code, Is.EqualTo("NHI7002"));
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued).And.Count.EqualTo(1));
        Assert.That(job.Audit.Events.Where(e => e.Kind == AuditEventKind.Failed).Select(e => e.Code), Is.EqualTo(new[] { "NHI7002" }));
    }

    [Test]
    public async Task No_call_that_begins_after_the_revocation_is_handed_anything()
    {
        await using TestJob job = await TestJob.StartAsync();
        await job.Warehouse.GetAsync();
        int isRevoked = 0, begun = 0;
        Task<bool>[] callers = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            Interlocked.Increment(ref begun);
            while (true)
            {
                bool isAfter = Volatile.Read(ref isRevoked) != 0;
                try
                {
                    await job.Warehouse.GetAsync();
                    if (isAfter)
                        return true;
                }
                catch (TokenExchangeException ended) when (ended.Code == "NHI7002")
                {
                    return false;
                }
            }
        }))];
        await Eventually.HoldsAsync(() => Volatile.Read(ref begun) > 0, "a caller at work");

        Task<JobReport> ending = job.Session.RevokeAsync("drill");
        Volatile.Write(ref isRevoked, 1);

        Assert.That(await Task.WhenAll(callers), Is.All.False);
        Assert.That((await ending).AllEnded, Is.True);
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
    }

    [Test]
    public async Task A_job_that_holds_nothing_leaves_an_event_that_says_why_and_callers_get_its_code()
    {
        await using TestJob job = await TestJob.StartAsync();

        JobReport report = await job.Session.RevokeAsync("incident 4711, ann");

        Assert.That(report.Leases, Is.Empty);
        AuditEvent cut = job.Audit.Events.Single();
        Assert.That((cut.Kind, cut.Code, cut.Reason), Is.EqualTo((AuditEventKind.JobCutShort, "NHI7002", "the job was revoked by code: incident 4711, ann")));
        Assert.That((cut.Target, cut.FlightId, cut.Fingerprint), Is.EqualTo(("", Guid.Empty, (string?)null)));
        Assert.That((cut.Job, cut.At, cut.PolicyRevision), Is.EqualTo((job.Session.Context, job.Time.GetUtcNow(), job.Policy.Revision)));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => job.Warehouse.GetAsync().AsTask())!.Code, Is.EqualTo(cut.Code));
    }

    [Test]
    public async Task One_event_of_the_job_stands_before_those_of_its_credentials_and_a_job_that_is_done_has_none()
    {
        await using TestJob revoked = await TestJob.StartAsync();
        await using TestJob done = await TestJob.StartAsync();
        await revoked.Warehouse.GetAsync();
        await done.Warehouse.GetAsync();

        await revoked.Session.RevokeAsync("incident");
        await revoked.Session.RevokeAsync("once more");
        await done.Session.CompleteAsync();

        Assert.That(revoked.Audit.Kinds.TakeLast(2), Is.EqualTo(new[] { AuditEventKind.JobCutShort, AuditEventKind.Revoked }));
        Assert.That(revoked.Audit.Kinds.Count(kind => kind == AuditEventKind.JobCutShort), Is.EqualTo(1));
        Assert.That(done.Audit.Kinds, Has.None.EqualTo(AuditEventKind.JobCutShort));
    }

    [Test]
    public async Task What_ended_the_job_stands_in_its_log_and_in_each_end()
    {
        var log = new LoggedText();
        await using TestJob revoked = await TestJob.StartAsync(more: b => b.Logging(log));
        await revoked.Warehouse.GetAsync();
        await revoked.Session.RevokeAsync("incident 4711");
        Assert.That(log.Text, Does.Contain("Job ended (revoked by code: incident 4711): "));

        await using TestJob disposed = await TestJob.StartAsync(more: b => b.Logging(log));
        await disposed.Warehouse.GetAsync();
        await disposed.Session.DisposeAsync();
        Assert.That(log.Text, Does.Contain("Job ended (disposed): "));
        Assert.That(disposed.Audit.Events[^1].Reason, Is.EqualTo("the job ended (disposed)"));

        var services = new ServiceCollection();
        services.AddTokenExchange(b => new DependencyInjection.Services().Compose(b));
        services.AddSingleton<ILoggerFactory>(log);
        ServiceProvider container = services.BuildServiceProvider();
        IHostedLifecycleService[] hosted = [.. container.GetServices<IHostedService>().OfType<IHostedLifecycleService>()];
        await Task.WhenAll(hosted.Select(service => service.StartingAsync(CancellationToken.None)));
        await container.GetRequiredService<JobSession>().Provider<BearerToken>("warehouse").GetAsync();
        await Task.WhenAll(hosted.Select(service => service.StoppedAsync(CancellationToken.None)));
        Assert.That(log.Text, Does.Contain("Job ended (host stop): "));
        await container.DisposeAsync();
    }

    [Test]
    public async Task The_first_end_says_why_and_all_get_its_report()
    {
        await using TestJob job = await TestJob.StartAsync();
        await job.Warehouse.GetAsync();

        JobReport[] reports = await Task.WhenAll(job.Session.CompleteAsync(), job.Session.RevokeAsync("too late"), job.Session.RevokeAsync("later still"));

        Assert.That(reports.Distinct().ToArray(), Has.Length.EqualTo(1));
        Assert.That(job.Issuer.Revoked, Has.Count.EqualTo(1));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!.Code, Is.EqualTo("NHI7001"));
        Assert.That(job.Audit.Events[^1].Reason, Is.EqualTo("the job ended (completed)"));
    }

    [Test]
    public async Task Another_job_of_the_process_goes_on()
    {
        await using TestJob one = await TestJob.StartAsync();
        await using TestJob two = await TestJob.StartAsync();
        BearerToken ofTwo = await two.Warehouse.GetAsync();
        await one.Session.RevokeAsync("incident");
        Assert.That(await two.Warehouse.GetAsync(), Is.SameAs(ofTwo));
    }

    [TestCase("", "no reason was given")]
    [TestCase(" \r\n second", "second")]
    [TestCase("a\u001b[31mb", "a·[31mb")]
    [TestCase("CHG-2026-0042 by ann, 8d3f2c1a-0b1c-4d5e-8f90-a1b2c3d4e5f6", "CHG-2026-0042 by ann, 8d3f2c1a-0b1c-4d5e-8f90-a1b2c3d4e5f6")]
    public void A_reason_is_one_clean_line(string reason, string expected) =>
        Assert.That(EndCause.Revoked("code", reason).Reason, Is.EqualTo($"the job was revoked by code: {expected}"));

    [Test]
    public void A_reason_is_cut_and_one_that_looks_like_a_secret_is_not_repeated()
    {
        string secret = Proofs.Token(Proofs.With()).Reveal();
        Assert.That(EndCause.Revoked("code", $"{new string('a', 190)} {secret}").Reason, Does.EndWith("is not repeated"), "nor the part of it that would have been shown");
        Assert.That(EndCause.Revoked("code", new string('a', 500)).Reason, Has.Length.LessThan(250).And.EndsWith("…"));
        EndCause cause = EndCause.Revoked("code", $"leaked {secret} in a log");
        Assert.That(cause.Reason, Is.EqualTo("the job was revoked by code: the reason looks like a secret and is not repeated"));
        Assert.That(cause.Message, Does.Not.Contain(secret[..20]));
    }

    [Test]
    public async Task One_credential_is_revoked_and_the_next_caller_gets_another()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken leaked = await job.Warehouse.GetAsync();

        Task<LeaseEnd> revoking = job.Session.RevokeCredentialAsync(leaked, "leaked in a log");
        bool isServed = job.Warehouse.TryGet(out _);
        LeaseEnd end = await revoking;
        BearerToken next = await job.Warehouse.GetAsync();
        job.Session.Ended.ThrowIfCancellationRequested();

        Assert.That((isServed, end), Is.EqualTo((false, LeaseEnd.Revoked)));
        Assert.That(next, Is.Not.SameAs(leaked));
        Assert.That(job.Issuer.Revoked, Is.EqualTo(new[] { leaked }));
        AuditEvent revoked = job.Audit.Events.Single(e => e.Kind == AuditEventKind.Revoked);
        Assert.That((revoked.Fingerprint, revoked.Reason), Is.EqualTo((leaked.Fingerprint, "revoked by code: leaked in a log")));
    }

    [Test]
    public async Task Revoking_one_after_the_other_makes_no_caller_wait()
    {
        await using TestJob job = await TestJob.StartAsync();
        for (int i = 0; i < 4; i++)
            await job.Session.RevokeCredentialAsync(await job.Warehouse.GetAsync(), "drill");
        Assert.That(job.Issuer.Issued, Has.Count.EqualTo(4), "time stands still: a wait would have been an error");
    }

    [Test]
    public async Task A_credential_is_revoked_once_and_only_by_its_own_job()
    {
        await using TestJob job = await TestJob.StartAsync();
        await using TestJob other = await TestJob.StartAsync();
        BearerToken token = await job.Warehouse.GetAsync();

        Assert.That(() => other.Session.RevokeCredentialAsync(token, "not mine"), Throws.ArgumentException.With.Message.Contains("not of this job"));
        Assert.That(job.Warehouse.TryGet(out _), Is.True);
        LeaseEnd[] ends = [await job.Session.RevokeCredentialAsync(token, "once"), await job.Session.RevokeCredentialAsync(token, "twice")];
        await job.Session.CompleteAsync();

        Assert.That(ends, Is.EqualTo(new[] { LeaseEnd.Revoked, LeaseEnd.AlreadyGone }));
        Assert.That(job.Issuer.Revoked, Has.Count.EqualTo(1));
        Assert.That(await job.Session.RevokeCredentialAsync(token, "after the end"), Is.EqualTo(LeaseEnd.AlreadyGone));
    }

    [Test]
    public async Task A_credential_that_cannot_be_revoked_is_handed_out_no_more_all_the_same()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.OnRevoke = _ => Task.FromResult(Revocation.NotSupported));
        BearerToken token = await job.Warehouse.GetAsync();

        Assert.That(await job.Session.RevokeCredentialAsync(token, "leaked"), Is.EqualTo(LeaseEnd.CannotBeRevoked));
        Assert.That(await job.Warehouse.GetAsync(), Is.Not.SameAs(token));
        Assert.That(job.Audit.Events.Single(e => e.Kind == AuditEventKind.Orphaned).Reason, Does.StartWith("revoked by code: leaked"));
    }
}
