namespace Nhi.TokenExchange;

/// <summary>Holds the scopes that a JWT says of itself against those that were asked for.</summary>
internal static class TokenScopes
{
    // Entra ID: whatever the application has at the resource; Databricks: every API.
    private const string AllOfResource = "/.default";
    private const string AllApis = "all-apis";

    /// <summary>The first scope that was not asked for; null if there is none, or the choice was the issuer's.</summary>
    public static string? Beyond(ScopeSet asked, IEnumerable<string> said) =>
        asked.IsEmpty || asked.Values.Any(scope => scope == AllApis || scope.EndsWith(AllOfResource, StringComparison.Ordinal)) ? null : said.FirstOrDefault(scope => !asked.Values.Any(wanted => IsOf(wanted, scope)));

    // Entra ID is asked for "https://graph.microsoft.com/User.Read" and says "User.Read".
    private static bool IsOf(string asked, string said) =>
        asked == said || (asked.EndsWith($"/{said}", StringComparison.Ordinal) && Uri.TryCreate(asked, UriKind.Absolute, out _));
}
