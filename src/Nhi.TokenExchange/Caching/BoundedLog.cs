using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>Keeps the last of what comes, and counts the rest. Lock-free.</summary>
/// <param name="most">How many are kept.</param>
internal sealed class BoundedLog<T>(int most)
{
    private readonly ConcurrentQueue<T> _kept = new();
    private long _dropped;

    /// <summary>How many came that are not kept any more.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    public IEnumerable<T> Kept => _kept;

    public void Add(T one)
    {
        _kept.Enqueue(one);
        while (_kept.Count > most && _kept.TryDequeue(out _))   // two at once may drop one too many, and count it
            Interlocked.Increment(ref _dropped);
    }
}
