namespace Nhi.TokenExchange;

/// <summary>What the permits that match a request leave of it together: the shortest hand-out, what each of them leaves of scopes, resources and authorization details, each demand of any.</summary>
internal struct MatchingPermits(AccessRequest request)
{
    private const int MostNamed = 8;

    private int _count;
    private ScopeSet? _scopes;
    private bool _areDetailsGone;

    /// <summary>Their names; null if there is none.</summary>
    public string? Names { get; private set; }

    public TimeSpan? LongestHandOut { get; private set; }

    public bool RefuseLongerLife { get; private set; }

    public bool SenderConstrained { get; private set; }

    /// <summary>The names that every permit with such a limit lists; null if none has one.</summary>
    public IReadOnlyList<string>? Resources { get; private set; }

    /// <summary>What every permit with such a limit has in common of authorization details, a JSON array; null if none has one.</summary>
    public string? AuthorizationDetails { get; private set; }

    /// <summary>What is left of the scopes asked for, or of what they contain; where none were asked for, all that the limits list.</summary>
    public readonly ScopeSet? Scopes => _scopes is { } limit ? (request.Scopes.IsEmpty ? limit : BroadScopes.Within(limit, request.Scopes)) : null;

    /// <summary>Why there is nothing left to ask for; null if there is something.</summary>
    public readonly string? NothingLeft
    {
        get
        {
            if (Scopes is { IsEmpty: true })
                return DenialReason.NoScopeLeft(_scopes, request);
            if (Resources is { } resources && !request.Resources.Any(name => resources.Contains(name, StringComparer.Ordinal)))
                return DenialReason.NoResourceLeft(resources, request);
            return _areDetailsGone || (AuthorizationDetails is { } limit && (request.AuthorizationDetails is not { } asked || CommonDetails.Of(asked, limit) is null))
                ? DenialReason.NoDetailLeft(_areDetailsGone ? null : AuthorizationDetails, request)
                : null;
        }
    }

    public void Add(PolicyRule permit)
    {
        _count++;
        Names = Names is null ? permit.Name : _count < MostNamed ? $"{Names}, {permit.Name}" : _count == MostNamed ? Names + ", …" : Names;
        PolicyLimits limits = permit.Limits;
        if (limits.LongestHandOut is { } longest && (LongestHandOut is null || longest < LongestHandOut))
            LongestHandOut = longest;
        if (limits.Scopes is { } scopes)
            _scopes = _scopes is { } before ? Common(before, scopes) : scopes;
        if (limits.Resources is { } resources)
            Resources = Resources is { } before ? [.. before.Where(name => resources.Contains(name, StringComparer.Ordinal))] : resources;
        if (limits.AuthorizationDetails is { } details && !_areDetailsGone)
        {
            AuthorizationDetails = AuthorizationDetails is { } before ? CommonDetails.Of(before, details) : details;
            _areDetailsGone = AuthorizationDetails is null;
        }
        RefuseLongerLife |= limits.RefuseLongerLife;
        SenderConstrained |= limits.SenderConstrained;
    }

    private static ScopeSet Common(ScopeSet left, ScopeSet right) => left.IsSubsetOf(right) ? left : ScopeSet.Of([.. left.Values.Where(right.Contains)]);
}
