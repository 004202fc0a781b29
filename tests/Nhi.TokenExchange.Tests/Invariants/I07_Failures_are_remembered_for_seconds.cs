namespace Nhi.TokenExchange.Tests.Invariants;

/// <summary>DESIGN 5.7: failures are remembered for seconds and shown in the error; nothing is remembered for the life of the process.</summary>
public class I07_Failures_are_remembered_for_seconds
{
    [Test]
    public async Task The_error_says_when_the_next_try_is_and_asking_meanwhile_costs_the_issuer_nothing()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4002", ExchangeStage.Exchange, "down") { IsTransient = true, RetryAfter = TimeSpan.FromSeconds(4) };

        TokenExchangeException? first = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());
        job.Time.Advance(TimeSpan.FromSeconds(1));
        TokenExchangeException? second = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That(first!.Message, Does.Contain("Next try in 4 s"));
        Assert.That(second!.Message, Does.Contain("Next try in 3 s"));
        Assert.That(second.RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(3)));
        Assert.That(second, Is.Not.SameAs(first));
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task After_that_the_next_call_tries_again_and_success_forgets_the_failure()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "invalid_client");
        Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());
        job.Issuer.Answer = null;

        job.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.That(await job.Warehouse.GetAsync(), Is.Not.Null);
    }
}
