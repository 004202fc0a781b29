namespace Nhi.TokenExchange.Tests.Invariants;

/// <summary>DESIGN 5.4: one flight per key, however many callers; it belongs to nobody.</summary>
public class I04_One_flight_per_key
{
    private const int Callers = 1000;

    [Test]
    public async Task A_thousand_callers_of_a_cold_target_are_one_exchange()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Gate = new Gate());

        Task<BearerToken>[] asking = [.. Enumerable.Range(0, Callers).Select(_ => Task.Run(() => job.Warehouse.GetAsync().AsTask()))];
        await job.Issuer.Gate!.Reached;
        job.Issuer.Gate.Open();
        BearerToken[] got = await Task.WhenAll(asking);

        Assert.That(got.Distinct().ToArray(), Has.Length.EqualTo(1));
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_thousand_callers_of_a_due_target_are_one_exchange_and_nobody_waits()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();
        job.Issuer.Gate = new Gate();
        job.Time.Advance(TimeSpan.FromMinutes(45));

        BearerToken[] got = await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(() => job.Warehouse.GetAsync().AsTask())));   // the gate is shut

        Assert.That(got, Is.All.SameAs(old));
        await job.Issuer.Gate.Reached;
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_caller_that_gives_up_leaves_the_flight_to_the_others()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Gate = new Gate());
        using var impatient = new CancellationTokenSource();
        Task<BearerToken> first = job.Warehouse.GetAsync(impatient.Token).AsTask();
        await job.Issuer.Gate!.Reached;
        Task<BearerToken> second = job.Warehouse.GetAsync().AsTask();

        await impatient.CancelAsync();
        Assert.That(async () => await first, Throws.InstanceOf<OperationCanceledException>());
        job.Issuer.Gate.Open();

        Assert.That(await second, Is.Not.Null);
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Callers_that_want_other_scopes_are_other_keys_and_scopes_in_another_order_are_not()
    {
        await using TestJob job = await TestJob.StartAsync();

        BearerToken whole = await job.Warehouse.GetAsync();
        BearerToken read = await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of("read") });
        BearerToken readAgain = await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Parse("read read") });
        BearerToken wholeAgain = await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of("write", "read") });
        BearerToken tenant = await job.Warehouse.GetAsync(new CredentialRequest { Tenant = "t1" });

        Assert.That(read, Is.Not.SameAs(whole));
        Assert.That(readAgain, Is.SameAs(read));
        Assert.That(wholeAgain, Is.SameAs(whole));
        Assert.That(tenant, Is.Not.SameAs(whole));
        Assert.That(job.Issuer.Requests.Select(r => r.Scopes.ToString()), Is.EqualTo(new[] { "read write", "read", "read write" }));
    }

    [Test]
    public async Task Scopes_outside_the_targets_are_refused()
    {
        await using TestJob job = await TestJob.StartAsync();

        TokenExchangeException? error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of("admin") }));

        Assert.That(error!.Code, Is.EqualTo("NHI3003"));
        Assert.That(job.Issuer.Requests, Is.Empty);
    }
}
