namespace Nhi.TokenExchange;

/// <summary>What a permit narrows must reach the issuer: where the exchange has no place for it, or nothing is left to ask for, the request is denied instead of sent wider.</summary>
internal static class Narrowing
{
    public static AccessDecision Applied(AccessDecision decision, AccessRequest asked, TokenExchanger exchanger) =>
        decision.IsPermitted && FaultOf(decision, asked, exchanger) is { } fault ? decision.Denied(fault, decision.DenyHoldsUntil(asked.At)) : decision;

    /// <summary>What is left of the authorization details of a permit; null if it leaves those of the target, or there are none.</summary>
    public static string? DetailsLeft(AccessDecision decision, AccessRequest asked) =>
        decision.AuthorizationDetails is { } limit && asked.AuthorizationDetails is { } details ? CommonDetails.Of(details, limit) : null;

    // Scopes that go beyond those asked for are the policy's own fault, which the grant tells of.
    private static string? FaultOf(AccessDecision decision, AccessRequest asked, TokenExchanger exchanger)
    {
        if (decision.Scopes is { } scopes && scopes != asked.Scopes && (asked.Scopes.IsEmpty || exchanger.Contains(asked.Scopes, scopes)) && exchanger.FlawOf(scopes) is { } flaw)
            return $"scopes '{scopes}' are left, and cannot be asked for: they {ExceptionText.Clean(flaw, 300)}";
        if (decision.Resources is { } resources && !asked.Resources.Any(name => resources.Contains(name, StringComparer.Ordinal)))
            return DenialReason.NoResourceLeft(resources, asked);
        if (decision.AuthorizationDetails is { } details && DetailsLeft(decision, asked) is null)
            return DenialReason.NoDetailLeft(details, asked);
        return null;
    }
}
