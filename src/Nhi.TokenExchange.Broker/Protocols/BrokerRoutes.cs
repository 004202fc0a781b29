namespace Nhi.TokenExchange;

/// <summary>Which endpoint a path leads to, and in which form it says no. Where no target is handed out by a protocol, its paths are not there.</summary>
/// <param name="Word">Its name in metrics.</param>
/// <param name="Protocol">Its name in the log.</param>
/// <param name="AnswerAsync">Answers.</param>
/// <param name="Refuse">Says no.</param>
internal sealed record BrokerRoute(string Word, string Protocol, Func<BrokerCall, Task<BrokerAnswer>> AnswerAsync, Func<BrokerRefusal, BrokerAnswer> Refuse)
{
    /// <summary>The form in which is refused what leads nowhere.</summary>
    public static readonly BrokerRoute None = new("none", "none", _ => throw new BrokerRefusal(RefusalKind.NotFound, "there is nothing here"), OAuthEndpoints.Refuse);

    private static readonly BrokerRoute Imds = new("azure_imds", "Azure IMDS", ImdsEndpoint.AnswerAsync, ImdsEndpoint.Refuse);
    private static readonly BrokerRoute AppService = new("azure_app_service", "Azure App Service", AppServiceEndpoint.AnswerAsync, AppServiceEndpoint.Refuse);
    private static readonly BrokerRoute Aws = new("aws_container", "AWS container credentials", AwsContainerEndpoint.AnswerAsync, AwsContainerEndpoint.Refuse);
    private static readonly BrokerRoute Google = new("google_metadata", "Google metadata", GoogleMetadataEndpoint.AnswerAsync, GoogleMetadataEndpoint.Refuse);
    private static readonly BrokerRoute Exchange = new("oauth_exchange", "OAuth token exchange", OAuthEndpoints.ExchangeAsync, OAuthEndpoints.Refuse);
    private static readonly BrokerRoute Revocation = new("oauth_revocation", "OAuth revocation", OAuthEndpoints.RevokeAsync, OAuthEndpoints.Refuse);
    private static readonly BrokerRoute Introspection = new("oauth_introspection", "OAuth introspection", OAuthEndpoints.IntrospectAsync, OAuthEndpoints.Refuse);

    public static BrokerRoute Of(string path, BrokerPlan plan, Uri address) => path switch
    {
        AppServiceEndpoint.Path when plan.AzureIdentities.Count > 0 => AppService,
        ImdsEndpoint.Path when plan.AzureIdentities.Count > 0 => Imds,
        OAuthEndpoints.TokenPath when plan.ByResource.Count > 0 => Exchange,
        OAuthEndpoints.RevocationPath when plan.ByResource.Count > 0 => Revocation,
        OAuthEndpoints.IntrospectionPath when plan.ByResource.Count > 0 => Introspection,
        OAuthEndpoints.MetadataPath when plan.ByResource.Count > 0 => new("oauth_metadata", "OAuth metadata", call => Task.FromResult(OAuthEndpoints.Metadata(call, address)), OAuthEndpoints.Refuse),
        _ when plan.AwsRoles.Count > 0 && path.StartsWith(AwsContainerEndpoint.Prefix, StringComparison.Ordinal) => Aws,
        _ when plan.Google is not null && (path == GoogleMetadataEndpoint.Root || path.StartsWith(GoogleMetadataEndpoint.Prefix, StringComparison.Ordinal)) => Google,
        _ => None,
    };
}
