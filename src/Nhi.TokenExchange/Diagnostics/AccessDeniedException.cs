namespace Nhi.TokenExchange;

/// <summary>The policy said no. Final until the policy changes.</summary>
public sealed class AccessDeniedException : TokenExchangeException
{
    /// <summary>Makes a denial.</summary>
    /// <param name="rule">The rule that decided.</param>
    /// <param name="message">Claim, expected and presented value.</param>
    /// <param name="innerException">The cause, if another exception was.</param>
    public AccessDeniedException(string rule, string message, Exception? innerException = null)
        : base(ErrorCodes.AccessDenied, ExchangeStage.Authorize, message, innerException) =>
        Rule = rule;

    /// <summary>The rule that decided.</summary>
    public string Rule { get; }

    /// <summary>Set by the pipeline on a decision of the session's own policy: remembered until it no longer holds.</summary>
    internal bool IsOfThePolicy { get; init; }

    /// <summary>Until when the policy's denial holds; null until the policy changes.</summary>
    internal DateTimeOffset? HoldsUntil { get; init; }

    internal override TokenExchangeException Again(string detail, TimeSpan? retryAfter) =>
        new AccessDeniedException(Rule, detail, this)
        {
            Target = Target, CorrelationId = CorrelationId, Hint = Hint, Original = Original,
        };
}
