namespace Nhi.TokenExchange;

/// <summary>What the rule of an <see cref="EmulatedDecisionPoint"/> says.</summary>
public sealed class EmulatedDecision
{
    /// <summary>Yes or no.</summary>
    public required bool IsPermitted { get; init; }

    /// <summary>Why not.</summary>
    public string? Reason { get; init; }

    /// <summary>The rule that decided.</summary>
    public string? Rule { get; init; }

    /// <summary>Narrower scopes.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>The longest hand-out; sent in whole seconds.</summary>
    public TimeSpan? MaxLifetime { get; init; }

    /// <summary>How long the decision holds; sent in whole seconds.</summary>
    public TimeSpan? HoldsFor { get; init; }
}
