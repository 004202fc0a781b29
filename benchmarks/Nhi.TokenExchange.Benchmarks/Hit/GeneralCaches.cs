using BenchmarkDotNet.Attributes;
using BitFaster.Caching.Lru;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using ZiggyCreatures.Caching.Fusion;

namespace Nhi.TokenExchange;

/// <summary>A hit in caches for anything: they hand out what they hold and don't know when a token has to be renewed.</summary>
public class GeneralCaches
{
    private const string Key = "warehouse";
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);

    private readonly IssuerGate _gate = new();
    private readonly MemoryCache _memory = new(new MemoryCacheOptions());
    private readonly ConcurrentTLru<string, string> _bitFaster = new(128, Life);
    private readonly FusionCache _fusion = new(new FusionCacheOptions());
    private readonly FusionCacheEntryOptions _fusionEntry = new(Life) { EagerRefreshThreshold = 0.7f };
    // Kept, as a careful caller does: a lambda that captures would be new in each call, and counted as the cache's.
    private readonly Func<ICacheEntry, Task<string>> _createMemory;
    private readonly Func<FusionCacheFactoryExecutionContext<string>, CancellationToken, Task<string>> _createFusion;
    private ServiceProvider? _services;
    private HybridCache _hybrid = null!;

    public GeneralCaches()
    {
        _createMemory = async entry =>
        {
            entry.AbsoluteExpirationRelativeToNow = Life;
            return await IssueAsync();
        };
        _createFusion = async (_, _) => await IssueAsync();
    }

    [GlobalSetup]
    public async Task SetUp()
    {
        var services = new ServiceCollection();
        services.AddHybridCache();
        _services = services.BuildServiceProvider();
        _hybrid = _services.GetRequiredService<HybridCache>();
        _bitFaster.GetOrAdd(Key, _ => "0123456789");
        await _gate.DemandTrueHitAsync(MemoryGetOrCreate);
        await _gate.DemandTrueHitAsync(async () => await Hybrid());
        await _gate.DemandTrueHitAsync(async () => await Fusion());
        if (BitFaster() is null || MemoryTryGet() is null)
            throw new InvalidOperationException("Not a hit: a cache that was filled gives nothing.");
    }

    [Benchmark(Description = "BitFaster ConcurrentTLru TryGet")]
    public string? BitFaster() => _bitFaster.TryGet(Key, out string? token) ? token : null;

    [Benchmark(Description = "IMemoryCache TryGetValue")]
    public string? MemoryTryGet() => _memory.TryGetValue(Key, out string? token) ? token : null;

    [Benchmark(Description = "IMemoryCache GetOrCreateAsync")]
    public Task<string?> MemoryGetOrCreate() => _memory.GetOrCreateAsync(Key, _createMemory)!;

    [Benchmark(Description = "HybridCache GetOrCreateAsync")]
    public ValueTask<string> Hybrid() => _hybrid.GetOrCreateAsync(Key, this, static (self, _) => self.IssueAsync());

    [Benchmark(Description = "FusionCache GetOrSetAsync")]
    public ValueTask<string> Fusion() => _fusion.GetOrSetAsync<string>(Key, _createFusion, default, _fusionEntry);

    private async ValueTask<string> IssueAsync()
    {
        await _gate.PassAsync();
        return "0123456789";
    }
}
