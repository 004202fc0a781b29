namespace Nhi.TokenExchange.Tests.Jobs;

/// <summary>What is said of a credential that could not be ended: why, how often it was tried, and by which handle somebody may do it by hand.</summary>
public class FailedRevocationTests
{
    private const string Handle = "lease/orders/17";

    [Test]
    public async Task It_says_what_was_said_last_how_often_it_was_asked_and_the_handle()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken(TimeSpan.FromHours(1))) { RevocationHandle = Handle };
        job.Issuer.OnRevoke = _ => throw new TokenExchangeException("NHI4002", ExchangeStage.Revoke, "Host issuer.example:443 answered 503 at /revoke.");
        BearerToken token = await job.Warehouse.GetAsync();

        JobReport report = await job.Session.CompleteAsync();

        LeaseOutcome failed = report.Leases.Single();
        Assert.That((failed.End, failed.Handle), Is.EqualTo((LeaseEnd.Failed, Handle)));
        Assert.That(failed.Reason, Is.EqualTo("NHI4002: Host issuer.example:443 answered 503 at /revoke, in 1 try"));
        Assert.That(report.ToString(), Does.Contain($"NOT revoked (NHI4002: Host issuer.example:443 answered 503 at /revoke, in 1 try), handle {Handle}, dies at").And.Not.Contain(token.Reveal()));
        AuditEvent told = job.Audit.Events.Single(one => one.Kind == AuditEventKind.Orphaned);
        Assert.That(told.RevocationHandle, Is.EqualTo(Handle));
        Assert.That(told.Reason, Does.Contain("answered 503 at /revoke"));
    }

    [Test]
    public async Task An_exception_that_is_not_ours_is_told_by_its_name_alone()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken token = await job.Warehouse.GetAsync();
        job.Issuer.OnRevoke = _ => throw new InvalidOperationException(token.Reveal());

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Single().Reason, Is.EqualTo("InvalidOperationException, in 1 try"));
    }
}
