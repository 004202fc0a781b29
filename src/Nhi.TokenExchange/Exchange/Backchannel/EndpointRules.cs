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
        if (AsciiHost(endpoint) is not { } host)
            return "has a host that is no name";
        if (endpoint.Scheme == Uri.UriSchemeHttps)
            return null;
        // RFC 6749 §3.2: the token endpoint requires TLS. On loopback nobody listens in.
        return endpoint.Scheme == Uri.UriSchemeHttp && NetworkAddresses.IsLoopbackName(host) ? null : "is not https";
    }

    /// <summary>The host as it is looked up; null if it has characters that no name may have, which <see cref="Uri"/> tells only when it is asked (RFC 5891 §4.2).</summary>
    public static string? AsciiHost(Uri address)
    {
        try
        {
            return address.IdnHost;
        }
        catch (UriFormatException)
        {
            return null;
        }
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (FaultOf(request.RequestUri) is { } fault)
        {
            string host = request.RequestUri is { IsAbsoluteUri: true } uri ? AsciiHost(uri) ?? "(no name)" : "(none)";
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
