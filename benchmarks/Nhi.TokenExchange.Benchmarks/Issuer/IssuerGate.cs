namespace Nhi.TokenExchange;

/// <summary>Stands before every in-memory issuer: counts the calls, and holds them while it is shut.</summary>
public sealed class IssuerGate
{
    private int _calls;
    private volatile bool _isDown;
    private volatile TaskCompletionSource _open = Opened();

    /// <summary>How many calls came, held ones included.</summary>
    public int Calls => Volatile.Read(ref _calls);

    /// <exception cref="HttpRequestException">The issuer behind the gate is down.</exception>
    public async Task PassAsync()
    {
        Interlocked.Increment(ref _calls);
        await _open.Task;
        if (_isDown)
            throw new HttpRequestException(HttpRequestError.ConnectionError, "The issuer is down.");
    }

    /// <summary>From now on whoever passes finds nobody.</summary>
    public void TakeDown() => _isDown = true;

    public void Shut() => _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _open.TrySetResult();

    /// <summary>Primes a cache, then throws unless five further calls cause no further call here: what is measured is a hit.</summary>
    /// <param name="call">Asks the cache once.</param>
    public async Task DemandTrueHitAsync(Func<Task> call)
    {
        ArgumentNullException.ThrowIfNull(call);
        await call();
        int primed = Calls;
        for (int i = 0; i < 5; i++)
            await call();
        if (primed == 0 || Calls != primed)
            throw new InvalidOperationException($"Not a hit: {primed} issuer calls after the first call, {Calls} after five more.");
    }

    private static TaskCompletionSource Opened()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }
}
