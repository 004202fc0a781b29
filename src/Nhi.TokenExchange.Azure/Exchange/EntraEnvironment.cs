namespace Nhi.TokenExchange;

/// <summary>Tenant, client and cloud from the variables that the webhook of Azure workload identity sets.</summary>
internal static class EntraEnvironment
{
    private const string Tenant = "AZURE_TENANT_ID";
    private const string Client = "AZURE_CLIENT_ID";
    private const string Authority = "AZURE_AUTHORITY_HOST";

    /// <exception cref="TokenExchangeException">A variable is missing or wrong.</exception>
    public static TokenExchanger<BearerToken> Make(Action<EntraOptions>? configure, Func<string, string?> environment)
    {
        string[] missing = [.. new[] { Tenant, Client }.Where(name => string.IsNullOrEmpty(environment(name)))];
        if (missing.Length > 0)
            throw Refused($"{string.Join(" and ", missing)} {(missing.Length == 1 ? "is" : "are")} not set: this pod has no Azure workload identity.");
        // The webhook's audience is one for all clouds (github.com/Azure/azure-workload-identity pkg/webhook/consts.go).
        var options = new EntraOptions { SubjectAudience = EntraAuthorityHosts.PublicSubjectAudience };
        if (environment(Authority) is { Length: > 0 } authority)
        {
            options.AuthorityHost = Uri.TryCreate(authority, UriKind.Absolute, out Uri? host) && EntraNames.FlawOfAuthorityHost(host) is null
                ? host
                : throw Refused($"{Authority} is not an https address without a path.");
        }
        configure?.Invoke(options);
        if (EntraNames.FlawOfTenant(environment(Tenant)!) is { } tenantFlaw)
            throw Refused($"{Tenant} {ExceptionText.Clean(tenantFlaw, 200)}.");
        if (EntraNames.FlawOfClientId(environment(Client)!) is { } clientFlaw)
            throw Refused($"{Client} {ExceptionText.Clean(clientFlaw, 200)}.");
        return new EntraExchanger(environment(Tenant)!, environment(Client)!, options);
    }

    private static TokenExchangeException Refused(string what) => new(ErrorCodes.InvalidConfiguration, ExchangeStage.Configure, what)
    {
        Hint = $"{AzureWorkloadIdentitySource.Injection} Or name tenant and client: Targets.Entra(tenantId, clientId).",
    };
}
