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
}
