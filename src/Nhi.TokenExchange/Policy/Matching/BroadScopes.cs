namespace Nhi.TokenExchange;

/// <summary>Scopes that contain others: whoever is granted one has those, too.</summary>
internal static class BroadScopes
{
    /// <summary>Databricks' word for all of its APIs, and the default of its own SDKs.</summary>
    public const string Databricks = "all-apis";

    /// <summary>Google Cloud's word for all of its APIs.</summary>
    public const string Google = "https://www.googleapis.com/auth/cloud-platform";

    /// <summary>Whether one of these scopes is that one, or contains it. By its text alone: of an issuer that has no such words it contains nothing more, and is asked for in its place by nobody (<see cref="TokenExchanger.Contains"/>).</summary>
    public static bool Contain(ScopeSet scopes, string other)
    {
        if (scopes.Contains(other))
            return true;
        foreach (string scope in scopes.Values)
        {
            if (Contains(scope, other))
                return true;
        }
        return false;
    }

    /// <summary>Of these scopes, those that others are or contain.</summary>
    public static ScopeSet Within(ScopeSet scopes, ScopeSet others) =>
        scopes.IsSubsetOf(others) ? scopes : ScopeSet.Of([.. scopes.Values.Where(scope => Contain(others, scope))]);

    /// <summary>What both have in common: of each side what is on the other, too, or is contained there. Of two that only overlap (<c>s3:Get*</c>, <c>s3:*Object</c>) nothing.</summary>
    public static ScopeSet Common(ScopeSet some, ScopeSet others)
    {
        ScopeSet left = Within(some, others);
        if (left == some)
            return some;
        ScopeSet right = Within(others, some);
        return right == others ? others : ScopeSet.Of([.. left.Values, .. right.Values]);
    }

    // Without a wildcard it contains its other spellings, which are the same action.
    private static bool Contains(string scope, string other) => scope is Databricks or Google || (AwsActionNames.IsOne(scope) && AwsActionNames.Contains(scope, other));
}
