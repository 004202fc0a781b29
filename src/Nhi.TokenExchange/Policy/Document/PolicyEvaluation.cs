namespace Nhi.TokenExchange;

/// <summary>Decides one request by the rules. A pure function: of the document and the request, which has the instant in it.</summary>
/// <remarks>
/// Nothing that matches: denied. A forbid that matches: denied, whatever permits. Else all permits that match hold together: the shortest hand-out, the scopes that all of them leave, each obligation of any. So the order of
/// rules says nothing, and a rule that is added may deny or narrow what another permits, or permit what none did; a forbid never permits.
/// A decision holds until the next instant at which the window of any rule opens or closes whose other conditions hold.
/// </remarks>
internal static class PolicyEvaluation
{
    public static AccessDecision Decide(RuleIndex rules, AccessRequest request)
    {
        PolicyRule? forbid = null;
        var permits = new Permits(request.Scopes);
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
        return permits.LeavesNothing
            ? AccessDecision.Deny(names, DenialReason.NoScopeLeft(permits.Limit, request), holdsUntil)
            : AccessDecision.Permit(names, permits.Narrowed, permits.LongestHandOut, holdsUntil, permits.RefuseLongerLife, permits.SenderConstrained);
    }

    // What the permits that match leave together.
    private struct Permits(ScopeSet asked)
    {
        private const int MostNamed = 8;

        private int _count;

        public string? Names { get; private set; }

        public TimeSpan? LongestHandOut { get; private set; }

        /// <summary>The scopes that every permit with such a limit lists; null if none has one.</summary>
        public ScopeSet? Limit { get; private set; }

        public bool RefuseLongerLife { get; private set; }

        public bool SenderConstrained { get; private set; }

        public readonly ScopeSet? Narrowed => Limit is { } limit ? (asked.IsEmpty ? limit : Common(limit, asked)) : null;

        public readonly bool LeavesNothing => Narrowed is { IsEmpty: true };

        public void Add(PolicyRule permit)
        {
            _count++;
            Names = Names is null ? permit.Name : _count < MostNamed ? $"{Names}, {permit.Name}" : _count == MostNamed ? Names + ", …" : Names;
            PolicyLimits limits = permit.Limits;
            if (limits.LongestHandOut is { } longest && (LongestHandOut is null || longest < LongestHandOut))
                LongestHandOut = longest;
            if (limits.Scopes is { } scopes)
                Limit = Limit is { } before ? Common(before, scopes) : scopes;
            RefuseLongerLife |= limits.RefuseLongerLife;
            SenderConstrained |= limits.SenderConstrained;
        }

        private static ScopeSet Common(ScopeSet left, ScopeSet right) => left.IsSubsetOf(right) ? left : ScopeSet.Of([.. left.Values.Where(right.Contains)]);
    }
}
