namespace Nhi.TokenExchange.Tests.Invariants;

/// <summary>DESIGN 5.15: stage, target, code, transient or not, correlation id, hint; each caller gets an exception of its own.</summary>
public class I15_One_exception_family
{
    [Test]
    public async Task C3_Each_waiter_gets_its_own_exception_with_the_cause_inside()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Gate = new Gate());
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "invalid_target")
        {
            IssuerError = "invalid_target", CorrelationId = "req-7", Hint = "Correct the audience.",
        };
        Task<BearerToken>[] asking = [.. Enumerable.Range(0, 20).Select(_ => Task.Run(() => job.Warehouse.GetAsync().AsTask()))];
        await job.Issuer.Gate!.Reached;
        await Eventually.HoldsAsync(() => job.Issuer.Requests.Count > 0, "a request");
        job.Issuer.Gate.Open();

        var errors = new List<TokenExchangeException>();
        foreach (Task<BearerToken> one in asking)
            errors.Add(Assert.ThrowsAsync<TokenExchangeException>(() => one)!);

        Assert.That(errors, Is.Unique);
        TokenExchangeException error = errors[0];
        Assert.That((error.Code, error.Stage, error.Target, error.IsTransient, error.IssuerError, error.CorrelationId), Is.EqualTo(("NHI4001", ExchangeStage.Exchange, "warehouse", false, "invalid_target", "req-7")));
        Assert.That(error.Message, Does.StartWith("NHI4001 target 'warehouse':").And.Contain("Correct the audience.").And.Contain("req-7"));
        Assert.That(error.InnerException, Is.InstanceOf<TokenExchangeException>());
    }

    [Test]
    public async Task An_exchanger_that_throws_something_else_is_wrapped()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Issuer.Answer = _ => throw new InvalidOperationException("canary-must-not-show");

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That((error!.Code, error.Target), Is.EqualTo(("NHI4008", "warehouse")));
        Assert.That(error.Message, Does.Contain("InvalidOperationException").And.Not.Contain("canary"));
    }
}
