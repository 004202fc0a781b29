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
    private readonly bool _countsOnlyWhileHeld;

    private FlightFailure(TokenExchangeException cause, int attempt, long notBeforeTick, bool isRefusal = false, bool countsOnlyWhileHeld = false)
    {
        _cause = cause;
        _countsOnlyWhileHeld = countsOnlyWhileHeld;
        IsRefusal = isRefusal;
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

    /// <summary>No flight failed: the target refused what it brought. Not told by the code, which may be that of the hop before.</summary>
    public bool IsRefusal { get; }

    /// <summary>What is remembered of a flight that failed.</summary>
    /// <param name="cause">What failed.</param>
    /// <param name="previous">What was remembered before.</param>
    /// <param name="clock">The slot's clock.</param>
    /// <param name="jitter">Chance, from 0 up to but not including 1.</param>
    /// <param name="isRefresh">Whether something good was held when the flight took off.</param>
    public static FlightFailure Of(TokenExchangeException cause, FlightFailure? previous, AgreedClock clock, double jitter, bool isRefresh)
    {
        int attempt = (previous is { IsRefusal: false } ? previous.Attempt : 0) + 1;
        if (cause is AccessDeniedException { IsOfThePolicy: true } denied)
            return new FlightFailure(cause, attempt, denied.HoldsUntil is { } until ? clock.TickAfter(until - clock.Now) : long.MaxValue);   // else until the policy changes
        double wait = WaitAfter(attempt, jitter);
        if (cause.RetryAfter is { } asked)
            wait = Math.Max(wait, Math.Min(asked.TotalSeconds, LongestRetryAfter.TotalSeconds) * (1 + (RetryAfterSpread * jitter)));
        // An issuer that comes back just before the end must not be found out up to a minute after it; but it may ask for more patience.
        return new FlightFailure(cause, attempt, clock.TickAfter(TimeSpan.FromSeconds(wait)), countsOnlyWhileHeld: isRefresh && cause.RetryAfter is null);
    }

    /// <summary>What is remembered of a credential that the target refused. The first is replaced at once; what refuses its successors too, each within a minute, is no matter of the credential, and the waits grow as after failures.</summary>
    /// <param name="target">The name of the target.</param>
    /// <param name="previous">What was remembered. A failure that still counts stays as it is.</param>
    /// <param name="clock">The slot's clock.</param>
    /// <param name="jitter">Chance, from 0 up to but not including 1.</param>
    public static FlightFailure OfRefusal(string target, FlightFailure? previous, AgreedClock clock, double jitter)
    {
        if (previous is { IsRefusal: false } && clock.Tick < previous.NotBeforeTick)
            return previous;
        int attempt = previous is { IsRefusal: true } && !previous.IsForgotten(clock.Tick) ? previous.Attempt + 1 : 1;
        var cause = new TokenExchangeException(ErrorCodes.CredentialRefused, ExchangeStage.Exchange, FormattableString.Invariant($"The target refused {attempt} credentials one after the other, each soon after it was issued."))
        {
            Target = target, IsTransient = true,
            Hint = "Another credential will hardly do better: check that the target trusts this issuer, that the audience and the identity are those it expects, and that its clock is right.",
        };
        return new FlightFailure(cause, attempt, attempt == 1 ? clock.Tick : clock.TickAfter(TimeSpan.FromSeconds(WaitAfter(attempt - 1, jitter))), isRefusal: true);
    }

    /// <summary>Whether nobody tries again yet. What failed beside a good credential is tried once more when that is there no longer.</summary>
    public bool Counts(long tick, bool isHeld) => tick < NotBeforeTick && (isHeld || !_countsOnlyWhileHeld);

    /// <summary>How long it is until somebody who asks tries again: nothing where the failure does not count any more. Null: only a change of the policy lets anybody try.</summary>
    public TimeSpan? NextTryIn(long tick, bool isHeld) =>
        NotBeforeTick == long.MaxValue ? null : Counts(tick, isHeld) ? TimeSpan.FromMilliseconds(NotBeforeTick - tick) : TimeSpan.Zero;

    /// <summary>Whether the failure no longer says anything: nobody tried for a while after it might have been tried again.</summary>
    public bool IsForgotten(long tick) => tick - (long)LongestWait.TotalMilliseconds >= NotBeforeTick;

    private static double WaitAfter(int attempt, double jitter) =>
        Math.Min(LongestWait.TotalSeconds, FirstWait.TotalSeconds * Math.Pow(2, Math.Min(attempt - 1, 10))) * (0.5 + (0.5 * jitter));

    /// <summary>An exception of its own for one caller (a shared one would mix stacks and data), with the cause inside.</summary>
    public TokenExchangeException ToException(AgreedClock clock)
    {
        TimeSpan? next = NotBeforeTick == long.MaxValue ? null : TimeSpan.FromMilliseconds(Math.Max(0, NotBeforeTick - clock.Tick));
        if (next is not { } wait)
            return _cause.Again(_cause.Detail, null);
        // What only a change can cure is kept for seconds, too; but nobody is told to try again.
        string kept = _cause.IsTransient ? "Next try in" : "This answer is kept for";
        return _cause.Again(FormattableString.Invariant($"{_cause.Detail}{(_cause.Detail.EndsWith('.') ? "" : ".")} {kept} {wait.TotalSeconds:0.#} s."), _cause.IsTransient ? next : null);
    }
}
