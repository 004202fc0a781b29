namespace Nhi.TokenExchange;

/// <summary>Makes one of our errors of whatever ended a flight.</summary>
internal static class FlightErrors
{
    // A plug-in's own time-out is its failure; our cancellation is not.
    public static bool IsForeign(Exception exception, CancellationToken cancellationToken) =>
        exception is not TokenExchangeException && !(exception is OperationCanceledException && cancellationToken.IsCancellationRequested);

    /// <summary>Whether the job's own policy said no.</summary>
    public static bool IsDenial(Exception exception) => exception is AccessDeniedException { IsOfThePolicy: true };

    /// <summary>The failure of a flight.</summary>
    /// <param name="exception">What ended it.</param>
    /// <param name="session">Its job.</param>
    /// <param name="target">The name of its target.</param>
    /// <param name="limit">How long it had.</param>
    /// <param name="deadlinePassed">Whether that has passed.</param>
    public static TokenExchangeException Of(Exception exception, JobSession session, string target, TimeSpan limit, bool deadlinePassed) => exception switch
    {
        // What a hop remembers says when that hop is tried next; here that is said anew.
        TokenExchangeException known when known.Original != known => known.Original.Again(known.Original.Detail, known.RetryAfter),
        TokenExchangeException known => known.ForTarget(target),
        OperationCanceledException when session.Leases.IsClosed => session.JobEnded(target),
        OperationCanceledException when deadlinePassed => new TokenExchangeException(ErrorCodes.DeadlineExceeded, ExchangeStage.Exchange, $"The exchange took more than {limit.TotalSeconds:0} s.")
        {
            Target = target, IsTransient = true,
        },
        _ => new TokenExchangeException(ErrorCodes.ExchangerFailed, ExchangeStage.Exchange, $"The exchanger failed with {exception.GetType().Name}.", ForeignException.Of(exception))
        {
            Target = target, IsTransient = exception is OperationCanceledException or TimeoutException,
        },
    };
}
