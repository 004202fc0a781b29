namespace Nhi.TokenExchange;

/// <summary>How one kind of decision point is asked.</summary>
internal interface IDecisionPoint
{
    /// <summary>The rule that decides where the answer names none.</summary>
    string Rule { get; }

    /// <summary>Which decision point it is, for the audit.</summary>
    string Identifier { get; }

    /// <summary>Asks.</summary>
    /// <exception cref="TokenExchangeException">It could not decide (NHI3002): whatever is neither a clear yes nor a clear no.</exception>
    Task<DecisionAnswer> AskAsync(DecisionCall call, CancellationToken cancellationToken);
}
