namespace Nhi.TokenExchange;

/// <summary>What a permit comes to that does not say that it is for a static key: a deny, whoever gave it.</summary>
internal static class StaticKeyPermission
{
    public static AccessDecision Applied(AccessDecision decision, AccessRequest asked)
    {
        if (!decision.IsPermitted || decision.PermitsStaticKey || asked.StaticKey is null)
            return decision;
        // Not for good: a policy that somebody else decides pushes no change.
        return decision.Denied("a static key expected a permit that says that it is for one, presented a permit that does not: a static key is permitted in so many words alone", asked.At + RemotePolicy.DenyHolds);
    }
}
