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

    // A question that was asked before is answered by then.
    private static readonly TimeSpan ForgottenFor = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = Most });

    /// <summary>How many there are.</summary>
    public int Count => _cache.Count;

    public static string KeyOf(ReadOnlySpan<byte> question) => Convert.ToHexString(SHA256.HashData(question));

    /// <summary>The decision, while both hands of the clock say that it may be used: one that is set back can't lengthen it, and neither can a suspend.</summary>
    public AccessDecision? Find(string key, TimeProvider time) =>
        _cache.TryGetValue(key, out Kept? kept) && time.GetElapsedTime(kept!.AskedAt) < kept.ServedFor && time.GetUtcNow() < kept.ServedUntil ? kept.Decision : null;

    /// <summary>Keeps a decision, unless a later question has been answered already.</summary>
    /// <param name="key">See <see cref="KeyOf"/>.</param>
    /// <param name="decision">The decision.</param>
    /// <param name="holdsFor">Its lifetime, from <paramref name="askedAt"/> on.</param>
    /// <param name="askedAt">The monotonic hand when it was asked for.</param>
    /// <param name="wall">The wall hand then.</param>
    public void Keep(string key, AccessDecision decision, TimeSpan holdsFor, long askedAt, DateTimeOffset wall)
    {
        // No grant outlives its permit: one from the second half would be of little use, and dead on arrival near the end.
        TimeSpan servedFor = decision.IsPermitted ? holdsFor / 2 : holdsFor;
        Put(key, new Kept(decision, servedFor, askedAt, wall + servedFor), servedFor);   // how long is for the memory; the clocks above decide
    }

    /// <summary>What is kept counts no more, nor does what was asked before and is answered yet.</summary>
    /// <param name="key">See <see cref="KeyOf"/>.</param>
    /// <param name="askedAt">The monotonic hand when it was asked what counts now.</param>
    public void Forget(string key, long askedAt) => Put(key, new Kept(null, TimeSpan.Zero, askedAt, DateTimeOffset.MinValue), ForgottenFor);

    private void Put(string key, Kept kept, TimeSpan inMemory)
    {
        lock (_gate)
        {
            if (_cache.TryGetValue(key, out Kept? later) && later!.AskedAt > kept.AskedAt)
                return;
            _cache.Remove(key);   // where there is no room for what is new, the old one is not left
            using ICacheEntry entry = _cache.CreateEntry(key);
            entry.Size = 1;
            entry.AbsoluteExpirationRelativeToNow = inMemory;
            entry.Value = kept;
        }
    }

    /// <param name="Decision">Null: what was decided before counts no more.</param>
    /// <param name="ServedFor">From when it was asked on.</param>
    /// <param name="AskedAt">The monotonic hand then.</param>
    /// <param name="ServedUntil">By the wall.</param>
    private sealed record Kept(AccessDecision? Decision, TimeSpan ServedFor, long AskedAt, DateTimeOffset ServedUntil);
}
