namespace Nhi.TokenExchange;

/// <summary>Decides one request by the rules. A pure function: of the document and the request, which has the instant in it.</summary>
/// <remarks>
/// Nothing that matches: denied. A forbid that matches: denied, whatever permits. Else all permits that match hold together: the shortest hand-out, what all of them leave of scopes, resources and authorization details, each obligation of any. So the order of
/// rules says nothing, and a rule that is added may deny or narrow what another permits, or permit what none did; a forbid never permits.
/// A decision holds until the next instant at which the window of any rule opens or closes whose other conditions hold.
/// </remarks>
internal static class PolicyEvaluation
{
    public static AccessDecision Decide(RuleIndex rules, AccessRequest request)
    {
        PolicyRule? forbid = null;
        var permits = new MatchingPermits(request);
        DateTimeOffset? holdsUntil = null;
        foreach (PolicyRule rule in rules.For(request.Target))
        {
            if (!rule.HoldsFor(request))
                continue;
            if (rule.Window is { } window)
            {
                (bool isInside, DateTimeOffset? changesAt) = window.At(request.At);
                if (changesAt is { } change && (holdsUntil is null || change < holdsUntil))
                    holdsUntil = change;
                if (!isInside)
                    continue;
            }
            if (rule.IsPermit)
                permits.Add(rule);
            else
                forbid ??= rule;   // the first by name; all of them deny
        }
        if (forbid is not null)
            return AccessDecision.Deny(forbid.Name, DenialReason.Forbidden(forbid, request), holdsUntil);
        if (permits.Names is not { } names)
            return AccessDecision.Deny(RuleReading.DefaultDeny, DenialReason.NotPermitted(rules, request), holdsUntil);
        return permits.NothingLeft is { } nothing
            ? AccessDecision.Deny(names, nothing, holdsUntil)
            : AccessDecision.Permit(
                names, permits.Scopes, permits.LongestHandOut, holdsUntil, permits.RefuseLongerLife, permits.SenderConstrained, permits.Resources, permits.AuthorizationDetails,
                permitsStaticKey: request.StaticKey is not null);   // no permit matches one but who says so
    }
}
