namespace Nhi.TokenExchange;

/// <summary>The addresses of Entra: <c>/common/discovery/instance</c> and, for each tenant, metadata, keys and token endpoint.</summary>
internal sealed class EntraServer(EntraDirectory directory, EntraAssertions assertions)
{
    private readonly EntraDocuments _documents = new(directory);
    private readonly EntraTokenEndpoint _tokens = new(directory, assertions);

    public static EmulatorEndpoint? Find(string path)
    {
        if (path == "/common/discovery/instance")
            return EmulatorEndpoint.EntraInstanceDiscovery;
        int end = path.IndexOf('/', 1);
        return end < 2 ? null : path[end..] switch
        {
            "/v2.0/.well-known/openid-configuration" => EmulatorEndpoint.EntraDiscovery,
            "/discovery/v2.0/keys" => EmulatorEndpoint.EntraJwks,
            "/oauth2/v2.0/token" => EmulatorEndpoint.EntraToken,
            _ => null,
        };
    }

    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request)
    {
        string tenant = request.Path.Split('/')[1];
        return request.Endpoint switch
        {
            EmulatorEndpoint.EntraInstanceDiscovery => _documents.Instance(request),
            EmulatorEndpoint.EntraDiscovery => _documents.Metadata(request, tenant),
            EmulatorEndpoint.EntraJwks => _documents.Jwks(request, tenant),
            _ => await _tokens.AnswerAsync(request, tenant).ConfigureAwait(false),
        };
    }
}
