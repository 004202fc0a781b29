using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Microsoft.Extensions.Caching.Memory;

namespace Nhi.TokenExchange;

/// <summary>Remembers decisions that said how long they hold. Bounded; a decision without a lifetime never gets in.</summary>
/// <remarks>
/// The key is a hash of the whole question, so it holds all that the decision point could look at, and no token.
/// The later word counts, by when it was asked for: an answer raises its mark (a full fence), then takes the older one out or puts itself in, and is not given out before it has looked at the mark again. So of two answers the older one sees
/// the mark of the newer one and goes, or stood there when the newer one came.
/// </remarks>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "The memory cache holds nothing but memory: no handle, no timer.")]
internal sealed class DecisionCache
{
    private const int Most = 1024;

    // A power of two. Several keys share a mark: of two that do, an answer that comes late may be left out for the other's sake, and is asked for again.
    private const int Marks = 256;

    // When the newest question was asked that was answered, by a hash of the key: also of those whose answers are not remembered.
    private readonly long[] _newest = [.. Enumerable.Repeat(long.MinValue, Marks)];
    private readonly MemoryCache _cache = new(new MemoryCacheOptions { SizeLimit = Most });

    /// <summary>How many there are.</summary>
    public int Count => _cache.Count;

    public static string KeyOf(ReadOnlySpan<byte> question) => Convert.ToHexString(SHA256.HashData(question));

    /// <summary>The decision, while both hands of the clock say that it may be used: one that is set back can't lengthen it, and neither can a suspend.</summary>
    public AccessDecision? Find(string key, TimeProvider time) =>
        _cache.TryGetValue(key, out Kept? kept) && Volatile.Read(ref kept!.IsGivenOut) && time.GetElapsedTime(kept.AskedAt) < kept.ServedFor && time.GetUtcNow() < kept.ServedUntil ? kept.Decision : null;

    /// <summary>Notes an answer: it takes the place of what was answered to an older question. One that comes late, after the answer to a newer question, changes nothing.</summary>
    /// <param name="key">See <see cref="KeyOf"/>.</param>
    /// <param name="decision">The decision.</param>
    /// <param name="holdsFor">Its lifetime, from <paramref name="askedAt"/> on; null if it is not to be remembered.</param>
    /// <param name="askedAt">The monotonic hand when it was asked for.</param>
    /// <param name="wall">The wall hand then.</param>
    public void Answered(string key, AccessDecision decision, TimeSpan? holdsFor, long askedAt, DateTimeOffset wall)
    {
        bool isLate = Raise(key, askedAt) > askedAt;
        if (_cache.TryGetValue(key, out Kept? before) && before!.AskedAt <= askedAt)
            _cache.Remove(key);
        if (isLate || holdsFor is not { } lifetime)
            return;
        Kept kept = Put(key, decision, lifetime, askedAt, wall);
        if (Raise(key, askedAt) > askedAt)
            _cache.Remove(key);
        else
            Volatile.Write(ref kept.IsGivenOut, true);
    }

    /// <summary>What is remembered is of no use: the next question is asked.</summary>
    public void Forget(string key) => _cache.Remove(key);

    private Kept Put(string key, AccessDecision decision, TimeSpan holdsFor, long askedAt, DateTimeOffset wall)
    {
        // No grant outlives its permit: one from the second half would be of little use, and dead on arrival near the end.
        TimeSpan servedFor = decision.IsPermitted ? holdsFor / 2 : holdsFor;
        using ICacheEntry entry = _cache.CreateEntry(key);
        entry.Size = 1;
        entry.AbsoluteExpirationRelativeToNow = servedFor;   // for the memory; the clocks above decide
        var kept = new Kept(decision, servedFor, askedAt, wall + servedFor);
        entry.Value = kept;
        return kept;
    }

    // Gives the newest.
    private long Raise(string key, long askedAt)
    {
        ref long newest = ref _newest[key.GetHashCode(StringComparison.Ordinal) & (Marks - 1)];
        for (long seen = Interlocked.Read(ref newest); ;)
        {
            long before = Interlocked.CompareExchange(ref newest, Math.Max(seen, askedAt), seen);
            if (before == seen)
                return Math.Max(seen, askedAt);
            seen = before;
        }
    }

    private sealed record Kept(AccessDecision Decision, TimeSpan ServedFor, long AskedAt, DateTimeOffset ServedUntil)
    {
        public bool IsGivenOut;
    }
}
