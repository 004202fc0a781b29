namespace Nhi.TokenExchange;

/// <summary>What a permit leaves of a request, and demands of the answer.</summary>
internal sealed record PolicyLimits
{
    public static PolicyLimits None { get; } = new();

    public TimeSpan? LongestHandOut { get; init; }

    public bool RefuseLongerLife { get; init; }

    public ScopeSet? Scopes { get; init; }

    /// <summary>The only names that the credential may be for.</summary>
    public IReadOnlyList<string>? Resources { get; init; }

    /// <summary>A JSON array (RFC 9396 §2).</summary>
    public string? AuthorizationDetails { get; init; }

    public bool SenderConstrained { get; init; }
}

/// <summary>One rule, compiled.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsPermit">Or it forbids.</param>
/// <param name="Reason">What its author says; null for nothing.</param>
/// <param name="Place">Where it begins.</param>
/// <param name="Conditions">All must hold. What a permit demands of the request beside its matchers is among them.</param>
/// <param name="Window">When it counts; null for always.</param>
/// <param name="Limits">Of a permit.</param>
internal sealed record PolicyRule(string Name, bool IsPermit, string? Reason, PolicyPlace Place, PolicyCondition[] Conditions, TimeWindow? Window, PolicyLimits Limits)
{
    /// <summary>The only targets that it is about; null if they can't be counted.</summary>
    public IReadOnlyList<string>? Targets => Find(PolicyAttribute.Target)?.Matcher.Values;

    /// <summary>The condition on a value, by its name.</summary>
    public ValueCondition? Find(string name) => Conditions.OfType<ValueCondition>().FirstOrDefault(condition => condition.Name == name);

    public bool HoldsFor(AccessRequest request)
    {
        foreach (PolicyCondition condition in Conditions)
        {
            if (!condition.HoldsFor(request))
                return false;
        }
        return true;
    }

    /// <summary>Whether it is certain to match whatever the other matches, at any time.</summary>
    public bool Covers(PolicyRule other)
    {
        // Asked of each pair of a document's rules: millions of times, so without a delegate.
        foreach (PolicyCondition own in Conditions)
        {
            if (!Covers(own, other.Conditions))
                return false;
        }
        return Window is null || Window.Covers(other.Window);
    }

    private static bool Covers(PolicyCondition own, PolicyCondition[] others)
    {
        foreach (PolicyCondition other in others)
        {
            if (own.Covers(other))
                return true;
        }
        return false;
    }
}
