namespace Nhi.TokenExchange;

/// <summary>What of the asked scopes is granted.</summary>
internal static class ScopeGrant
{
    // RFC 6749 §3.3: all or nothing here; absent scope means the default, which is all that is allowed.
    public static string Of(string? asked, IEnumerable<string> allowed, string? wider)
    {
        string[] may = [.. allowed];
        string[] wanted = asked is null ? may : asked.Split(' ');
        foreach (string scope in wanted)
        {
            if (!IsScopeToken(scope))
                throw new OAuthRefusal("invalid_scope", "scope_malformed", "a scope is empty or has a character that RFC 6749 §3.3 forbids");
            if (!may.Contains(scope))
                throw new OAuthRefusal("invalid_scope", "scope_not_allowed", $"the scope {scope} is not allowed; allowed: {string.Join(' ', may)}");
        }

        IEnumerable<string> granted = wanted.Distinct(StringComparer.Ordinal);
        return string.Join(' ', wider is null ? granted : granted.Concat(wider.Split(' ')));
    }

    // RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
    private static bool IsScopeToken(string scope) => scope.Length > 0 && scope.All(c => c is > ' ' and <= '~' and not '"' and not '\\');
}
