namespace Nhi.TokenExchange.Tests.Credentials;

public class CredentialCallerTests
{
    private static readonly CredentialCaller Psql = new("client 1", "psql", 4711, 1000);
    private static readonly CredentialCaller Another = new("client 2", "psql", 4712, 1000);

    [Test]
    public async Task Each_caller_gets_a_credential_of_its_own_and_keeps_it()
    {
        await using TestJob job = await TestJob.StartAsync();

        BearerToken own = await job.Warehouse.GetAsync();
        BearerToken first = await job.Warehouse.GetAsync(new CredentialRequest { Caller = Psql });
        BearerToken other = await job.Warehouse.GetAsync(new CredentialRequest { Caller = Another });
        BearerToken narrow = await job.Warehouse.GetAsync(new CredentialRequest { Caller = Psql, Scopes = ScopeSet.Of("read") });

        Assert.That(new[] { own, first, other, narrow }, Is.Unique);
        Assert.That(await job.Warehouse.GetAsync(new CredentialRequest { Caller = new CredentialCaller("client 1", "psql", 4711, 1000), Scopes = ScopeSet.Of("write", "read") }), Is.SameAs(first), "said or unsaid, the target's scopes are one key");
    }

    [Test]
    public async Task Policy_and_audit_are_told_who_it_is_for()
    {
        await using TestJob job = await TestJob.StartAsync();
        var asked = new List<CredentialCaller?>();
        job.Policy.Decide = request =>
        {
            asked.Add(request.Caller);
            return AccessDecision.Permit("all");
        };

        await job.Warehouse.GetAsync(new CredentialRequest { Caller = Psql });
        await job.Warehouse.GetAsync();

        Assert.That(asked, Is.EqualTo(new[] { Psql, null }));
        Assert.That(job.Audit.Events.Where(e => e.Kind == AuditEventKind.Issued).Select(e => e.Caller), Is.EqualTo(new[] { Psql, null }));
    }

    [Test]
    public async Task A_credential_is_alive_until_it_is_ended_or_dead_of_age()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken ended = await job.Warehouse.GetAsync(new CredentialRequest { Caller = Psql });
        BearerToken aged = await job.Warehouse.GetAsync(new CredentialRequest { Caller = Another });
        Assert.That((job.Session.IsAlive(ended), job.Session.IsAlive(aged)), Is.EqualTo((true, true)));

        await job.Session.RevokeCredentialAsync(ended, "it is used up");
        Assert.That((job.Session.IsAlive(ended), job.Session.IsAlive(aged)), Is.EqualTo((false, true)));
        job.Time.Advance(TimeSpan.FromDays(1));

        Assert.That(job.Session.IsAlive(aged), Is.False);
        Assert.That(() => job.Session.IsAlive(new BearerToken("x", DateTimeOffset.MaxValue)), Throws.ArgumentException);
    }

    [Test]
    public async Task What_is_ended_for_a_caller_is_all_of_it_what_a_refresh_brought_in_the_background_too_and_nothing_of_others()
    {
        await using TestJob job = await TestJob.StartAsync();
        var request = new CredentialRequest { Caller = Psql };
        BearerToken first = await job.Warehouse.GetAsync(request);
        BearerToken narrow = await job.Warehouse.GetAsync(new CredentialRequest { Caller = Psql, Scopes = ScopeSet.Of("read") });
        BearerToken other = await job.Warehouse.GetAsync(new CredentialRequest { Caller = Another });
        BearerToken own = await job.Warehouse.GetAsync();
        job.Time.Advance(first.UnusableFrom - job.Time.GetUtcNow() - TimeSpan.FromSeconds(30));
        Assert.That(await job.Warehouse.GetAsync(request), Is.SameAs(first), "its successor comes in the background");
        await Eventually.HoldsAsync(() => job.Issuer.Issued.Count == 5, "the successor is issued");
        await job.QuietAsync();
        BearerToken successor = job.Issuer.Issued.Last();

        IReadOnlyList<Credential> left = await job.Session.RevokeCallerAsync(Psql, "it is gone");

        Assert.That(left, Is.Empty);
        Assert.That(new[] { first, narrow, successor, other, own }.Select(job.Session.IsAlive), Is.EqualTo(new[] { false, false, false, true, true }));
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(new[] { first, narrow, successor }));
        Assert.That(await job.Warehouse.GetAsync(request), Is.Not.SameAs(successor));
    }

    [Test]
    public async Task What_an_exchange_in_the_air_brings_for_a_caller_that_was_ended_is_ended_when_it_lands()
    {
        await using TestJob job = await TestJob.StartAsync();
        using var gate = new Gate();
        job.Issuer.Gate = gate;
        using var over = new CancellationTokenSource();
        Task<BearerToken> asking = job.Warehouse.GetAsync(new CredentialRequest { Caller = Psql }, over.Token).AsTask();
        await gate.Reached;

        await job.Session.RevokeCallerAsync(Psql, "it is gone");
        await over.CancelAsync();
        gate.Open();
        await job.QuietAsync();

        Assert.That(async () => await asking, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(job.Issuer.Revoked, Is.EqualTo(job.Issuer.Issued).And.Exactly(1).Items);
    }

    [Test]
    public void A_permit_for_a_caller_is_none_for_the_job_itself()
    {
        PolicyDocument policy = PolicyDocument.Parse("""{ "version": 1, "revision": 1, "rules": [ { "name": "p", "effect": "permit", "when": { "target": "warehouse", "subject": { "present": true }, "caller": "psql" } } ] }""");
        PolicyTestResult[] results = [.. PolicyTests.Run(policy, """
            { "cases": [
              { "name": "psql", "request": { "target": "warehouse", "subject": "s", "caller": "psql" }, "expect": { "decision": "permit", "rule": "p" } },
              { "name": "another", "request": { "target": "warehouse", "subject": "s", "caller": "sqlcmd" }, "expect": { "decision": "deny" } },
              { "name": "the job", "request": { "target": "warehouse", "subject": "s" }, "expect": { "decision": "deny" } } ] }
            """)];

        Assert.That(results.Where(result => !result.IsMet).Select(result => result.ToString()), Is.Empty);
    }

    [Test]
    public void An_id_and_a_name_are_needed() =>
        Assert.Multiple(() =>
        {
            Assert.That(() => new CredentialCaller("", "psql"), Throws.ArgumentException);
            Assert.That(() => new CredentialCaller("client 1", ""), Throws.ArgumentException);
        });
}
