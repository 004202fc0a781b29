namespace Nhi.TokenExchange.Tests.Invariants;

/// <summary>DESIGN 5.8: rule, claim, expected, presented; a policy change is pushed and ends what was granted before.</summary>
public class I08_Deny_is_final_and_explained
{
    [Test]
    public async Task A_policy_sees_job_identity_and_target()
    {
        await using TestJob job = await TestJob.StartAsync();
        AccessRequest? seen = null;
        job.Policy.Decide = request =>
        {
            seen = request;
            return AccessDecision.Permit("look");
        };

        await job.Warehouse.GetAsync();

        Assert.Multiple(() =>
        {
            Assert.That(seen!.Target, Is.EqualTo("warehouse"));
            Assert.That(seen.Job.Dataset, Is.EqualTo("orders"));
            Assert.That(seen.SubjectIssuer, Is.EqualTo("https://issuer.test"));
            Assert.That(seen.Subject, Is.EqualTo("job:orders"));
            Assert.That(seen.Scopes.ToString(), Is.EqualTo("read write"));
            Assert.That(seen.IsRefresh, Is.False);
        });
    }

    [Test]
    public async Task A_refresh_is_decided_anew_and_a_denial_ends_the_running_grant()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();
        bool refresh = false;
        job.Policy.Decide = request =>
        {
            refresh = request.IsRefresh;
            return AccessDecision.Deny("night", "time: expected before 18:00");
        };
        job.Time.Advance(TimeSpan.FromMinutes(45));

        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(old), "due, and not decided yet");
        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count > 0, "a revocation");

        Assert.That(refresh, Is.True);
        Assert.That(job.Issuer.Revoked.Single(), Is.SameAs(old));
        Assert.ThrowsAsync<AccessDeniedException>(async () => await job.Warehouse.GetAsync());
    }

    [Test]
    public async Task A_policy_change_ends_what_a_refresh_replaced_or_a_target_refused_too_and_nothing_that_was_decided_after_it()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken first = await job.Warehouse.GetAsync();
        job.Time.Advance(TimeSpan.FromMinutes(45));
        await job.Warehouse.GetAsync();
        await Eventually.HoldsAsync(() => job.Warehouse.TryGet(out BearerToken? held) && held != first, "the landing of the refresh");
        Assert.That(job.Warehouse.TryGet(out BearerToken? second), Is.True);
        job.Warehouse.Reject(second!);
        BearerToken third = await job.Warehouse.GetAsync();

        job.Policy.Change("2", _ => AccessDecision.Permit("all"));
        BearerToken after = await job.Warehouse.GetAsync();

        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count == 3, "three revocations");
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(new[] { first, second, third }));
        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(after));
    }

    [Test]
    public async Task A_policy_that_cannot_decide_gives_no_new_grant_and_takes_none_away()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();
        job.Policy.Decide = _ => throw new InvalidOperationException("unreachable");
        job.Time.Advance(TimeSpan.FromMinutes(45));

        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(old));
        await Eventually.HoldsAsync(() => job.Audit.Kinds.Contains(AuditEventKind.Failed), "the record of a failure");

        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(old));
        job.Time.Advance(TimeSpan.FromMinutes(20));
        Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());
    }

    [Test]
    public async Task Who_asks_after_a_change_gets_only_what_was_decided_after_it()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken before = await job.Warehouse.GetAsync();

        job.Policy.Change("2", _ => AccessDecision.Permit("still"));

        Assert.That(job.Warehouse.TryGet(out _), Is.False);
        Assert.That(await job.Warehouse.GetAsync(), Is.Not.SameAs(before));
        Assert.That(job.Audit.Events.Last(e => e.Kind == AuditEventKind.Issued).PolicyRevision, Is.EqualTo("2"));
    }

    [Test]
    public async Task A_change_ends_what_a_refresh_replaced_and_a_target_refused_as_well()
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Life = TimeSpan.FromHours(3));
        BearerToken replaced = await job.Warehouse.GetAsync();
        BearerToken refused = await RefreshedAsync(job, TimeSpan.FromMinutes(45));
        job.Warehouse.Reject(refused);
        BearerToken held = await job.Warehouse.GetAsync();
        BearerToken ofAnotherKey = await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of("read") });
        Assert.That(job.Issuer.Revoked, Is.Empty);

        job.Policy.Change("2", _ => AccessDecision.Permit("still"));
        BearerToken after = await job.Warehouse.GetAsync();
        await Eventually.HoldsAsync(() => job.Audit.Kinds.Count(kind => kind == AuditEventKind.Revoked) >= 4, "the end of what was decided before, and its record");
        await job.QuietAsync();

        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(new[] { replaced, refused, held, ofAnotherKey }));
        Assert.That(job.Audit.Events.Where(e => e.Kind == AuditEventKind.Revoked).Select(e => e.Reason), Is.EqualTo(Enumerable.Repeat("the policy changed", 4)));
        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(after));
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(job.Issuer.Revoked.Count(one => one == after), Is.EqualTo(1), "each is ended once");
        Assert.That(report.Leases, Has.Count.EqualTo(5));
    }

    [Test]
    public async Task A_denial_at_a_refresh_ends_what_an_earlier_one_replaced_and_nothing_of_another_key()
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Life = TimeSpan.FromHours(3));
        var narrow = new CredentialRequest { Scopes = ScopeSet.Of("read") };
        BearerToken replaced = await job.Warehouse.GetAsync();
        BearerToken held = await RefreshedAsync(job, TimeSpan.FromMinutes(45));
        BearerToken ofAnotherKey = await job.Warehouse.GetAsync(narrow);
        job.Policy.Decide = request => request.Scopes.Contains("write") ? AccessDecision.Deny("night", "time: expected before 18:00") : AccessDecision.Permit("all");
        job.Time.Advance(TimeSpan.FromMinutes(45));

        _ = await job.Warehouse.GetAsync();
        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count >= 2, "the end of what the rule denies now");
        await job.QuietAsync();

        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(new[] { replaced, held }));
        Assert.That(await job.Warehouse.GetAsync(narrow), Is.SameAs(ofAnotherKey));
    }

    [Test]
    public async Task A_denial_of_a_key_that_holds_nothing_any_more_ends_what_lives_on_at_the_issuer()
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Life = TimeSpan.FromHours(3));
        BearerToken handedOutNoMore = await job.Warehouse.GetAsync();
        job.Policy.Decide = _ => AccessDecision.Deny("night", "time: expected before 18:00");
        job.Time.Advance(TimeSpan.FromMinutes(90));

        Assert.ThrowsAsync<AccessDeniedException>(async () => await job.Warehouse.GetAsync());
        await job.QuietAsync();

        Assert.That(job.Issuer.Revoked, Is.EqualTo(new[] { handedOutNoMore }));
    }

    private static async Task<BearerToken> RefreshedAsync(TestJob job, TimeSpan after)
    {
        job.Time.Advance(after);
        _ = await job.Warehouse.GetAsync();
        await job.QuietAsync();
        return await job.Warehouse.GetAsync();
    }
}
