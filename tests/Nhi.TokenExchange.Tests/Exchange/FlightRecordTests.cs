namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What is recorded of a flight at each of its steps: who asked, for what, by which rule, and what came of it.</summary>
internal sealed class FlightRecordTests
{
    private const string Details = """[{"type":"sql","actions":["read"]}]""";

    [TestCase("a platform's", JobFacts.Run | JobFacts.Environment, "prod", false, false)]
    [TestCase("a workload's as is said", JobFacts.None, "Development", true, false)]
    [TestCase("a person's", JobFacts.None, "Development", false, true)]
    public async Task Each_step_names_who_proved_itself_and_a_failure_nobody(string whose, JobFacts facts, string environment, bool isAsserted, bool isAPersons)
    {
        await using TestJob job = await TestJob.StartAsync(more: b => b
            .Job(whose == "a platform's" ? new JobContext { Run = "77" } : new JobContext { Run = "77", Environment = "Development" })
            .Identity("who", SourceOf(whose), isAPersons ? ActsFor.PersonInDevelopment : ActsFor.Workload), target: t => t.Identity = "who");
        job.Issuer.Answer = asked => asked.Tenant is null ? new Issued<BearerToken>(job.Issuer.NewToken()) : throw new TokenExchangeException("NHI4003", ExchangeStage.Exchange, "The issuer is busy.");
        BearerToken token = await job.Warehouse.GetAsync();
        Assert.That(async () => await job.Warehouse.GetAsync(new CredentialRequest { Tenant = "t" }), Throws.TypeOf<TokenExchangeException>());
        await job.QuietAsync();

        AuditEvent failed = job.Audit.Events.Single(e => e.Kind == AuditEventKind.Failed);
        AuditEvent[] others = [.. job.Audit.Events.Where(e => e != failed)];
        string[] proofs = [.. job.Issuer.Requests.Select(request => request.Subject.Fingerprint)];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(others.Select(e => e.Kind), Is.EqualTo(new[]
            {
                AuditEventKind.Attested, AuditEventKind.Permitted, AuditEventKind.Exchanging, AuditEventKind.Issued, AuditEventKind.Attested, AuditEventKind.Permitted, AuditEventKind.Exchanging,
            }));
            Assert.That(others.Select(e => (e.AttestedFacts, e.Job.Run, e.Job.Environment)), Is.All.EqualTo((facts, "77", environment)));
            Assert.That(others.Select(e => (e.WorkloadIsAsserted, e.IsAPersons)), Is.All.EqualTo((isAsserted, isAPersons)));
            Assert.That(others.Select(e => (e.Subject, e.Audience)), Is.All.EqualTo(("repo:acme/orders:ref:refs/heads/main", "https://issuer.test/")));
            Assert.That(others.Select(e => e.SubjectFingerprint), Is.EqualTo(Enumerable.Repeat(proofs[0], 4).Concat(Enumerable.Repeat(proofs[1], 3))));
            Assert.That(others.Select(e => e.Fingerprint), Is.EqualTo(new[] { null, null, null, token.Fingerprint, null, null, null }));
            Assert.That((failed.AttestedFacts, failed.Job, failed.WorkloadIsAsserted, failed.IsAPersons), Is.EqualTo((JobFacts.None, job.Session.Context, false, false)));
            Assert.That((failed.SubjectIssuer, failed.Subject, failed.Audience, failed.SubjectFingerprint, failed.Through), Is.EqualTo(((string?)null, (string?)null, (string?)null, (string?)null, (string?)null)));
        }
    }

    [Test]
    public async Task Each_step_says_what_was_requested_left_asked_for_and_granted()
    {
        await using TestJob job = await TestJob.StartAsync(issuer => (issuer.Names, issuer.Details) = (["https://a.example/", "https://b.example/"], Details), t => t.Scopes = ScopeSet.Of("admin", "read", "write"));
        job.Policy.Decide = asked => asked.Tenant == "closed" ? AccessDecision.Deny("closed", "not today") : AccessDecision.Permit("open", ScopeSet.Of("read", "write"), resources: asked.Tenant is null ? null : ["https://a.example/"]);
        job.Issuer.Answer = asked => asked.Tenant is null
            ? new Issued<BearerToken>(job.Issuer.NewToken()) { GrantedScopes = ScopeSet.Of("read"), CorrelationId = "first" }
            : throw new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "The issuer says no.") { IssuerError = "invalid_target", CorrelationId = asked.Tenant };
        await job.Warehouse.GetAsync();
        Assert.That(async () => await job.Warehouse.GetAsync(new CredentialRequest { Tenant = "away" }), Throws.TypeOf<TokenExchangeException>());
        Assert.That(async () => await job.Warehouse.GetAsync(new CredentialRequest { Tenant = "closed" }), Throws.TypeOf<AccessDeniedException>());
        await job.QuietAsync();

        const string both = "[https://a.example/ https://b.example/]", one = "[https://a.example/]";
        Assert.That((job.Audit.Events[^1].Kind, job.Audit.Events[^1].Code), Is.EqualTo((AuditEventKind.Failed, "NHI3001")));
        Assert.That(job.Audit.Events.SkipLast(1).Select(Said), Is.EqualTo(new[]
        {
            "Attested: '' [] -, requested '' [] -, asked '', by - of 1, because -, code -, correlation -, tenant -",
            $"Permitted: 'read write' {both} {Details}, requested 'admin read write' {both} {Details}, asked '', by open of 1, because -, code -, correlation -, tenant -",
            $"Exchanging: 'read write' {both} {Details}, requested '' [] -, asked '', by - of 1, because -, code -, correlation -, tenant -",
            $"Issued: 'read' {both} {Details}, requested '' [] -, asked 'read write', by - of 1, because -, code -, correlation first, tenant -",
            "Attested: '' [] -, requested '' [] -, asked '', by - of 1, because -, code -, correlation -, tenant -",
            $"Permitted: 'read write' {one} {Details}, requested 'admin read write' {both} {Details}, asked '', by open of 1, because -, code -, correlation -, tenant away",
            $"Exchanging: 'read write' {one} {Details}, requested '' [] -, asked '', by - of 1, because -, code -, correlation -, tenant away",
            "Failed: '' [] -, requested '' [] -, asked '', by - of 1, because The issuer says no. [invalid_target], code NHI4001, correlation away, tenant -",
            "Attested: '' [] -, requested '' [] -, asked '', by - of 1, because -, code -, correlation -, tenant -",
            $"Denied: 'admin read write' {both} {Details}, requested '' [] -, asked '', by closed of 1, because not today, code -, correlation -, tenant closed",
        }));
    }

    [Test]
    public async Task What_was_permitted_by_rules_that_changed_meanwhile_is_recorded_with_those_and_ended()
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Gate = new Gate());
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await job.Issuer.Gate!.Reached;

        job.Policy.Change("2", _ => AccessDecision.Permit("second"));
        job.Issuer.Gate.Open();
        BearerToken token = await asking;
        await job.QuietAsync();

        Assert.That(token, Is.SameAs(job.Issuer.Issued.Last()));
        Assert.That(job.Issuer.Revoked, Is.EqualTo(new[] { job.Issuer.Issued.First() }));
        AuditEvent revoked = job.Audit.Events.Single(e => e.Kind == AuditEventKind.Revoked);
        Assert.That((revoked.Fingerprint, revoked.Reason), Is.EqualTo((job.Issuer.Issued.First().Fingerprint, "the policy had changed, or what it was to replace was revoked")));
        Assert.That(job.Audit.Events.Where(e => e != revoked).Select(e => (e.Kind, e.PolicyRevision)), Is.EqualTo(new[]
        {
            (AuditEventKind.Attested, "1"), (AuditEventKind.Permitted, "1"), (AuditEventKind.Exchanging, "1"), (AuditEventKind.Issued, "1"),
            (AuditEventKind.Attested, "2"), (AuditEventKind.Permitted, "2"), (AuditEventKind.Exchanging, "2"), (AuditEventKind.Issued, "2"),
        }));
    }

    [TestCase(null, false)]
    [TestCase("{}", true)]
    public async Task Who_decides_is_told_of_a_challenge_that_is_answered(string? claims, bool isOne)
    {
        await using TestJob job = await TestJob.StartAsync();
        AccessRequest? seen = null;
        job.Policy.Decide = asked =>
        {
            seen = asked;
            return AccessDecision.Permit("all");
        };

        await job.Warehouse.GetAsync(new CredentialRequest { Claims = claims });

        Assert.That(seen!.AnswersClaimsChallenge, Is.EqualTo(isOne));
    }

    private static string Said(AuditEvent e) =>
        $"{e.Kind}: '{e.Scopes}' [{string.Join(' ', e.Resources)}] {e.AuthorizationDetails ?? "-"}, requested '{e.RequestedScopes}' [{string.Join(' ', e.RequestedResources)}] {e.RequestedAuthorizationDetails ?? "-"}, asked '{e.AskedScopes}', "
        + $"by {e.Rule ?? "-"} of {e.PolicyRevision ?? "-"}, because {e.Reason ?? "-"}, code {e.Code ?? "-"}, correlation {e.CorrelationId ?? "-"}, tenant {e.Tenant ?? "-"}";

    private static IWorkloadIdentitySource SourceOf(string whose)
    {
        var time = new ManualTimeProvider();
        return IdentitySources.From((request, _) => new ValueTask<SubjectToken>(new SubjectToken(
            TestProofs.Jwt(time, request.Audience.ToString(), claims =>
            {
                claims["sub"] = "repo:acme/orders:ref:refs/heads/main";
                if (whose == "a platform's")
                    (claims["iss"], claims["repository"], claims["run_id"], claims["environment"]) = ("https://token.actions.githubusercontent.com", "acme/orders", "77", "prod");
                else if (whose == "a person's")
                    claims["upn"] = "ann@acme.example";
            }),
            SubjectTokenType.Jwt)));
    }
}
