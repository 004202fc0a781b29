using System.Security.Cryptography;

namespace Nhi.TokenExchange.Tests.Invariants;

/// <summary>DESIGN 5.13: wider is an error and the credential is revoked; narrower and silent answers pass.</summary>
public class I13_The_answer_is_checked_against_the_question
{
    [TestCase(null, true)]
    [TestCase("read", true)]
    [TestCase("write read", true)]
    [TestCase("read admin", false)]
    [TestCase("READ", false)]
    public async Task Granted_scopes_are_a_subset_of_the_asked(string? granted, bool accepted)
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken()) { GrantedScopes = granted is null ? null : ScopeSet.Parse(granted) };

        if (accepted)
        {
            await job.Warehouse.GetAsync();
            Assert.That(job.Issuer.Revoked, Is.Empty);
        }
        else
        {
            TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());
            Assert.That(error!.Code, Is.EqualTo("NHI5001"));
            Assert.That(job.Issuer.Revoked, Has.Count.EqualTo(1));
        }
    }

    [Test]
    public async Task A_granted_scope_that_was_not_asked_for_and_may_be_a_token_is_quoted_nowhere([Values] bool asks, [Values(30, 32)] int digits)
    {
        string opaque = RandomNumberGenerator.GetHexString(digits, lowercase: true);
        await using TestJob job = await TestJob.StartAsync(target: t => t.Scopes = asks ? ScopeSet.Of("read") : ScopeSet.Empty);
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken()) { GrantedScopes = ScopeSet.Of("read", opaque) };

        if (asks)
        {
            TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;
            Assert.That(error.Code, Is.EqualTo("NHI5001"));
            Assert.That(error.ToString(), Does.Contain("'[redacted] read' were granted").And.Not.Contain(opaque));
        }
        else
        {
            await job.Warehouse.GetAsync();
            Assert.That(job.Audit.Events.Single(e => e.Kind == AuditEventKind.Issued).Scopes, Is.EqualTo(ScopeSet.Of("[redacted]", "read")));
        }
        Assert.That(job.Audit.Text, Does.Not.Contain(opaque));
    }

    [TestCase("https://www.googleapis.com/auth/cloud-platform.read-only")]
    [TestCase("api://5a5a0000-0000-4000-8000-000000000001/access_as_user")]
    [TestCase("dataset:orders-2026:read")]
    public async Task A_scope_with_a_readable_name_is_recorded_as_the_issuer_says_it(string scope) =>
        Assert.That(await RecordedAsync(ScopeSet.Empty, scope), Is.EqualTo(ScopeSet.Of(scope)));

    [Test]
    public async Task A_scope_that_was_asked_for_is_recorded_whatever_it_looks_like()
    {
        string opaque = RandomNumberGenerator.GetHexString(30, lowercase: true);
        Assert.That(await RecordedAsync(ScopeSet.Of(opaque), opaque), Is.EqualTo(ScopeSet.Of(opaque)));
    }

    private static async Task<ScopeSet> RecordedAsync(ScopeSet asked, string granted)
    {
        await using TestJob job = await TestJob.StartAsync(target: t => t.Scopes = asked);
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken()) { GrantedScopes = ScopeSet.Of(granted) };
        await job.Warehouse.GetAsync();
        return job.Audit.Events.Single(e => e.Kind == AuditEventKind.Issued).Scopes;
    }
}
