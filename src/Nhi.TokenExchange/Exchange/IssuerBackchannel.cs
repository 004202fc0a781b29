namespace Nhi.TokenExchange;

/// <summary>The one way to issuers and CI endpoints.</summary>
internal static class IssuerBackchannel
{
    public static HttpMessageInvoker Create(TimeProvider time, Func<double> jitter, Func<HttpMessageHandler>? transport) =>
        new(transport?.Invoke() ?? new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false });
}
