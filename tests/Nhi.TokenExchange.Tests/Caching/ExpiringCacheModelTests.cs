namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>Random steps of the cache beside a plain dictionary: who lives is served, at capacity the one that dies soonest goes.</summary>
public class ExpiringCacheModelTests
{
    private const int Capacity = 8;
    private const int Steps = 30_000;

    [TestCase(1)]
    [TestCase(20260101)]
    public async Task The_cache_does_what_the_model_does(int seed)
    {
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var bench = new SlotBench();
        var cache = new ExpiringCache<BearerToken>(bench, Capacity);
        var living = new Dictionary<int, BearerToken>();
        int evictions = 0, hits = 0, rejections = 0;
        for (int step = 0; step < Steps; step++)
        {
            foreach (int dead in living.Where(entry => entry.Value.Lease.DeadTick <= bench.Clock.Tick || !bench.Clock.IsBefore(long.MaxValue, entry.Value.Lease.WallEnd)).Select(entry => entry.Key).ToArray())
                living.Remove(dead);
            int dice = random.Next(100);
            if (dice < 80)
            {
                int key = random.Next(3 * Capacity);
                int started = bench.Started;
                Task<BearerToken> get = cache.GetAsync(new CredentialRequest { Tenant = "t" + key }, CancellationToken.None).AsTask();
                if (living.TryGetValue(key, out BearerToken? held))
                {
                    Assert.That(get.IsCompletedSuccessfully && bench.Started == started, Is.True, $"step {step}: a hit");
                    Assert.That(await get, Is.SameAs(held));
                    hits++;
                    continue;
                }
                Assert.That(bench.Started, Is.EqualTo(started + 1), $"step {step}: a flight");
                Departure departure = await bench.DepartureAsync();
                Assert.That(departure.Request!.Tenant, Is.EqualTo("t" + key));
                int life;
                do
                    life = random.Next(5_000, 60_000);
                while (living.Values.Any(other => other.Lease.DeadTick == bench.Clock.Tick + life));
                BearerToken? token = departure.Land(bench, life / 1000.0, refreshSeconds: 1000);
                Assert.That(await get.WaitAsync(TimeSpan.FromSeconds(20)), Is.SameAs(token));
                if (living.Count == Capacity)
                {
                    living.Remove(living.MinBy(entry => entry.Value.Lease.DeadTick).Key);
                    evictions++;
                }
                living.Add(key, token!);
                Assert.That(cache.Count, Is.InRange(living.Count, Capacity));
            }
            else if (dice < 95)
            {
                bench.Hands.Advance(TimeSpan.FromMilliseconds(random.Next(1, 500)));
            }
            else if (dice < 98 && living.Count > 0)
            {
                KeyValuePair<int, BearerToken> some = living.ElementAt(random.Next(living.Count));
                Assert.That(cache.Reject(some.Value), Is.True);
                Assert.That(cache.Reject(some.Value), Is.False);
                living.Remove(some.Key);
                rejections++;
            }
            else if (dice == 99)
            {
                Assert.That(cache.Invalidate(), Is.SupersetOf(living.Values));
                living.Clear();
            }
        }
        TestContext.Out.WriteLine($"{hits} hits, {evictions} evictions, {rejections} rejections");
        Assert.That(new[] { hits, evictions, rejections }, Is.All.GreaterThan(100));
    }
}
