namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>1,000 callers at once while the issuer's gate is shut.</summary>
public class StampedeTests
{
    private const int Callers = 1000;

    private static Task<BearerToken>[] Stampede(Func<Task<BearerToken>> get)
    {
        var tasks = new Task<BearerToken>[Callers];
        Parallel.For(0, Callers, i => tasks[i] = get());
        return tasks;
    }

    [Test]
    public async Task A_cold_key_costs_exactly_one_flight([Values] bool throughCache)
    {
        var bench = new SlotBench();
        Task<BearerToken>[] callers = Stampede(Getter(bench, throughCache));
        Assert.That(callers.Count(caller => caller.IsCompleted), Is.Zero);
        BearerToken? token = (await bench.DepartureAsync()).Land(bench);
        Assert.That(await Task.WhenAll(callers), Is.All.SameAs(token));
        Assert.That(bench.Started, Is.EqualTo(1));
    }

    [Test]
    public async Task An_expired_key_costs_exactly_one_flight([Values] bool throughCache)
    {
        var bench = new SlotBench();
        Func<Task<BearerToken>> get = Getter(bench, throughCache);
        _ = get();
        (await bench.DepartureAsync()).Land(bench);
        bench.Hands.Advance(TimeSpan.FromSeconds(61));
        Task<BearerToken>[] callers = Stampede(get);
        Assert.That(callers.Count(caller => caller.IsCompleted), Is.Zero);
        BearerToken? token = (await bench.DepartureAsync()).Land(bench);
        Assert.That(await Task.WhenAll(callers), Is.All.SameAs(token));
        Assert.That(bench.Started, Is.EqualTo(2));
    }

    [Test]
    public async Task A_due_key_costs_exactly_one_flight_and_holds_nobody([Values] bool throughCache)
    {
        var bench = new SlotBench();
        Func<Task<BearerToken>> get = Getter(bench, throughCache);
        Task<BearerToken> first = get();
        BearerToken? old = (await bench.DepartureAsync()).Land(bench);
        await first;
        bench.Hands.Advance(TimeSpan.FromSeconds(31));
        Task<BearerToken>[] callers = Stampede(get);
        Assert.That(callers.Count(caller => caller.IsCompletedSuccessfully), Is.EqualTo(Callers), "the gate is shut");
        Assert.That(await Task.WhenAll(callers), Is.All.SameAs(old));
        Assert.That(bench.Started, Is.EqualTo(2));
    }

    private static Func<Task<BearerToken>> Getter(SlotBench bench, bool throughCache)
    {
        var slot = new ExpiringSlot<BearerToken>(bench);
        var cache = new ExpiringCache<BearerToken>(bench);
        return throughCache
            ? () => cache.GetAsync(new CredentialRequest { Tenant = "t" }, CancellationToken.None).AsTask()
            : () => slot.GetAsync(null, CancellationToken.None).AsTask();
    }
}
