namespace Nhi.TokenExchange;

/// <summary>Counts requests for the same token within five minutes. Safe to use from any number of threads.</summary>
internal sealed class EntraLoopGuard(TimeProvider time)
{
    // AADSTS50196 names no numbers; five minutes is the buffer in which SDKs throw a token away.
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue<DateTimeOffset>> _asked = new(StringComparer.Ordinal);

    public bool IsLoop(string key, int limit)
    {
        DateTimeOffset now = time.GetUtcNow();
        lock (_gate)
        {
            if (!_asked.TryGetValue(key, out Queue<DateTimeOffset>? times))
                _asked[key] = times = new Queue<DateTimeOffset>();
            while (times.TryPeek(out DateTimeOffset first) && first <= now - Window)
                times.Dequeue();
            times.Enqueue(now);
            return times.Count > limit;
        }
    }
}
