namespace Nhi.TokenExchange;

/// <summary>Which address belongs to which endpoint, and who answers there.</summary>
internal sealed class EmulatorRoutes(EmulatorPorts ports, OidcIssuer issuer, AuthorizationServer authorization, DatabricksWorkspace databricks, Warehouse warehouse, EntraServer entra, ManagedIdentityHosts identities, AzureResource resource, EmulatedVault vault, EmulatedKeyVault keyVault, EmulatedDecisionPoint decisionPoint, EmulatedAws aws, EmulatedGoogle google)
{
    /// <summary>Finds the endpoint; null when there is none at that address.</summary>
    public EmulatorEndpoint? Find(int port, string path)
    {
        if (port == ports.Warehouse)
            return EmulatorEndpoint.Warehouse;
        if (port == ports.AzureResource)
            return EmulatorEndpoint.AzureResource;
        if (port == ports.Vault)
            return EmulatedVault.Find(path);
        if (port == ports.KeyVault)
            return EmulatedKeyVault.Find(path);
        if (port == ports.DecisionPoint)
            return EmulatedDecisionPoint.Find(path);
        if (port == ports.Aws)
            return EmulatedAws.Find(path);
        if (port == ports.Google)
            return EmulatedGoogle.Find(path);
        return port == ports.Issuer ? AtIssuer(path)
            : port == ports.Authorization ? AtAuthorization(path)
            : port == ports.Databricks ? AtDatabricks(path)
            : AtAzure(path, secure: port == ports.Entra);
    }

    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request) => request.Endpoint switch
    {
        EmulatorEndpoint.OidcDiscovery => issuer.Discovery(),
        EmulatorEndpoint.Jwks => issuer.Jwks(),
        EmulatorEndpoint.ProofRequest => issuer.HandOut(request),
        EmulatorEndpoint.AuthorizationDiscovery => authorization.Metadata(),
        EmulatorEndpoint.AuthorizationJwks => authorization.Jwks(),
        EmulatorEndpoint.AuthorizationToken => await authorization.TokenAsync(FormPost(request)).ConfigureAwait(false),
        EmulatorEndpoint.Revocation => await authorization.RevokeAsync(FormPost(request)).ConfigureAwait(false),
        EmulatorEndpoint.Introspection => await authorization.IntrospectAsync(FormPost(request)).ConfigureAwait(false),
        EmulatorEndpoint.DatabricksConfig => databricks.Config(),
        EmulatorEndpoint.DatabricksDiscovery => databricks.Metadata(databricks.IsAccountPath(request.Path)),
        EmulatorEndpoint.DatabricksToken => await databricks.TokenAsync(FormPost(request)).ConfigureAwait(false),
        EmulatorEndpoint.DatabricksApi => await databricks.ApiAsync(request).ConfigureAwait(false),
        EmulatorEndpoint.Warehouse => warehouse.Answer(request),
        EmulatorEndpoint.ManagedIdentityToken => identities.Answer(request),
        EmulatorEndpoint.AzureResource => await resource.AnswerAsync(request).ConfigureAwait(false),
        EmulatorEndpoint.VaultLogin or EmulatorEndpoint.VaultToken or EmulatorEndpoint.VaultSecret or EmulatorEndpoint.VaultLease or EmulatorEndpoint.VaultWrapping => await vault.AnswerAsync(request).ConfigureAwait(false),
        EmulatorEndpoint.KeyVault => await keyVault.AnswerAsync(request).ConfigureAwait(false),
        EmulatorEndpoint.AwsSts => await aws.AnswerAsync(request).ConfigureAwait(false),
        EmulatorEndpoint.GoogleSts => await google.ExchangeAsync(FormPost(request)).ConfigureAwait(false),
        EmulatorEndpoint.GoogleIam => await google.ActAsync(request).ConfigureAwait(false),
        EmulatorEndpoint.AuthZenMetadata or EmulatorEndpoint.AuthZenEvaluation or EmulatorEndpoint.OpaData => await decisionPoint.AnswerAsync(request).ConfigureAwait(false),
        _ => await entra.AnswerAsync(request).ConfigureAwait(false),
    };

    private static EmulatorEndpoint? AtIssuer(string path) => path switch
    {
        "/issuer/.well-known/openid-configuration" => EmulatorEndpoint.OidcDiscovery,
        "/issuer/jwks" => EmulatorEndpoint.Jwks,
        "/issuer/proof" => EmulatorEndpoint.ProofRequest,
        _ => null,
    };

    // RFC 8414 §3.1: the well-known part is inserted between host and path; OIDC Discovery §4: it is appended.
    private static EmulatorEndpoint? AtAuthorization(string path) => path switch
    {
        "/.well-known/oauth-authorization-server/as" or "/as/.well-known/openid-configuration" => EmulatorEndpoint.AuthorizationDiscovery,
        "/as/jwks" => EmulatorEndpoint.AuthorizationJwks,
        "/as/token" => EmulatorEndpoint.AuthorizationToken,
        "/as/revoke" => EmulatorEndpoint.Revocation,
        "/as/introspect" => EmulatorEndpoint.Introspection,
        _ => null,
    };

    private EmulatorEndpoint? AtDatabricks(string path) => (databricks.IsAccountPath(path) ? $"/oidc/{path[$"/oidc/accounts/{databricks.AccountId}/".Length..]}" : path) switch
    {
        "/.well-known/databricks-config" => EmulatorEndpoint.DatabricksConfig,
        "/oidc/.well-known/oauth-authorization-server" => EmulatorEndpoint.DatabricksDiscovery,
        "/oidc/v1/token" => EmulatorEndpoint.DatabricksToken,
        _ => path.StartsWith("/api/", StringComparison.Ordinal) ? EmulatorEndpoint.DatabricksApi : null,
    };

    // Service Fabric alone speaks TLS; it is a guest at Entra's port. The other hosts are plain HTTP, as the real ones are.
    private static EmulatorEndpoint? AtAzure(string path, bool secure) => ManagedIdentityHosts.HostAt(path) is { } host
        ? secure == (host == ManagedIdentityHost.ServiceFabric) ? EmulatorEndpoint.ManagedIdentityToken : null
        : secure ? EntraServer.Find(path) : null;

    // RFC 6749 §3.2: POST, parameters in the form and none in the address; each at most once.
    private static EmulatorRequest FormPost(EmulatorRequest request)
    {
        if (request.Http.Request.Method != "POST")
            throw new OAuthRefusal("invalid_request", "method", "this endpoint answers POST only", 405);
        if (request.Http.Request.QueryString.HasValue)
            throw OAuthRefusal.InvalidRequest("parameters_in_address", "parameters belong in the form, not in the address");
        if (!request.Form.IsForm)
            throw OAuthRefusal.InvalidRequest("not_a_form", "the content type must be application/x-www-form-urlencoded");
        request.Form.RefuseRepeated();
        return request;
    }
}
