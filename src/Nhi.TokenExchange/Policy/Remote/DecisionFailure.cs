using System.Net;

namespace Nhi.TokenExchange;

/// <summary>Says that a decision point could not decide (NHI3002), and what to do. Such a failure is never a permit, and never ends what was granted.</summary>
internal static class DecisionFailure
{
    private const string Passing = "Nothing new is granted until the decision point answers; what is held is served on as long as its permit holds.";

    /// <summary>Of what the back channel refused or did not get.</summary>
    public static TokenExchangeException Of(TokenExchangeException failed, DecisionCall call) =>
        Make($"The decision point could not be asked: {failed.Detail}", call, failed.IsTransient, failed.IsTransient ? Passing : failed.Hint ?? "Check the decision point's address.", failed.RetryAfter, failed);

    public static TokenExchangeException OfStatus(HttpResponseMessage response, Uri endpoint, DecisionCall call)
    {
        bool isTransient = (int)response.StatusCode >= 500;
        string hint = response.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => "This library sends no credential to a decision point. Reach it on loopback through a proxy that authenticates, such as a sidecar with mutual TLS.",
            HttpStatusCode.NotFound => "Check the decision point's address and path.",
            _ when isTransient => Passing,
            _ => "Check that the address is the decision point's; its own log says what it did not take, under the request id.",
        };
        return Make($"The decision point on host {endpoint.IdnHost} answered {(int)response.StatusCode} instead of a decision.", call, isTransient, hint, isTransient ? RetryAfterHeader.Read(response, call.Time) : null, correlationId: CorrelationIds.Of(response));
    }

    /// <summary>Of an answer that is neither a clear yes nor a clear no.</summary>
    /// <param name="endpoint">Who answered.</param>
    /// <param name="call">The question.</param>
    /// <param name="fault">What is wrong with the answer; quotes no value.</param>
    public static TokenExchangeException Malformed(Uri endpoint, DecisionCall call, string fault) =>
        Make($"The answer of the decision point on host {endpoint.IdnHost} {fault}.", call, isTransient: true, "Correct what the decision point answers; until then nothing new is granted.");

    /// <summary>Of metadata that can't be believed.</summary>
    public static TokenExchangeException Undiscovered(Uri decisionPoint, DecisionCall call, string fault, string hint) =>
        Make($"The metadata of the decision point on host {decisionPoint.IdnHost} {fault}.", call, isTransient: true, hint);

    public static TokenExchangeException TooLate(string rule, DecisionCall call) =>
        Make(FormattableString.Invariant($"The decision point ({rule}) gave no decision within {call.Deadline.TotalSeconds:0.###} s."), call, isTransient: true, Passing);

    public static TokenExchangeException NotAsked(string rule, DecisionCall call, TimeSpan wait) =>
        Make($"The decision point ({rule}) failed several times in a row and is not asked for a while.", call, isTransient: true, Passing, wait);

    private static TokenExchangeException Make(string what, DecisionCall call, bool isTransient, string hint, TimeSpan? retryAfter = null, Exception? inner = null, string? correlationId = null) =>
        new(ErrorCodes.PolicyUnavailable, ExchangeStage.Authorize, what, inner) { IsTransient = isTransient, Hint = hint, RetryAfter = retryAfter, CorrelationId = correlationId ?? (inner as TokenExchangeException)?.CorrelationId ?? call.RequestId };
}
