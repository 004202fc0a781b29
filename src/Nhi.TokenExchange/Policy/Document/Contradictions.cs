namespace Nhi.TokenExchange;

/// <summary>Rules that say yes and no at once: they compile to nothing, so they are refused.</summary>
internal static class Contradictions
{
    /// <summary>What keeps a rule from ever matching, or from leaving anything; null if nothing is found.</summary>
    public static (string What, string Remedy)? Of(bool isPermit, IReadOnlyList<PolicyCondition> conditions, PolicyLimits limits)
    {
        if (limits.Scopes is { } left && conditions.OfType<ScopeCondition>().FirstOrDefault() is { } asked && !left.Values.Any(asked.Scopes.Contains))
            return ("leaves none of the scopes that the rule lets through", "Let limits.scopes and when.scopes have one in common.");
        return conditions.OfType<StaticKeyCondition>().Any() ? OfStaticKeys(isPermit, conditions, limits) : null;
    }

    // A static key has no scopes, names no resources and no details, does not end, and each of the three questions is answered with yes.
    private static (string What, string Remedy)? OfStaticKeys(bool isPermit, IReadOnlyList<PolicyCondition> conditions, PolicyLimits limits)
    {
        if (conditions.OfType<ExposureCondition>().FirstOrDefault(condition => !condition.IsYes) is { } safe)
            return ($"never matches: of a static key {safe.Name} is always true", isPermit ? "Take it out; what static keys are exposed to is permitted with them." : "Say true, or take it out.");
        if (conditions.OfType<ScopeCondition>().Any(condition => condition.Operator != ScopeOperator.Beyond))
            return ("never matches: no scopes are asked for with a static key", "Take when.scopes out.");
        if (limits.Scopes is not null || limits.Resources is not null || limits.AuthorizationDetails is not null)
            return ("limits scopes, resources or details, of which a static key has none, so nothing would be left", "Take them out; the vault narrows what a key opens.");
        return limits.RefuseLongerLife ? ("refuses every static key it permits: none ends", "Take limits.refuseLongerLife out.") : null;
    }

    /// <summary>What two permits together leave nothing of; null if they leave something of all.</summary>
    public static string? NothingLeftOf(PolicyLimits one, PolicyLimits other) =>
        one.Scopes is { } scopes && other.Scopes is { } others && !scopes.Values.Any(others.Contains) ? "scopes"
        : one.Resources is { } resources && other.Resources is { } names && !resources.Any(name => names.Contains(name, StringComparer.Ordinal)) ? "resources"
        : one.AuthorizationDetails is { } details && other.AuthorizationDetails is { } common && CommonDetails.Of(details, common) is null ? "authorizationDetails"
        : null;
}
