namespace Nhi.TokenExchange;

/// <summary>What a decision point said, read and checked. Texts are cleaned and cut.</summary>
internal sealed record DecisionAnswer(bool IsPermitted)
{
    /// <summary>Why not; empty if it did not say.</summary>
    public string Reason { get; init; } = "";

    public DecisionLimits Limits { get; init; } = new();

    /// <summary>The decision point's name for the decision.</summary>
    public string? CorrelationId { get; init; }
}
