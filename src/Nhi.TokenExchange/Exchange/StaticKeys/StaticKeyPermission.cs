namespace Nhi.TokenExchange;

/// <summary>What a permit comes to that does not say that it is for a static key, or that wants it to end: a deny, whoever gave it, before the key is read.</summary>
internal static class StaticKeyPermission
{
    public static AccessDecision Applied(AccessDecision decision, AccessRequest asked)
    {
        if (!decision.IsPermitted || asked.StaticKey is null)
            return decision;
        string? fault = !decision.PermitsStaticKey ? "a static key expected a permit that says that it is for one, presented a permit that does not: a static key is permitted in so many words alone"
            : decision.RefuseLongerLife ? "refuseLongerLife expected a credential that ends, presented a static key, which nobody but its owner ends"
            : null;
        // Not for good: a policy that somebody else decides pushes no change.
        return fault is null ? decision : decision.Denied(fault, asked.At + RemotePolicy.DenyHolds);
    }
}
