namespace Nhi.TokenExchange.Tests;

/// <summary>What a proof attested stays known for as long as the credential that came of it lives, and over its hops.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class AttestedFactsOfLeasesTests
{
    private readonly ManualTimeProvider _time = new();
    private string _run = "77";

    [TestCase(Revocation.Revoked, AuditEventKind.Revoked)]
    [TestCase(Revocation.AlreadyGone, AuditEventKind.Expired)]
    [TestCase(Revocation.NotSupported, AuditEventKind.Orphaned)]
    public async Task The_end_of_a_credential_tells_the_run_that_its_proof_attested(Revocation revocation, AuditEventKind kind)
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.OnRevoke = _ => Task.FromResult(revocation), source: Source(), more: Unsaid);
        await job.Warehouse.GetAsync();
        await job.Session.CompleteAsync();

        AuditEvent end = job.Audit.Events[^1];
        Assert.That((end.Kind, end.Job.Run, end.Job.Dataset, end.AttestedFacts), Is.EqualTo((kind, "77", "orders", JobFacts.Run)));
    }

    [Test]
    public async Task Each_credential_keeps_what_its_own_proof_said()
    {
        await using TestJob job = await TestJob.StartAsync(source: Source(), more: Unsaid);
        BearerToken first = await job.Warehouse.GetAsync();
        job.Warehouse.Reject(first);
        BearerToken second = await job.Warehouse.GetAsync();
        Assert.That(second.Lease.Origin, Is.SameAs(first.Lease.Origin), "one object for all leases whose proofs say the same");
        job.Warehouse.Reject(second);
        _run = "78";
        job.Time.Advance(TimeSpan.FromMinutes(2));
        BearerToken third = await job.Warehouse.GetAsync();
        await job.Session.CompleteAsync();

        Assert.That(
            job.Audit.Events.Where(e => e.Kind == AuditEventKind.Revoked).Select(e => (e.Fingerprint, e.Job.Run)),
            Is.EquivalentTo(new[] { (first.Fingerprint, "77"), (second.Fingerprint, "77"), (third.Fingerprint, "78") }));
    }

    [Test]
    public async Task The_next_hop_knows_what_the_first_hops_proof_attests_and_may_require_it()
    {
        var audit = new RecordingSink();
        var policy = new TestPolicy();
        AccessRequest? asked = null;
        policy.Decide = request =>
        {
            asked = request;
            return AccessDecision.Permit("seen");
        };
        await using JobSession session = await HopsAsync(JobFacts.Run, b => b.Audit(audit).Policy(policy));
        await session.Provider<BearerToken>("archive").GetAsync();
        Assert.That((asked!.Target, asked.AttestedFacts, asked.Job.Run), Is.EqualTo(("archive", JobFacts.Run, "77")));
        await session.CompleteAsync();
        AuditEvent[] told = [.. audit.Events.Where(e => e.Target == "archive")];
        Assert.That(told, Has.Length.GreaterThanOrEqualTo(4));
        Assert.That(told.Select(e => (e.Job.Run, e.AttestedFacts)), Is.All.EqualTo(("77", JobFacts.Run)));
    }

    [Test]
    public async Task A_fact_that_the_first_hops_proof_does_not_attest_stops_the_next_hop()
    {
        var second = new TestExchanger(_time);
        await using JobSession session = await HopsAsync(JobFacts.Run | JobFacts.Environment, _ => { }, second);
        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(async () => await session.Provider<BearerToken>("archive").GetAsync())!;
        Assert.That((refused.Code, refused.Target), Is.EqualTo(("NHI2011", "archive")));
        Assert.That(refused.Message, Does.Contain("the job's Environment to be attested").And.Contain("the credential of target:account").And.Contain("at the target that starts from an identity"));
        Assert.That(second.Requests, Is.Empty);
    }

    // The proofs' clock starts where the jobs' do.
    private IWorkloadIdentitySource Source() =>
        IdentitySources.From((request, _) => new(Proofs.Token(Proofs.With(("aud", request.Audience.ToString()), ("run_id", _run)))));

    private static void Unsaid(TokenExchangeBuilder builder) => builder.Job(new JobContext { Dataset = "orders" });

    private Task<JobSession> HopsAsync(JobFacts required, Action<TokenExchangeBuilder> more, TestExchanger? second = null) => JobSession.StartAsync(b =>
    {
        Unsaid(b);
        b.Identity("job", Source())
            .Target("account", new TestExchanger(_time), "job")
            .Target("archive", second ?? new TestExchanger(_time), t => (t.Through, t.AttestedFacts) = ("account", required))
            .Time(_time).Jitter(() => 0).EndOnSignals(false);
        more(b);
    });
}
