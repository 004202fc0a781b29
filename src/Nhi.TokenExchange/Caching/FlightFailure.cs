namespace Nhi.TokenExchange;

/// <summary>Why a flight failed, and until when nobody tries again. Makes a new exception for each caller.</summary>
internal sealed class FlightFailure
{
    // 1, 2, 4, 8 … seconds, at most a minute: an issuer that is down is not asked more than once a minute and a target.
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    // An issuer may ask for more patience, but not for the life of the process.
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(5);
    // Jobs that were told the same instant come back over a tenth more, not all at once.
    private const double RetryAfterSpread = 0.1;

    private readonly TokenExchangeException _cause;

    private FlightFailure(TokenExchangeException cause, int attempt, long notBeforeTick)
    {
        _cause = cause;
        Attempt = attempt;
        NotBeforeTick = notBeforeTick;
    }

    /// <summary>How many flights in a row failed, this one included.</summary>
    public int Attempt { get; }

    /// <summary>Until this tick the failure is remembered.</summary>
    public long NotBeforeTick { get; }

    public TokenExchangeException Cause => _cause;

    /// <summary>The job's own policy said no: that ends what is still held, too. An issuer's 403 is a failure like others.</summary>
    public bool IsDenial => _cause is AccessDeniedException { IsOfThePolicy: true };

    public static FlightFailure Of(TokenExchangeException cause, FlightFailure? previous, AgreedClock clock, double jitter)
    {
        int attempt = (previous?.Attempt ?? 0) + 1;
        if (cause is AccessDeniedException { IsOfThePolicy: true } denied)
            return new FlightFailure(cause, attempt, denied.HoldsUntil is { } until ? clock.TickAfter(until - clock.Now) : long.MaxValue);   // else until the policy changes
        double wait = Math.Min(LongestWait.TotalSeconds, FirstWait.TotalSeconds * Math.Pow(2, Math.Min(attempt - 1, 10)));
        wait *= 0.5 + (0.5 * jitter);
        if (cause.RetryAfter is { } asked)
            wait = Math.Max(wait, Math.Min(asked.TotalSeconds, LongestRetryAfter.TotalSeconds) * (1 + (RetryAfterSpread * jitter)));
        return new FlightFailure(cause, attempt, clock.TickAfter(TimeSpan.FromSeconds(wait)));
    }

    /// <summary>Whether the failure no longer says anything: nobody tried for a while after it might have been tried again.</summary>
    public bool IsForgotten(long tick) => tick - (long)LongestWait.TotalMilliseconds >= NotBeforeTick;

    /// <summary>An exception of its own for one caller (a shared one would mix stacks and data), with the cause inside.</summary>
    public TokenExchangeException ToException(AgreedClock clock)
    {
        TimeSpan? next = NotBeforeTick == long.MaxValue ? null : TimeSpan.FromMilliseconds(Math.Max(0, NotBeforeTick - clock.Tick));
        string detail = next is { } wait ? FormattableString.Invariant($"{_cause.Detail}{(_cause.Detail.EndsWith('.') ? "" : ".")} Next try in {wait.TotalSeconds:0.#} s.") : _cause.Detail;
        return _cause.Again(detail, next);
    }
}
