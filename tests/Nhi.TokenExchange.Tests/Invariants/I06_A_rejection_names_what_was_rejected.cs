namespace Nhi.TokenExchange.Tests.Invariants;

/// <summary>DESIGN 5.6: ten callers refused with the same old token cause one flight; one refused with an old token while a newer is there gets the newer.</summary>
public class I06_A_rejection_names_what_was_rejected
{
    [Test]
    public async Task Ten_rejections_of_one_credential_are_one_exchange()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();

        BearerToken[] got = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => Task.Run(async () =>
        {
            job.Warehouse.Reject(old);
            return await job.Warehouse.GetAsync();
        })));

        Assert.That(got, Has.None.SameAs(old));
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_late_rejection_of_an_old_credential_gets_the_newer_without_an_exchange()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();
        job.Warehouse.Reject(old);
        BearerToken newer = await job.Warehouse.GetAsync();

        job.Warehouse.Reject(old);

        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(newer));
        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_rejected_narrower_credential_is_found_among_the_varying_ones()
    {
        await using TestJob job = await TestJob.StartAsync();
        var read = new CredentialRequest { Scopes = ScopeSet.Of("read") };
        BearerToken old = await job.Warehouse.GetAsync(read);

        job.Warehouse.Reject(old);

        Assert.That(await job.Warehouse.GetAsync(read), Is.Not.SameAs(old));
    }
}
