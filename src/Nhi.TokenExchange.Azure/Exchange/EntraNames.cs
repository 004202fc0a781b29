namespace Nhi.TokenExchange;

/// <summary>The grammar of what names tenants, applications and authorities.</summary>
internal static class EntraNames
{
    private static readonly TimeSpan LongestMargin = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestBudget = TimeSpan.FromMinutes(5);

    /// <summary>Says what is wrong with a tenant; null if nothing is.</summary>
    public static string? FlawOfTenant(string tenant)
    {
        if (tenant.ToLowerInvariant() is "common" or "organizations" or "consumers")
            return $"is '{tenant}', which is no tenant: a job has one (AADSTS50194)";
        if (Guid.TryParseExact(tenant, "D", out Guid id))
            return id == Guid.Empty ? "is the empty GUID" : null;
        bool isDomain = tenant.Length is > 0 and <= 253 && tenant.Contains('.', StringComparison.Ordinal)
            && tenant.Split('.').All(label => label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') && label[0] != '-' && label[^1] != '-');
        return isDomain ? null : "is neither a GUID nor a domain such as contoso.onmicrosoft.com";
    }

    /// <summary>Says what is wrong with an application id; null if nothing is.</summary>
    public static string? FlawOfClientId(string clientId) =>
        Guid.TryParseExact(clientId, "D", out Guid id) && id != Guid.Empty ? null : "is not the application (client) id of an app registration or the client id of a user-assigned identity: a GUID";

    /// <summary>Says what is wrong with an authority host; null if nothing is.</summary>
    public static string? FlawOfAuthorityHost(Uri host)
    {
        if (!host.IsAbsoluteUri || host.Scheme != Uri.UriSchemeHttps)
            return "is not an absolute https address";   // MSAL takes no other either, loopback included
        return host.UserInfo.Length > 0 || host.AbsolutePath != "/" || host.Query.Length > 0 || host.Fragment.Length > 0 ? "is more than scheme, host and port" : null;
    }

    /// <exception cref="ArgumentException">Something in the options is wrong.</exception>
    public static void Check(string tenantId, string clientId, EntraOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(tenantId);
        ArgumentException.ThrowIfNullOrEmpty(clientId);
        ArgumentNullException.ThrowIfNull(options.AuthorityHost, nameof(options));
        Require(FlawOfTenant(tenantId), "The tenant", nameof(tenantId));
        Require(FlawOfClientId(clientId), "The client id", nameof(clientId));
        Require(FlawOfAuthorityHost(options.AuthorityHost), nameof(options.AuthorityHost), nameof(options));
        foreach (string tenant in options.AllowedTenants)
            Require(FlawOfTenant(tenant ?? ""), "An allowed tenant", nameof(options));
        if (options.UsableMargin < TimeSpan.Zero || options.UsableMargin > LongestMargin)
            throw new ArgumentException($"UsableMargin is {options.UsableMargin}; give 00:00:00 to {LongestMargin}.", nameof(options));
        if (options.PropagationBudget < TimeSpan.Zero || options.PropagationBudget > LongestBudget)
            throw new ArgumentException($"PropagationBudget is {options.PropagationBudget}; give 00:00:00 to {LongestBudget}.", nameof(options));
        if (options.ExpectedIssuer is "" || options.ExpectedSubject is "")
            throw new ArgumentException("ExpectedIssuer or ExpectedSubject is empty. Leave it unset, or write what the federated identity credential has.", nameof(options));
    }

    private static void Require(string? flaw, string what, string parameter)
    {
        if (flaw is not null)
            throw new ArgumentException($"{what} {ExceptionText.Clean(flaw, 200)}.", parameter);
    }
}
