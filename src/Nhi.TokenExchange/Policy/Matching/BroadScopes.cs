using System.IO.Enumeration;

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
            if (IsBroad(scope) && Contains(scope, other))
                return true;
        }
        return false;
    }

    /// <summary>Of these scopes, those that others are or contain.</summary>
    public static ScopeSet Within(ScopeSet scopes, ScopeSet others) =>
        scopes.IsSubsetOf(others) ? scopes : ScopeSet.Of([.. scopes.Values.Where(scope => Contain(others, scope))]);

    private static bool IsBroad(string scope) => scope is Databricks or Google || scope.AsSpan().ContainsAny('*', '?');

    // IAM compares actions without regard to case; * and ? stand for characters ("IAM JSON policy elements: Action").
    private static bool Contains(string broad, string other) => broad is Databricks or Google || FileSystemName.MatchesSimpleExpression(broad, other, ignoreCase: true);
}
