namespace Nhi.TokenExchange;

/// <summary>How many requests each endpoint got, and the most it had in flight at once. Safe to use from any number of threads.</summary>
public sealed class RequestCounts
{
    private readonly Lock _gate = new();
    private readonly Dictionary<EmulatorEndpoint, Tally> _endpoints = [];
    private readonly Dictionary<string, Tally> _keys = new(StringComparer.Ordinal);

    internal RequestCounts()
    {
    }

    internal int MostAtOncePerKey
    {
        get
        {
            lock (_gate)
                return _keys.Values.Select(tally => tally.MostAtOnce).DefaultIfEmpty().Max();
        }
    }

    /// <summary>How many requests an endpoint got so far, refused and failed ones included.</summary>
    /// <param name="endpoint">The endpoint.</param>
    public int Of(EmulatorEndpoint endpoint)
    {
        lock (_gate)
            return _endpoints.GetValueOrDefault(endpoint)?.All ?? 0;
    }

    /// <summary>The most requests that the endpoint had in flight at once.</summary>
    /// <param name="endpoint">The endpoint.</param>
    public int MostAtOnce(EmulatorEndpoint endpoint)
    {
        lock (_gate)
            return _endpoints.GetValueOrDefault(endpoint)?.MostAtOnce ?? 0;
    }

    /// <summary>How many requests the endpoint has in flight now.</summary>
    internal int Now(EmulatorEndpoint endpoint)
    {
        lock (_gate)
            return _endpoints.GetValueOrDefault(endpoint)?.Now ?? 0;
    }

    /// <summary>Counts a request in.</summary>
    /// <returns>Its number at the endpoint, from 1, and how many with its key are in flight now.</returns>
    internal (int Number, int AtOnce) Enter(EmulatorEndpoint endpoint, string? key)
    {
        lock (_gate)
        {
            int atOnce = 1;
            if (key is not null)
            {
                Tally tally = For(_keys, key);
                tally.Enter();
                atOnce = tally.Now;
            }
            return (For(_endpoints, endpoint).Enter(), atOnce);
        }
    }

    internal void Leave(EmulatorEndpoint endpoint, string? key)
    {
        lock (_gate)
        {
            For(_endpoints, endpoint).Now--;
            if (key is not null)
                For(_keys, key).Now--;
        }
    }

    private static Tally For<TKey>(Dictionary<TKey, Tally> tallies, TKey key)
        where TKey : notnull
    {
        if (!tallies.TryGetValue(key, out Tally? tally))
            tallies[key] = tally = new Tally();
        return tally;
    }

    private sealed class Tally
    {
        public int All { get; private set; }

        public int Now { get; set; }

        public int MostAtOnce { get; private set; }

        public int Enter()
        {
            MostAtOnce = Math.Max(MostAtOnce, ++Now);
            return ++All;
        }
    }
}
