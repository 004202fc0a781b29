namespace Nhi.TokenExchange;

/// <summary>Holds the scopes that a JWT says of itself against those that were asked for.</summary>
internal static class TokenScopes
{
    /// <summary>The first scope that was not asked for; null if there is none, or the choice was the issuer's.</summary>
    /// <param name="asked">What was asked for.</param>
    /// <param name="said">What the token says.</param>
    /// <param name="scopeOfAll">The issuer's word for all scopes that there are; null if it has none.</param>
    public static string? Beyond(ScopeSet asked, IEnumerable<string> said, string? scopeOfAll) =>
        asked.IsEmpty || (scopeOfAll is not null && asked.Contains(scopeOfAll)) ? null : said.FirstOrDefault(scope => !asked.Contains(scope));
}
