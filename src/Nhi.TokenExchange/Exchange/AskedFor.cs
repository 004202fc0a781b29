namespace Nhi.TokenExchange;

/// <summary>What an issuer is asked for, after the policy.</summary>
/// <param name="Scopes">Empty leaves them to the issuer.</param>
/// <param name="Resources">Resources and audiences.</param>
/// <param name="AuthorizationDetails">A JSON array; null for none.</param>
internal sealed record AskedFor(ScopeSet Scopes, IReadOnlyList<string> Resources, string? AuthorizationDetails)
{
    /// <summary>What a decision leaves of a request. Of a denied one, what the request was.</summary>
    public static AskedFor After(AccessDecision decision, AccessRequest request) => new(
        decision.Scopes ?? request.Scopes,
        decision.Resources is { } names ? [.. request.Resources.Where(name => names.Contains(name, StringComparer.Ordinal))] : request.Resources,
        Narrowing.DetailsLeft(decision, request) ?? request.AuthorizationDetails);
}
