using BitFaster.Caching;
using BitFaster.Caching.Lru;
using BitFaster.Caching.Lru.Builder;
using Google.Apis.Auth.OAuth2;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Identity.Client;
using ZiggyCreatures.Caching.Fusion;

namespace Nhi.TokenExchange;

/// <summary>Who stands the stampede. Each entry makes a new one.</summary>
public static class StampedePeers
{
    // MSAL counts a token as over five minutes before its end; Google renews from 3:45 on and counts it as over at 2:45.
    public static IReadOnlyList<Func<StampedePeer>> All { get; } =
    [
        OurPeer.Provider,
        OurPeer.TokenCredential,
        OurPeer.Policy,
        () => new OAuthPeer("MSAL confidential client", Msal, expiredSeconds: 300, dueSeconds: null, pauseSeconds: 1.5),
        () => new OAuthPeer("Azure.Identity `ClientAssertionCredential`", AzureIdentity, expiredSeconds: 300, dueSeconds: null, pauseSeconds: 1),
        () => new AzureCoreStampede(),
        () => new AwsStampede(),
        () => new AwsWebIdentityStampede(),
        () => new OAuthPeer("Google external account", Google, expiredSeconds: 100, dueSeconds: 200, pauseSeconds: 2.5),
        () => new CachePeer("`IMemoryCache.GetOrCreateAsync`", Memory, dueAfter: null),
        () => new CachePeer("`HybridCache.GetOrCreateAsync`", Hybrid, dueAfter: null),
        () => new CachePeer("BitFaster, asynchronous and atomic", (life, issue) => BitFaster(Lru(life).WithAtomicGetOrAdd().Build(), issue), dueAfter: null),
        () => new CachePeer("BitFaster, asynchronous", (life, issue) => BitFaster(Lru(life).Build(), issue), dueAfter: null),
        () => new CachePeer("FusionCache, eager refresh", Fusion, dueAfter: 0.05),
    ];

    private static Func<Task> Msal(InMemoryIssuer issuer)
    {
        IConfidentialClientApplication app = MicrosoftPeers.Msal(issuer);
        return () => app.AcquireTokenForClient(MicrosoftPeers.Scopes).ExecuteAsync();
    }

    private static Func<Task> AzureIdentity(InMemoryIssuer issuer)
    {
        Azure.Core.TokenCredential credential = MicrosoftPeers.ClientAssertion(issuer, between: TimeSpan.FromMilliseconds(50));
        return () => credential.GetTokenAsync(MicrosoftPeers.Context, default).AsTask();
    }

    private static Func<Task> Google(InMemoryIssuer issuer)
    {
        ITokenAccess credential = GooglePeer.Create(issuer);
        return () => credential.GetAccessTokenForRequestAsync();
    }

    private static (Func<Task> Call, IDisposable? Cache) Memory(Func<TimeSpan> life, Func<Task<string>> issue)
    {
        var cache = new MemoryCache(new MemoryCacheOptions());
        return (() => cache.GetOrCreateAsync("warehouse", entry =>
        {
            entry.AbsoluteExpirationRelativeToNow = life();
            return issue();
        }), cache);
    }

    private static (Func<Task> Call, IDisposable? Cache) Hybrid(Func<TimeSpan> life, Func<Task<string>> issue)
    {
        var services = new ServiceCollection();
        services.AddHybridCache();
        ServiceProvider container = services.BuildServiceProvider();
        HybridCache cache = container.GetRequiredService<HybridCache>();
        return (() => cache.GetOrCreateAsync("warehouse", async _ => await issue(), new HybridCacheEntryOptions { Expiration = life(), LocalCacheExpiration = life() }).AsTask(), container);
    }

    private static AsyncConcurrentLruBuilder<string, string> Lru(Func<TimeSpan> life) => new ConcurrentLruBuilder<string, string>().AsAsyncCache().WithExpireAfterWrite(life());

    private static (Func<Task> Call, IDisposable? Cache) BitFaster(IAsyncCache<string, string> cache, Func<Task<string>> issue) => (() => cache.GetOrAddAsync("warehouse", _ => issue()).AsTask(), null);

    private static (Func<Task> Call, IDisposable? Cache) Fusion(Func<TimeSpan> life, Func<Task<string>> issue)
    {
        var cache = new FusionCache(new FusionCacheOptions());
        return (() => cache.GetOrSetAsync<string>("warehouse", async (_, _) => await issue(), new FusionCacheEntryOptions(life()) { EagerRefreshThreshold = 0.05f }).AsTask(), cache);
    }
}
