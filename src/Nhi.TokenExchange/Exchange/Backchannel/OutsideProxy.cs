using System.Net;

namespace Nhi.TokenExchange;

/// <summary>The proxy of the environment, for hosts outside of this machine and its link only.</summary>
/// <remarks>By default a <c>http_proxy</c> in the environment would get the requests for loopback and metadata hosts too, with the proof inside.</remarks>
internal sealed class OutsideProxy : IWebProxy
{
    public ICredentials? Credentials
    {
        get => HttpClient.DefaultProxy.Credentials;
        set => throw new NotSupportedException("The environment names the proxy.");
    }

    /// <summary>The host and port of the proxy that is used for an endpoint, without its credentials; null if none.</summary>
    public static string? Describe(Uri endpoint)
    {
        Uri? proxy = NetworkAddresses.IsLocalName(endpoint.IdnHost) || HttpClient.DefaultProxy.IsBypassed(endpoint) ? null : HttpClient.DefaultProxy.GetProxy(endpoint);
        return proxy is null ? null : $"{proxy.IdnHost}:{proxy.Port}";
    }

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : HttpClient.DefaultProxy.GetProxy(destination);

    public bool IsBypassed(Uri host) => NetworkAddresses.IsLocalName(host.IdnHost) || HttpClient.DefaultProxy.IsBypassed(host);
}
