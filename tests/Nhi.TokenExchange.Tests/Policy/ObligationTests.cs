using static Nhi.TokenExchange.Tests.Policy.Policies;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>What a permit demands is enforced where credentials are got, and what a document decides is in the audit.</summary>
public class ObligationTests
{
    private const string ToWarehouse = """{ "target": "warehouse", "job": { "dataset": "orders" } }""";

    [Test]
    public async Task A_credential_that_lives_longer_than_a_permit_lets_it_is_ended_and_refused()
    {
        await using TestJob job = await StartAsync("""{ "longestHandOut": "00:15:00", "refuseLongerLife": true }""");

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Warehouse.GetAsync().AsTask())!;

        Assert.That((refused.Code, refused.Stage, refused.IsTransient), Is.EqualTo((ErrorCodes.LivesTooLong, ExchangeStage.Verify, false)));
        Assert.That(refused.Message, Does.Contain("Rule 'orders' permits a life of 00:15:00 at most (refuseLongerLife)").And.Contain("in 01:00:00. It is not handed out."));
        Assert.That(job.Issuer.Revoked, Is.EqualTo(job.Issuer.Issued));
        Assert.That(job.Issuer.Issued, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task One_that_lives_as_long_as_it_may_is_taken()
    {
        await using TestJob job = await StartAsync("""{ "longestHandOut": "00:15:00", "refuseLongerLife": true }""", issuer => issuer.Life = TimeSpan.FromMinutes(15));

        Assert.That((await job.Warehouse.GetAsync()).ExpiresAt, Is.EqualTo(job.Time.GetUtcNow() + TimeSpan.FromMinutes(15)));
    }

    [Test]
    public async Task One_whose_end_nobody_knows_is_refused()
    {
        await using TestJob job = await StartAsync("""{ "refuseLongerLife": true }""");
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken()) { EndIsAssumed = true };

        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => job.Warehouse.GetAsync().AsTask())!.Message, Does.Contain("NHI5008").And.Contain("does not say when it ends"));
        Assert.That(job.Issuer.Revoked, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Without_that_obligation_the_hand_out_alone_is_limited()
    {
        await using TestJob job = await StartAsync("""{ "longestHandOut": "00:15:00" }""");
        BearerToken token = await job.Warehouse.GetAsync();

        AuditEvent issued = job.Audit.Events.Single(one => one.Kind == AuditEventKind.Issued);
        Assert.That((issued.UnusableFrom, issued.DiesAt), Is.EqualTo(((DateTimeOffset?)(job.Time.GetUtcNow() + TimeSpan.FromMinutes(15)), (DateTimeOffset?)token.ExpiresAt)));
    }

    [Test]
    public async Task A_permit_for_sender_constrained_credentials_refuses_a_bearer_token_before_one_is_asked_for()
    {
        await using TestJob job = await StartAsync("""{ "senderConstrained": true }""");

        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.Warehouse.GetAsync().AsTask())!;

        Assert.That(denied.Rule, Is.EqualTo("orders"));
        Assert.That(denied.Message, Does.Contain("senderConstrained expected a credential that is bound to a key of this process, presented a BearerToken, which works for whoever holds it"));
        Assert.That(job.Issuer.Requests, Is.Empty);
        Assert.That(job.Audit.Kinds, Does.Contain(AuditEventKind.Denied));
    }

    [Test]
    public async Task Every_event_has_the_digest_of_the_document()
    {
        PolicyDocument policy = PolicyDocument.Parse(Text(7, Permit("orders", ToWarehouse)));
        await using TestJob job = await TestJob.StartAsync(more: b => b.Policy(policy));
        await job.Warehouse.GetAsync();

        await job.Session.CompleteAsync();
        AuditEvent[] decided = [.. job.Audit.Events];
        Assert.That(decided.Select(one => one.Kind), Is.EqualTo([AuditEventKind.Attested, AuditEventKind.Permitted, AuditEventKind.Exchanging, AuditEventKind.Issued, AuditEventKind.Revoked]));
        Assert.That(decided.Select(one => one.PolicyRevision), Is.All.EqualTo(policy.Revision).And.All.Match("^7\\+sha256:[0-9a-f]{64}$"));
        Assert.That(decided.Select(one => one.IsObserved), Is.All.False);
    }

    [Test]
    public async Task A_document_that_observes_lets_through_and_the_audit_says_what_it_would_have_done()
    {
        PolicyDocument policy = PolicyDocument.Parse(Text(1, Permit("payments", """{ "job": { "dataset": "payments" } }""")).Replace("\"revision\"", "\"mode\": \"observe\", \"revision\"", StringComparison.Ordinal));
        await using TestJob job = await TestJob.StartAsync(more: b => b.Policy(policy));

        await job.Warehouse.GetAsync();

        AuditEvent permitted = job.Audit.Events.Single(one => one.Kind == AuditEventKind.Permitted);
        Assert.That((permitted.IsObserved, permitted.Rule), Is.EqualTo((true, "default-deny")));
        Assert.That(permitted.Reason, Is.EqualTo("would deny: no rule permits it; nearest is 'payments': job.dataset expected 'payments', presented 'orders'"));
        Assert.That(job.Audit.Kinds, Does.Not.Contain(AuditEventKind.Denied));
    }

    [Test]
    public async Task The_log_warns_of_observing_at_the_start_and_at_each_decision_wherever_the_audit_goes_and_of_no_denial()
    {
        using var log = new LoggedText();
        PolicyDocument policy = PolicyDocument.Parse(Text(1, Permit("lake", """{ "target": "lake" }""")).Replace("\"revision\"", "\"mode\": \"observe\", \"revision\"", StringComparison.Ordinal), "in-code.json");
        await using TestJob job = await TestJob.StartAsync(more: b => b.Policy(policy).Logging(log));
        Assert.That(log.Text, Does.Contain($"Policy in-code.json only observes (revision {policy.Revision})").And.Not.Contain("will be denied"));

        await job.Warehouse.GetAsync();

        Assert.That(log.Text, Does.Contain($"because policy {policy.Revision} only observes; rule default-deny would deny: no rule permits it"));
    }

    [Test]
    public async Task A_grant_ends_with_the_window_of_its_permit_and_the_next_is_denied()
    {
        await using TestJob job = await TestJob.StartAsync();
        DateTimeOffset ends = job.Time.GetUtcNow().AddMinutes(30);
        PolicyDocument policy = Of(Permit("timed", $$"""{ "target": "warehouse", "time": { "notAfter": "{{ends.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}}" } }"""));
        job.Policy.Decide = policy.Decide;
        await job.Warehouse.GetAsync();

        Assert.That(job.Audit.Events.Single(one => one.Kind == AuditEventKind.Issued).UnusableFrom, Is.EqualTo(ends).Within(TimeSpan.FromSeconds(1)));
        job.Time.Advance(TimeSpan.FromMinutes(31));
        Assert.ThrowsAsync<AccessDeniedException>(() => job.Warehouse.GetAsync().AsTask());
    }

    [Test]
    public async Task A_credential_whose_permit_is_over_is_ended_at_its_issuer_though_nobody_asks_for_it()
    {
        await using TestJob job = await TestJob.StartAsync();
        DateTimeOffset ends = job.Time.GetUtcNow().AddMinutes(30);
        job.Policy.Decide = _ => AccessDecision.Permit("timed", holdsUntil: ends);
        BearerToken token = await job.Warehouse.GetAsync();

        job.Time.Advance(TimeSpan.FromMinutes(30) - TimeSpan.FromTicks(1));
        await job.QuietAsync();
        Assert.That(job.Issuer.Revoked, Is.Empty, "not a tick before");
        job.Time.Advance(TimeSpan.FromSeconds(2));

        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Contains(token), "the end of what the permit was for");
        await Eventually.HoldsAsync(() => job.Audit.Events.Any(one => one.Kind == AuditEventKind.Revoked && one.Fingerprint == token.Fingerprint && one.Reason == "its permit is over"), "its record");
    }

    [Test]
    public async Task One_that_was_renewed_under_a_permit_that_holds_on_is_not_ended_with_the_old_one()
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Renews = true);
        DateTimeOffset start = job.Time.GetUtcNow();
        job.Issuer.Answer = request => request.Held is BearerToken held
            ? new Issued<BearerToken>(new BearerToken(held.Reveal(), job.Time.GetUtcNow().AddHours(1))) { IsRenewal = true, RevocationHandle = "one" }
            : new Issued<BearerToken>(job.Issuer.NewToken()) { RevocationHandle = "one" };
        job.Policy.Decide = request => AccessDecision.Permit("timed", holdsUntil: start.AddMinutes(request.IsRefresh ? 120 : 30));
        BearerToken first = await job.Warehouse.GetAsync();
        job.Time.Advance(TimeSpan.FromMinutes(16));   // the renewal is due
        await Eventually.HoldsAsync(async () => !ReferenceEquals(await job.Warehouse.GetAsync(), first), "the renewal");

        job.Time.Advance(TimeSpan.FromMinutes(20));
        await job.QuietAsync();
        await job.Warehouse.GetAsync();

        await job.Session.CompleteAsync();
        Assert.That(job.Audit.Events.Where(one => one.Kind == AuditEventKind.Revoked).Select(one => one.Reason), Has.None.EqualTo("its permit is over"));
    }

    [Test]
    public async Task One_that_is_renewed_while_the_end_of_its_old_permit_waits_for_others_is_not_ended_with_that()
    {
        const int Turns = 16;
        string[] others = [.. Enumerable.Range(0, Turns).Select(i => $"other-{i}")];
        var renewing = new Gate();
        var revoking = new Gate();
        int asked = 0;
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.OnRevoke = async _ =>
        {
            Interlocked.Increment(ref asked);
            await revoking.PassAsync();
            return Revocation.Revoked;
        }, target => target.Scopes = ScopeSet.Of(["read", .. others]));
        using Gate alsoOpened = renewing;
        using Gate opened = revoking;
        DateTimeOffset ends = job.Time.GetUtcNow().AddMinutes(30);
        job.Issuer.Answer = request => request.Held is BearerToken held
            ? new Issued<BearerToken>(new BearerToken(held.Reveal(), job.Time.GetUtcNow().AddHours(2))) { IsRenewal = true, RevocationHandle = request.HeldHandle }
            : new Issued<BearerToken>(job.Issuer.NewToken()) { RevocationHandle = $"lease/{job.Issuer.Issued.Count}" };
        job.Policy.Decide = request => AccessDecision.Permit("timed", holdsUntil: request.IsRefresh ? ends.AddHours(1) : request.Scopes == ScopeSet.Of("read") ? ends : ends.AddSeconds(-2));
        var read = new CredentialRequest { Scopes = ScopeSet.Of("read") };
        BearerToken first = await job.Warehouse.GetAsync(read);
        foreach (string other in others)
            await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of(other) });
        job.Time.Advance(TimeSpan.FromMinutes(30) - TimeSpan.FromSeconds(6));
        job.Issuer.Gate = renewing;
        Task<BearerToken> asking = job.Warehouse.GetAsync(read).AsTask();
        await renewing.Reached;
        job.Time.Advance(TimeSpan.FromSeconds(5));
        await Eventually.HoldsAsync(() => Volatile.Read(ref asked) == Turns, "all turns taken");
        job.Time.Advance(TimeSpan.FromSeconds(2));
        await Eventually.HoldsAsync(() => job.Session.Leases.FlightsInTheAir == Turns + 2, "the end of the old permit, which waits for a turn");

        renewing.Open();
        await asking;
        await Eventually.HoldsAsync(() => job.Session.Leases.FlightsInTheAir == Turns + 1, "the renewal");
        revoking.Open();
        await job.QuietAsync();

        BearerToken renewed = await job.Warehouse.GetAsync(read);
        Assert.That((renewed.Fingerprint, ReferenceEquals(renewed, first)), Is.EqualTo((first.Fingerprint, false)), "it is handed out");
        Assert.That(job.Issuer.Revoked.Select(token => token.Fingerprint), Has.None.EqualTo(first.Fingerprint), "and lives");
        Assert.That(job.Issuer.Revoked, Has.Count.EqualTo(Turns));
    }

    [Test]
    public async Task One_whose_end_fails_when_its_permit_is_over_is_asked_to_end_again()
    {
        int asked = 0;
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Life = TimeSpan.FromHours(24));
        job.Issuer.OnRevoke = _ => Interlocked.Increment(ref asked) < 3 ? throw new TokenExchangeException(ErrorCodes.RevocationFailed, ExchangeStage.Revoke, "The endpoint is away.") : Task.FromResult(Revocation.Revoked);
        job.Policy.Decide = _ => AccessDecision.Permit("timed", holdsUntil: job.Time.GetUtcNow().AddMinutes(30));
        BearerToken token = await job.Warehouse.GetAsync();

        job.Time.Advance(TimeSpan.FromMinutes(30));
        await Eventually.HoldsAsync(() => Volatile.Read(ref asked) == 1, "the first try");
        await Eventually.HoldsAsync(() => job.Audit.Kinds.Contains(AuditEventKind.Orphaned), "its record");
        await Eventually.HoldsAsync(
            () =>
            {
                job.Time.Advance(TimeSpan.FromMinutes(1));   // a wait that is not begun yet waits for the next minute
                return job.Issuer.Revoked.Contains(token);
            },
            "its end, at the third try");
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(report.Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (token.Fingerprint, LeaseEnd.Revoked) }));
    }

    private static Task<TestJob> StartAsync(string limits, Action<TestExchanger>? issuer = null) => TestJob.StartAsync(issuer, more: b => b.Policy(Of(Permit("orders", ToWarehouse, limits))));

    [Test]
    public async Task The_audit_names_the_document_that_decided_though_another_came_into_force_in_between()
    {
        PolicyDocument before = PolicyDocument.Parse(Text(7, Permit("orders", ToWarehouse))), after = PolicyDocument.Parse(Text(8, Permit("orders-again", ToWarehouse)));
        var policy = new Moq.Mock<IAccessPolicy>();
        policy.Setup(one => one.Revision).Returns(before.Revision);
        policy.Setup(one => one.GetChangeToken()).Returns(after.GetChangeToken());
        policy.Setup(one => one.DecideAsync(Moq.It.IsAny<AccessRequest>(), Moq.It.IsAny<CancellationToken>())).Returns((AccessRequest request, CancellationToken token) => after.DecideAsync(request, token));
        await using TestJob job = await TestJob.StartAsync(more: b => b.Policy(policy.Object));

        await job.Warehouse.GetAsync();

        Assert.That(job.Audit.Events.Where(one => one.Kind is AuditEventKind.Permitted or AuditEventKind.Exchanging or AuditEventKind.Issued).Select(one => one.PolicyRevision), Is.EqualTo(Enumerable.Repeat(after.Revision, 3)));
    }
}
