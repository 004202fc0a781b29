namespace Nhi.TokenExchange;

/// <summary>Lets a request out only if its URI may be asked at all.</summary>
internal sealed class EndpointRules(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    /// <summary>Says what is wrong with an endpoint; null if nothing is.</summary>
    public static string? FaultOf(Uri? endpoint)
    {
        if (endpoint is null || !endpoint.IsAbsoluteUri)
            return "is not an absolute URI";
        if (endpoint.UserInfo.Length > 0)
            return "has user info";
        if (endpoint.Fragment.Length > 0)
            return "has a fragment";
        if (endpoint.Scheme == Uri.UriSchemeHttps)
            return null;
        // RFC 6749 §3.2: the token endpoint requires TLS. On loopback nobody listens in.
        return endpoint.Scheme == Uri.UriSchemeHttp && NetworkAddresses.IsLoopbackName(endpoint.IdnHost) ? null : "is not https";
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (FaultOf(request.RequestUri) is { } fault)
        {
            string host = request.RequestUri is { IsAbsoluteUri: true } uri ? uri.IdnHost : "(none)";
            throw new TokenExchangeException(ErrorCodes.IssuerAddressRefused, ExchangeStage.Exchange, $"The endpoint on host {ExceptionText.Clean(host)} {fault}; nothing was sent.")
            {
                Hint = "Use an absolute https URI without user info and fragment; http is for loopback only.",
            };
        }
        return base.SendAsync(request, cancellationToken);
    }

    // The synchronous way would pass by the rules of the handlers below.
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        throw new NotSupportedException("The back channel sends asynchronously only.");
}
