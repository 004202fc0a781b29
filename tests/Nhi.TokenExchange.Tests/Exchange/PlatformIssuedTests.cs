namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>A target whose credential is the platform's own token: nothing is exchanged, all else is as ever.</summary>
internal sealed class PlatformIssuedTests
{
    [Test]
    public async Task Policy_and_audit_are_told_and_the_report_says_that_it_cannot_be_ended()
    {
        var policy = new TestPolicy();
        var audit = new RecordingSink();
        await using JobSession job = await StartAsync(policy, audit);

        await job.Provider<BearerToken>("lake").GetAsync();
        JobReport report = await job.CompleteAsync();

        Assert.That(audit.Events.Select(e => e.IsPlatformIssued), Is.All.True);
        Assert.That(audit.Kinds, Is.EqualTo(new[] { AuditEventKind.Attested, AuditEventKind.Permitted, AuditEventKind.Exchanging, AuditEventKind.Issued, AuditEventKind.Orphaned }));
        Assert.That(report.Leases.Single().End, Is.EqualTo(LeaseEnd.CannotBeRevoked));
        Assert.That(audit.Events[^1].Reason, Does.Contain("the platform issued it"));
    }

    [Test]
    public async Task A_policy_can_forbid_it()
    {
        var policy = new TestPolicy { Decide = request => request.IsPlatformIssued ? AccessDecision.Deny("exchange-only", "nothing unexchanged") : AccessDecision.Permit("all") };
        await using JobSession job = await StartAsync(policy, new RecordingSink());

        Assert.That(async () => await job.Provider<BearerToken>("lake").GetAsync(), Throws.TypeOf<AccessDeniedException>().With.Property("Rule").EqualTo("exchange-only"));
    }

    [Test]
    public async Task An_issuer_without_an_origin_gives_no_handler_without_allowed_origins()
    {
        await using JobSession job = await StartAsync(new TestPolicy(), new RecordingSink());

        Assert.That(job.Provider<BearerToken>("lake").AllowedOrigins, Is.Empty);
        Assert.That(() => job.CreateHandler("lake"), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8001").And.Property("Target").EqualTo("lake"));
    }

    private static Task<JobSession> StartAsync(IAccessPolicy policy, IAuditSink audit) => JobSession.StartAsync(b => b
        .Identity("vm", TestProofs.Source(TimeProvider.System), ActsFor.Workload).Target("lake", new Unexchanged(), "vm").Policy(policy).Audit(audit).EndOnSignals(false));

    private sealed class Unexchanged : TokenExchanger<BearerToken>
    {
        public override Uri Issuer { get; } = new("urn:platform");

        public override Audience SubjectAudience { get; } = new("https://lake.example");

        public override bool IsPlatformIssued => true;

        public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) =>
            new(new Issued<BearerToken>(new BearerToken(request.Subject.Reveal(), request.Time.GetUtcNow().AddMinutes(10))));
    }
}
