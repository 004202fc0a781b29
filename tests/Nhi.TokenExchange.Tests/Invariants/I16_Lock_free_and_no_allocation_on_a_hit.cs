namespace Nhi.TokenExchange.Tests.Invariants;

/// <summary>DESIGN 5.16: a hit completes synchronously and allocates nothing. What it costs in time is the benchmarks' to say.</summary>
public class I16_Lock_free_and_no_allocation_on_a_hit
{
    [Test]
    public async Task A_hit_allocates_nothing()
    {
        await using TestJob job = await TestJob.StartAsync();
        await job.Warehouse.GetAsync();
        long before = Measure(job.Warehouse, 10_000);   // the JIT's own allocations come before

        before = Measure(job.Warehouse, 10_000);

        Assert.That(before, Is.Zero);
    }

    [Test]
    public async Task A_hit_completes_synchronously()
    {
        await using TestJob job = await TestJob.StartAsync();
        await job.Warehouse.GetAsync();

        ValueTask<BearerToken> hit = job.Warehouse.GetAsync();
        bool synchronous = hit.IsCompletedSuccessfully;
        await hit;

        Assert.That(synchronous, Is.True);
    }

    private static long Measure(CredentialProvider<BearerToken> provider, int calls)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        int completed = 0;
        for (int i = 0; i < calls; i++)
        {
            ValueTask<BearerToken> hit = provider.GetAsync();
            if (hit.IsCompletedSuccessfully && hit.GetAwaiter().GetResult() is not null)
                completed++;
        }
        long after = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(completed, Is.EqualTo(calls));
        return after - before;
    }
}
