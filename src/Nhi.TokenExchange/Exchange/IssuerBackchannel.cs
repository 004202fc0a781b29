namespace Nhi.TokenExchange;

/// <summary>The one way to issuers and CI endpoints: a short chain of handlers, each with one rule.</summary>
/// <remarks>
/// <code>
/// EndpointRules     https (loopback excepted), no user info; nothing synchronous
///   RetryingHandler   one deadline over all tries; the first goes straight, the retry machinery is built at the first transient failure
///     AnswerBounds      no redirect, at most 1 MiB of body, every transport failure told as a TokenExchangeException
///       SocketsHttpHandler   no cookies, no decompression, no proxy for local hosts, addresses checked at connect
/// </code>
/// What comes back is an answer that was read whole: a status that is worth a retry (408, 429, 502, 503, 504) has become an
/// exception by then, unless the request says that its caller reads refusals himself. There is no way to switch TLS verification off.
/// </remarks>
internal static class IssuerBackchannel
{
    /// <summary>All tries of one call together.</summary>
    public static readonly TimeSpan CallDeadline = TimeSpan.FromSeconds(30);

    /// <summary>Set on a request all of whose tries have less time than <see cref="CallDeadline"/>.</summary>
    public static readonly HttpRequestOptionsKey<TimeSpan> Within = new("Nhi.TokenExchange.Within");

    /// <summary>Set on a request whose 500 answer must not be asked for again.</summary>
    public static readonly HttpRequestOptionsKey<bool> ServerErrorIsFinal = new("Nhi.TokenExchange.ServerErrorIsFinal");

    /// <summary>Set on a request each of which makes something new: it is sent again only where the issuer said that it did nothing (429).</summary>
    public static readonly HttpRequestOptionsKey<bool> EachOneMakesAnew = new("Nhi.TokenExchange.EachOneMakesAnew");

    /// <summary>Set on a request whose issuer says "not now" in other words than a status: whether an answer, read whole, says so.</summary>
    public static readonly HttpRequestOptionsKey<Func<HttpResponseMessage, bool>> SaysNotNow = new("Nhi.TokenExchange.SaysNotNow");

    /// <summary>Set by the retries on a request that was sent before, where the answer may have been lost.</summary>
    public static readonly HttpRequestOptionsKey<bool> MayRepeatALostOne = new("Nhi.TokenExchange.MayRepeatALostOne");

    /// <summary>Set on a request that needs a new body for each try, such as one with a client assertion that may be used once.</summary>
    public static readonly HttpRequestOptionsKey<Func<CancellationToken, ValueTask<HttpContent>>> NewContent = new("Nhi.TokenExchange.NewContent");

    public static HttpMessageInvoker Create(TimeProvider time, Func<double> jitter, Func<HttpMessageHandler>? transport, AdditionalRoots? roots = null, Func<HttpMessageHandler, HttpMessageHandler>? around = null)
    {
        HttpMessageHandler wire = transport?.Invoke() ?? IssuerSockets.Create(roots: roots);
        return new HttpMessageInvoker(new EndpointRules(new RetryingHandler(new AnswerBounds(around is null ? wire : around(wire)), time, jitter)));
    }
}
