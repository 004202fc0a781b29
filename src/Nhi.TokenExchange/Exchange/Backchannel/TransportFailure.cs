using System.Net.Sockets;
using System.Security.Authentication;

namespace Nhi.TokenExchange;

/// <summary>Tells what went wrong between us and an issuer, and whether it may go away by itself.</summary>
internal static class TransportFailure
{
    private const string Gone = "See that the issuer runs and takes connections there, and that no firewall is between.";
    private const string Ill = "Look at the health of the issuer, and of what stands before it.";

    public static TokenExchangeException Of(Exception exception, Uri endpoint)
    {
        // What our own code refused while connecting comes wrapped.
        if (Find<TokenExchangeException>(exception) is { } refused)
            return refused;
        string host = endpoint.IdnHost;
        // The framework's own texts quote the proxy's URI with its credentials, and what came on the wire: only those that can't go along.
        Exception? inside = Find<SocketException>(exception) ?? (Exception?)Find<AuthenticationException>(exception) ?? Find<OperationCanceledException>(exception);
        HttpRequestError kind = exception is HttpRequestException request ? request.HttpRequestError : exception is HttpIOException io ? io.HttpRequestError : HttpRequestError.Unknown;
        return kind switch
        {
            HttpRequestError.NameResolutionError => Unreachable($"The name {host} was not resolved", "Check the host's name and this machine's name service."),
            HttpRequestError.SecureConnectionError when Find<AuthenticationException>(exception) is { } tls => Tls(tls),
            HttpRequestError.SecureConnectionError => Unreachable($"The connection to host {host} broke while TLS was set up", Ill),
            HttpRequestError.ProxyTunnelError => Proxy((exception as HttpRequestException)?.StatusCode),
            HttpRequestError.ConfigurationLimitExceeded => Malformed("sent more than 64 KiB of headers"),
            _ when exception is OperationCanceledException => Unreachable($"Host {host} took no connection in time", "Check the route and the firewall."),
            _ when Find<SocketException>(exception) is { SocketErrorCode: SocketError.ConnectionReset or SocketError.ConnectionAborted } => Unreachable($"Host {host}:{endpoint.Port} broke off the connection before its answer was whole", Ill),
            _ when Find<SocketException>(exception) is { } socket => Unreachable($"Host {host}:{endpoint.Port}: {socket.SocketErrorCode}", OutsideProxy.Describe(endpoint) is { } proxy ? $"The way goes through the proxy {proxy}: see that it runs, takes connections, and lets this host through." : Gone),
            _ => Unreachable($"The connection to host {host} ended before the answer did ({kind})", Ill),
        };

        TokenExchangeException Unreachable(string what, string? hint) =>
            new(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, $"{what}.", inside) { IsTransient = true, Hint = hint };

        TokenExchangeException Malformed(string what) =>
            new(ErrorCodes.IssuerAnswerMalformed, ExchangeStage.Exchange, $"Host {host} {what}.");

        TokenExchangeException Tls(AuthenticationException tls) =>
            new(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, $"TLS with host {host} failed: {OuterText.Shown((tls.InnerException ?? tls).Message)}", inside)
            {
                Hint = "Let the issuer present a valid certificate for this name; a company's own authority belongs into the trust store of the system, or is given by TokenExchangeBuilder.TrustRoots. Verification can't be switched off.",
            };

        TokenExchangeException Proxy(System.Net.HttpStatusCode? status) =>
            new(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, $"The proxy {OutsideProxy.Describe(endpoint)} gave no way to host {host}{(status is { } code ? $" (status {(int)code})" : "")}.")
            {
                IsTransient = status is null || (int)status >= 500, Hint = "Check https_proxy and no_proxy in the environment, and what the proxy allows.",
            };
    }

    private static T? Find<T>(Exception exception)
        where T : Exception
    {
        for (Exception? inner = exception; inner is not null; inner = inner.InnerException)
        {
            if (inner is T found)
                return found;
        }
        return null;
    }
}
