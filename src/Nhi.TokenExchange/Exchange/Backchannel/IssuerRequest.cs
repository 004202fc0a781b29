namespace Nhi.TokenExchange;

/// <summary>A request that knows the secrets it brings: what is told of its tries before anybody reads the answer must not show them either.</summary>
internal sealed class IssuerRequest(HttpMethod method, Uri endpoint, SentSecrets sent) : HttpRequestMessage(method, endpoint)
{
    private readonly SentSecrets _sent = sent;

    /// <summary>Those of a request; null if it does not say.</summary>
    public static SentSecrets? SecretsOf(HttpRequestMessage request) => (request as IssuerRequest)?._sent;
}
