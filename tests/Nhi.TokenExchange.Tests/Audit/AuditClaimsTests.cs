namespace Nhi.TokenExchange.Tests;

/// <summary>Claims of a proof in its events: those that are named, and no others.</summary>
internal sealed class AuditClaimsTests
{
    [Test]
    public async Task Events_of_a_proof_tell_the_claims_that_are_named_and_there_and_no_others()
    {
        await using TestJob job = await TestJob.StartAsync(source: Source(), more: b => b.AuditClaims("repository", "environment"));
        await job.Warehouse.GetAsync();
        await job.Session.CompleteAsync();

        Assert.That(job.Audit.Events.Where(one => one.Kind != AuditEventKind.Revoked).Select(one => one.SubjectClaims), Is.All.EqualTo(new Dictionary<string, string> { ["repository"] = "shop/orders" }));
        Assert.That(job.Audit.Text, Does.Not.Contain("somebody@shop.example"));
    }

    [Test]
    public async Task An_end_says_who_had_the_credential()
    {
        await using TestJob job = await TestJob.StartAsync();
        await job.Warehouse.GetAsync();
        await job.Session.CompleteAsync();

        AuditEvent issued = job.Audit.Events.Single(one => one.Kind == AuditEventKind.Issued), revoked = job.Audit.Events.Single(one => one.Kind == AuditEventKind.Revoked);
        Assert.That((revoked.SubjectIssuer, revoked.Subject), Is.EqualTo((issued.SubjectIssuer, issued.Subject)));
        Assert.That(revoked.Subject, Is.Not.Empty);
    }

    private static IWorkloadIdentitySource Source() => IdentitySources.From((request, _) => new ValueTask<SubjectToken>(new SubjectToken(
        TestProofs.Jwt(new ManualTimeProvider(), request.Audience.ToString(), payload =>
        {
            payload["repository"] = "shop/orders";
            payload["actor"] = "somebody@shop.example";
        }),
        SubjectTokenType.Jwt)));

    [TestCase("", "has an entry that is no claim's name")]
    [TestCase("a b", "has an entry that is no claim's name")]
    [TestCase("a,a", "names a claim twice")]
    [TestCase("1,2,3,4,5,6,7,8,9", "names too many claims")]
    public void A_list_that_is_none_is_refused(string names, string said)
    {
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => TestJob.StartAsync(more: b => b.AuditClaims(names.Split(','))))!;
        Assert.That(refused.Message, Does.Contain("AuditClaims").And.Contain(said));
    }
}
