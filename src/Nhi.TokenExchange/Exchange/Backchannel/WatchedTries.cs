namespace Nhi.TokenExchange;

/// <summary>Hears of the tries of the calls that one piece of work makes over the back channel: how often an endpoint was asked and what it said last, also where the answer to the work as a whole does not come.</summary>
/// <param name="noMoreFrom">Once it is cancelled no call is tried again. What was sent is waited for all the same.</param>
internal sealed class WatchedTries(CancellationToken noMoreFrom = default)
{
    private static readonly AsyncLocal<WatchedTries?> InThisFlow = new();

    // One object, which is replaced: who is cut off reads it while a call goes on.
    private State _state = new(null, null, 0);
    private bool _isGiven;

    /// <summary>Those of the caller's flow; null: nobody watches.</summary>
    public static WatchedTries? Current => InThisFlow.Value;

    /// <summary>Once it is cancelled nothing is tried again. Where something was given already (a login, whose answer is to be unwrapped), all is tried to the end: nobody else could end that.</summary>
    public CancellationToken NoMoreFrom => _isGiven ? CancellationToken.None : noMoreFrom;

    /// <summary>What the endpoint that was asked last said last, null if it said nothing, and how often it was asked.</summary>
    public (TokenExchangeException? Last, int Count) Heard
    {
        get
        {
            State now = _state;
            return (now.Last, now.Count);
        }
    }

    /// <summary>Begins work that is watched.</summary>
    public T Begin<T>(Func<T> work) => Begin(this, work);

    /// <summary>Begins work that others wait for, too: it is not watched, and no end of one of them stops it.</summary>
    public static T BeginUnwatched<T>(Func<T> work) => Begin(null, work);

    /// <summary>An endpoint is about to be asked.</summary>
    public void NoteSent(Uri endpoint) => _state = _state.Endpoint == endpoint ? _state with { Count = _state.Count + 1 } : new State(endpoint, null, 1);

    /// <summary>A call that may have made something has its answer.</summary>
    public void NoteGiven() => _isGiven = true;

    /// <summary>It failed in passing, or said "not now".</summary>
    public void NoteFailed(TokenExchangeException failure) => _state = _state with { Last = failure };

    private static T Begin<T>(WatchedTries? watched, Func<T> work)
    {
        WatchedTries? before = InThisFlow.Value;
        InThisFlow.Value = watched;
        try
        {
            return work();
        }
        finally
        {
            InThisFlow.Value = before;
        }
    }

    private sealed record State(Uri? Endpoint, TokenExchangeException? Last, int Count);
}
