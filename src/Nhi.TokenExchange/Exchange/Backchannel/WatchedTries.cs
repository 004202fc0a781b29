namespace Nhi.TokenExchange;

/// <summary>Hears of the tries of the calls that one piece of work makes over the back channel: how often an endpoint was asked and what it said last, also where the answer to the work as a whole does not come.</summary>
/// <param name="noMoreFrom">Once it is cancelled no call is tried again. What was sent is waited for all the same.</param>
internal sealed class WatchedTries(CancellationToken noMoreFrom = default)
{
    private static readonly AsyncLocal<WatchedTries?> InThisFlow = new();

    private readonly Lock _lock = new();
    private Uri? _endpoint;
    private int _count;
    private TokenExchangeException? _last;

    /// <summary>Those of the caller's flow; null: nobody watches.</summary>
    public static WatchedTries? Current => InThisFlow.Value;

    public CancellationToken NoMoreFrom => noMoreFrom;

    /// <summary>What the endpoint that was asked last said last, null if it said nothing, and how often it was asked.</summary>
    public (TokenExchangeException? Last, int Count) Heard
    {
        get
        {
            lock (_lock)
                return (_last, _count);
        }
    }

    /// <summary>Begins work that is watched.</summary>
    public T Begin<T>(Func<T> work)
    {
        WatchedTries? before = InThisFlow.Value;
        InThisFlow.Value = this;
        try
        {
            return work();
        }
        finally
        {
            InThisFlow.Value = before;
        }
    }

    /// <summary>An endpoint is about to be asked.</summary>
    public void NoteSent(Uri endpoint)
    {
        lock (_lock)
        {
            if (_endpoint != endpoint)
                (_endpoint, _count, _last) = (endpoint, 0, null);
            _count++;
        }
    }

    /// <summary>It failed in passing, or said "not now".</summary>
    public void NoteFailed(TokenExchangeException failure)
    {
        lock (_lock)
            _last = failure;
    }
}
