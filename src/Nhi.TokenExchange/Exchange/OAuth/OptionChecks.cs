namespace Nhi.TokenExchange;

/// <summary>Checks what the options of OAuth exchangers have in common.</summary>
internal static class OptionChecks
{
    private static readonly TimeSpan LongestMargin = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestDefault = TimeSpan.FromDays(1);

    /// <exception cref="ArgumentException">The URI may not be asked.</exception>
    public static void Endpoint(Uri? endpoint, string name)
    {
        if (endpoint is not null && EndpointRules.FaultOf(endpoint) is { } fault)
            throw new ArgumentException($"{name} {fault}. Give an absolute https URI without user info and fragment; http is for loopback only.", name);
    }

    /// <exception cref="ArgumentException">The URI names no issuer.</exception>
    public static void Issuer(Uri issuer, string name)
    {
        ArgumentNullException.ThrowIfNull(issuer, name);
        Endpoint(issuer, name);
        // RFC 8414 §2: no query or fragment
        if (issuer.Query.Length > 0)
            throw new ArgumentException($"{name} has a query, which an issuer identifier has not (RFC 8414 §2).", name);
    }

    /// <exception cref="ArgumentException">It looks like a static secret: a client's id is public, is sent as it is and stands in messages.</exception>
    public static void ClientId(string? id, string name)
    {
        if (id is not null && SecretSmell.FormOf(id, SecretSmell.ShortestKeyInClientId(id)) is { } form)
            throw new ArgumentException($"{name} looks like {form} (its value, {id.Length} characters, is not shown): static secrets have no place here. Give the public id of the client; remove the secret and rotate it.", name);
    }

    /// <exception cref="ArgumentException">One is not configured, though the other is.</exception>
    public static IssuerEndpoints? Endpoints(Uri? token, Uri? revocation)
    {
        Endpoint(token, nameof(Rfc8693Options.TokenEndpoint));
        Endpoint(revocation, nameof(Rfc8693Options.RevocationEndpoint));
        if (token is null && revocation is not null)
            throw new ArgumentException("RevocationEndpoint is set without TokenEndpoint. Set both, or none to discover them.");
        return token is null ? null : new IssuerEndpoints(token, revocation);
    }

    /// <exception cref="ArgumentException">One is no resource indicator.</exception>
    public static void Resources(IEnumerable<Uri> resources)
    {
        foreach ((int index, Uri resource) in resources.Index())
        {
            if ((resource is null ? "is null" : ResourceIndicator.FaultOf(resource.OriginalString)) is { } fault)
                throw new ArgumentException($"Resources[{index}] {fault}. {ResourceIndicator.Remedy}", nameof(resources));
        }
    }

    /// <exception cref="ArgumentException">One is out of its range.</exception>
    public static void Times(TimeSpan margin, TimeSpan defaultLifetime)
    {
        if (margin < TimeSpan.Zero || margin > LongestMargin)
            throw new ArgumentException($"UsableMargin is {margin}; give 00:00:00 to {LongestMargin}.", nameof(margin));
        if (defaultLifetime < TimeSpan.FromSeconds(1) || defaultLifetime > LongestDefault)
            throw new ArgumentException($"DefaultLifetime is {defaultLifetime}; give 00:00:01 to 1 day.", nameof(defaultLifetime));
    }

    /// <exception cref="TokenExchangeException">The caller wants what this kind of exchange has no word for.</exception>
    public static void NoTenantOrClaims(ExchangeRequest request)
    {
        if (request.Tenant is null && request.Claims is null)
            return;
        throw new TokenExchangeException(request.Claims is null ? ErrorCodes.TenantRefused : ErrorCodes.ClaimsRefused, ExchangeStage.Exchange, "A tenant or the claims of a challenge were asked for; this issuer knows neither.")
        {
            Hint = "Ask without tenant and claims, or use an exchanger that knows them.",
        };
    }
}
