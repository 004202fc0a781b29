using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests.Policy.Remote;

/// <summary>A job under a remote decision point: yes, no, narrower, shorter, and what stands in the audit. The servers are real.</summary>
internal sealed class RemotePolicyTests
{
    private static readonly EmulatedDecision Yes = new() { IsPermitted = true };

    [Test]
    public async Task A_permit_lets_the_exchange_happen_and_the_audit_has_the_decision_points_name_for_it([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Point.Rule = _ => new EmulatedDecision { IsPermitted = true, Rule = "orders-load" };

        await job.Warehouse.GetAsync();

        AuditEvent permitted = job.Audit.Events.Single(e => e.Kind == AuditEventKind.Permitted);
        Assert.That((permitted.Rule, job.Asked, job.Issuer.Requests.Count), Is.EqualTo(("orders-load", 1, 1)));
        Assert.That(permitted.PolicyRevision, Does.Contain(job.Point.Address.OriginalString));
        // AuthZEN: our own request id, which is the flight's, comes back. OPA: its decision id.
        Assert.That(permitted.CorrelationId, language == Language.AuthZen ? Is.EqualTo(permitted.FlightId.ToString()) : Is.Not.Null.And.Not.EqualTo(permitted.FlightId.ToString()));
    }

    [Test]
    public async Task A_deny_is_told_with_rule_and_reason_and_no_issuer_hears_of_it([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Point.Rule = _ => new EmulatedDecision { IsPermitted = false, Rule = "night", Reason = "time: expected before 18:00\r\n\u001b[31m" };

        AccessDeniedException denied = job.Denial();

        Assert.That((denied.Code, denied.Rule, job.Issuer.Requests.Count), Is.EqualTo(("NHI3001", "night", 0)));
        Assert.That(denied.Message, Does.Contain("Rule 'night' denies access: time: expected before 18:00"));
        Assert.That(denied.Message.Where(char.IsControl), Is.Empty);
        AuditEvent recorded = job.Audit.Events.Single(e => e.Kind == AuditEventKind.Denied);
        Assert.That((recorded.Rule, recorded.CorrelationId), Is.EqualTo(("night", denied.CorrelationId)));
    }

    [Test]
    public async Task Nothing_decided_is_a_deny_that_says_so([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Point.Rule = _ => null;

        Assert.That(job.Denial().Message, Does.Contain(language == Language.AuthZen ? "gave no reason" : "'tokens/decision' is undefined for this input"));
    }

    [Test]
    public async Task What_is_permitted_narrower_and_shorter_is_asked_of_the_issuer_so_and_ends_with_the_permit([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Point.Rule = _ => new EmulatedDecision { IsPermitted = true, Scopes = ["read"], MaxLifetime = TimeSpan.FromMinutes(10), HoldsFor = TimeSpan.FromMinutes(5) };

        BearerToken token = await job.Warehouse.GetAsync();

        ExchangeRequest asked = job.Issuer.Requests.Single();
        Assert.That((asked.Scopes.ToString(), asked.MaxLifetime), Is.EqualTo(("read", TimeSpan.FromMinutes(10))));
        Assert.That(token.UnusableFrom, Is.EqualTo(job.Time.GetUtcNow().AddMinutes(5)).Within(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public async Task A_longer_life_than_the_targets_changes_nothing_and_wider_scopes_are_refused([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Point.Rule = _ => new EmulatedDecision { IsPermitted = true, MaxLifetime = TimeSpan.FromDays(9) };
        await job.Warehouse.GetAsync();
        Assert.That(job.Issuer.Requests.Single().MaxLifetime, Is.EqualTo(TimeSpan.FromHours(1)));

        await using DecidedJob other = await DecidedJob.StartAsync(language);
        other.Point.Rule = _ => new EmulatedDecision { IsPermitted = true, Scopes = ["read", "admin"] };
        Assert.That((other.Failure().Code, other.Issuer.Requests.Count), Is.EqualTo(("NHI3003", 0)));
    }

    [Test]
    public async Task A_permit_that_leaves_nothing_to_ask_for_is_a_deny_under_the_decision_points_name_that_is_asked_again([Values] Language language, [Values] bool hasLifetime)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Point.Rule = _ => new EmulatedDecision { IsPermitted = true, Scopes = ["read"], HoldsFor = hasLifetime ? TimeSpan.FromHours(1) : null };
        job.Issuer.Flaw = scopes => scopes.Values.Count == 1 ? "are one; this issuer takes two" : null;

        AccessDeniedException denied = job.Denial();

        Assert.That((denied.CorrelationId, job.Audit.Events.Single(one => one.Kind == AuditEventKind.Denied).CorrelationId), Is.EqualTo((denied.CorrelationId, denied.CorrelationId)));
        Assert.That(denied.CorrelationId, Is.Not.Null);
        job.Denial();
        Assert.That(job.Asked, Is.EqualTo(1), "it holds for a while");
        job.Point.Rule = _ => Yes;
        job.Time.Advance(RemotePolicy.DenyHolds + TimeSpan.FromSeconds(1));
        await job.Warehouse.GetAsync();
    }

    [Test]
    public async Task A_permit_with_a_lifetime_that_leaves_nothing_is_asked_again_after_ten_seconds_each_time_and_not_before([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Point.Rule = _ => new EmulatedDecision { IsPermitted = true, Scopes = ["read"], HoldsFor = TimeSpan.FromHours(1) };
        job.Issuer.Flaw = scopes => scopes.Values.Count == 1 ? "are one; this issuer takes two" : null;
        for (int round = 1; round <= 3; round++)
        {
            job.Denial();
            job.Denial();
            Assert.That((job.Asked, job.Audit.Kinds.Count(kind => kind == AuditEventKind.Attested)), Is.EqualTo((round, round)));
            job.Time.Advance(RemotePolicy.DenyHolds + TimeSpan.FromSeconds(1));
        }

        job.Point.Rule = _ => Yes;

        await job.Warehouse.GetAsync();
    }

    [Test]
    public async Task A_permit_with_a_lifetime_that_is_wider_than_what_was_asked_for_is_not_remembered([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Point.Rule = _ => new EmulatedDecision { IsPermitted = true, Scopes = ["read", "admin"], HoldsFor = TimeSpan.FromHours(1) };
        Assert.That(job.Failure().Code, Is.EqualTo("NHI3003"));
        job.Point.Rule = _ => Yes;
        job.Time.Advance(TimeSpan.FromMinutes(2));

        await job.Warehouse.GetAsync();
    }

    [Test]
    public async Task A_refresh_is_asked_for_anew_and_a_deny_ends_what_is_held([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        BearerToken old = await job.Warehouse.GetAsync();
        job.Point.Rule = question => new EmulatedDecision { IsPermitted = !(bool)question["action"]!["properties"]!["is_refresh"]!, Reason = "no more" };

        await job.RefreshAsync(TimeSpan.FromMinutes(45));

        Assert.That((job.Asked, job.Issuer.Revoked.Single()), Is.EqualTo((2, old)));
        Assert.That(job.Denial().Message, Does.Contain("no more"));
    }

    [Test]
    public async Task A_decision_point_that_is_gone_takes_nothing_away_before_the_permit_ends_and_then_nothing_is_granted([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Point.Rule = _ => new EmulatedDecision { IsPermitted = true, HoldsFor = TimeSpan.FromMinutes(20) };
        BearerToken old = await job.Warehouse.GetAsync();
        job.Emulator.Faults.Always(job.Endpoint, Fault.Reset());

        await job.RefreshAsync(TimeSpan.FromMinutes(12));
        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(old), "its permit holds");
        Assert.That(job.Audit.Events[^1].Code, Is.EqualTo("NHI3002"));

        job.Time.Advance(TimeSpan.FromMinutes(9));
        Assert.That((job.Failure().Code, job.Issuer.Requests.Count), Is.EqualTo(("NHI3002", 1)));
    }

    [Test]
    public async Task A_permit_without_a_lifetime_is_asked_for_at_each_issue_and_one_with_it_is_remembered_for_the_first_half([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        await IssueAsync();
        await IssueAsync();
        Assert.That(job.Asked, Is.EqualTo(2), "nothing was said of how long it holds");

        job.Point.Rule = _ => new EmulatedDecision { IsPermitted = true, HoldsFor = TimeSpan.FromMinutes(30) };
        await IssueAsync();
        await IssueAsync();
        Assert.That(job.Asked, Is.EqualTo(3));
        job.Time.Advance(TimeSpan.FromMinutes(16));
        await IssueAsync();
        Assert.That(job.Asked, Is.EqualTo(4));

        async Task IssueAsync()
        {
            BearerToken token = await job.Warehouse.GetAsync();
            await job.Session.RevokeCredentialAsync(token, "another one is wanted");
        }
    }

    [Test]
    public async Task What_a_refresh_was_denied_is_not_issued_by_an_older_yes([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Point.Rule = question => (bool)question["action"]!["properties"]!["is_refresh"]! ? new EmulatedDecision { IsPermitted = false, Reason = "no more" } : new EmulatedDecision { IsPermitted = true, MaxLifetime = TimeSpan.FromMinutes(4), HoldsFor = TimeSpan.FromHours(8) };
        await job.Warehouse.GetAsync();
        await job.RefreshAsync(TimeSpan.FromMinutes(3));
        job.Point.Rule = _ => new EmulatedDecision { IsPermitted = false, Reason = "no more" };
        job.Time.Advance(RemotePolicy.DenyHolds);

        job.Denial();

        Assert.That((job.Asked, job.Issuer.Requests.Count), Is.EqualTo((3, 1)));
    }

    [Test]
    public async Task A_deny_without_a_lifetime_is_asked_again_after_ten_seconds_and_not_before([Values] Language language)
    {
        await using DecidedJob job = await DecidedJob.StartAsync(language);
        job.Point.Rule = _ => new EmulatedDecision { IsPermitted = false };
        job.Denial();
        job.Point.Rule = _ => Yes;

        job.Denial();
        Assert.That(job.Asked, Is.EqualTo(1));
        job.Time.Advance(RemotePolicy.DenyHolds);

        await job.Warehouse.GetAsync();
        Assert.That(job.Asked, Is.EqualTo(2));
    }

    [Test]
    public async Task Claims_leave_and_no_token_does([Values] Language language)
    {
        string? minted = null;
        IWorkloadIdentitySource source = IdentitySources.From((request, _) =>
        {
            minted = TestProofs.Jwt(new ManualTimeProvider(), request.Audience.ToString(), claims => (claims["repository"], claims["email"], claims["actor"]) = ("acme/orders", "ann@acme.example", "ann"));
            return new ValueTask<SubjectToken>(new SubjectToken(minted, SubjectTokenType.Jwt));
        });
        await using DecidedJob job = await DecidedJob.StartAsync(language, source);

        BearerToken token = await job.Warehouse.GetAsync();

        string question = job.Point.Questions.Single();
        JsonNode asked = JsonNode.Parse(question)!;
        JsonNode subject = (language == Language.Opa ? asked["input"]! : asked)["subject"]!;
        Assert.That((string?)subject["properties"]!["claims"]!["repository"], Is.EqualTo("acme/orders"));
        Assert.That(minted!.Split('.').Append(token.Reveal()).Where(part => question.Contains(part, StringComparison.Ordinal)), Is.Empty);
        Assert.That(question, Does.Not.Contain("ann").And.Not.Contain("jti"), "who pushed is a person");
    }
}
