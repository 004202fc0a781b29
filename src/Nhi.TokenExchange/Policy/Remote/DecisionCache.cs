using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.Extensions.Caching.Memory;

namespace Nhi.TokenExchange;

/// <summary>Remembers decisions that said how long they hold. Bounded; a decision without a lifetime never gets in.</summary>
/// <remarks>The key is a hash of the whole question, so it holds all that the decision point could look at, and no token.</remarks>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "The memory cache holds nothing but memory: no handle, no timer.")]
internal sealed class DecisionCache
{
    private const int Most = 1024;

    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = Most });

    /// <summary>How many there are.</summary>
    public int Count => _cache.Count;

    public static string KeyOf(ReadOnlySpan<byte> question) => Convert.ToHexString(SHA256.HashData(question));

    /// <summary>The decision, while both hands of the clock say that it may be used: one that is set back can't lengthen it, and neither can a suspend.</summary>
    public AccessDecision? Find(string key, TimeProvider time) =>
        _cache.TryGetValue(key, out Kept? kept) && time.GetElapsedTime(kept!.AskedAt) < kept.ServedFor && time.GetUtcNow() < kept.ServedUntil ? kept.Decision : null;

    /// <summary>Keeps a decision.</summary>
    /// <param name="key">See <see cref="KeyOf"/>.</param>
    /// <param name="decision">The decision.</param>
    /// <param name="holdsFor">Its lifetime, from <paramref name="askedAt"/> on.</param>
    /// <param name="askedAt">The monotonic hand when it was asked for.</param>
    /// <param name="wall">The wall hand then.</param>
    public void Keep(string key, AccessDecision decision, TimeSpan holdsFor, long askedAt, DateTimeOffset wall)
    {
        // No grant outlives its permit: one from the second half would be of little use, and dead on arrival near the end.
        TimeSpan servedFor = decision.IsPermitted ? holdsFor / 2 : holdsFor;
        using ICacheEntry entry = _cache.CreateEntry(key);
        entry.Size = 1;
        entry.AbsoluteExpirationRelativeToNow = servedFor;   // for the memory; the clocks above decide
        entry.Value = new Kept(decision, servedFor, askedAt, wall + servedFor);
    }

    public void Forget(string key) => _cache.Remove(key);

    private sealed record Kept(AccessDecision Decision, TimeSpan ServedFor, long AskedAt, DateTimeOffset ServedUntil);
}
