namespace Nhi.TokenExchange;

/// <summary>The <c>jti</c> values that were used and whose tokens still live. Safe to use from any number of threads.</summary>
internal sealed class ReplayMemory(TimeProvider time, TimeSpan leeway)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Issuer, string Id), DateTimeOffset> _used = [];

    public bool FirstTime(string issuer, string id, DateTimeOffset ends)
    {
        DateTimeOffset now = time.GetUtcNow();
        lock (_gate)
        {
            foreach ((string, string) dead in _used.Where(used => used.Value + leeway < now).Select(used => used.Key).ToArray())
                _used.Remove(dead);
            return _used.TryAdd((issuer, id), ends);
        }
    }
}
