using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Nhi.TokenExchange;

/// <summary>Refuses what no program of the job would send: a browser that was led here, a proxy, another name of this host, an address with tricks in it.</summary>
internal static class RequestGuard
{
    // Of paths, what the protocols need, so that there is one way to write each (RFC 3986 §3.3): no percent, which would be a second one.
    private static readonly SearchValues<char> PathCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/@:");

    // RFC 8615: the one segment that begins with a dot.
    private const string WellKnown = "/.well-known/";

    // A browser says where a request comes from, a proxy for whom it is.
    private static readonly string[] Foreign = ["Origin", "Referer", "Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"];

    /// <param name="http">The request.</param>
    /// <param name="hosts">The names and ports of this broker.</param>
    /// <exception cref="BrokerRefusal">It is refused.</exception>
    public static void Check(HttpContext http, IReadOnlyList<string> hosts)
    {
        string target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (!target.StartsWith('/'))
            throw new BrokerRefusal(RefusalKind.WrongHost, "the request's target must be a path (RFC 9112 §3.2.1)");
        if (http.Request.Headers.Host is not [{ } host] || !hosts.Contains(host, StringComparer.OrdinalIgnoreCase))
            throw new BrokerRefusal(RefusalKind.WrongHost, $"the Host header must be {string.Join(" or ", hosts)}");
        foreach (string name in Foreign)
        {
            if (http.Request.Headers.ContainsKey(name))
                throw new BrokerRefusal(RefusalKind.Forbidden, $"a request with the header {name} is refused: it comes from a browser or through a proxy");
        }
        if (http.Request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site && site != "none")
            throw new BrokerRefusal(RefusalKind.Forbidden, "a request with the header Sec-Fetch-Site is refused: it comes from a browser");
        if (!IsPlain(target.AsSpan(0, target.IndexOf('?', StringComparison.Ordinal) is >= 0 and var end ? end : target.Length)))
            throw new BrokerRefusal(RefusalKind.Malformed, "the path has a character or a segment that no path here has");
        if (http.Request.Headers.ContainsKey(HeaderNames.TransferEncoding) && http.Request.ContentLength is not null)
            throw new BrokerRefusal(RefusalKind.Malformed, "a body has one length");   // RFC 9112 §6.3
    }

    private static bool IsPlain(ReadOnlySpan<char> path)
    {
        if (path.StartsWith(WellKnown))
            path = path[(WellKnown.Length - 1)..];
        return path.IndexOfAnyExcept(PathCharacters) < 0 && !path.Contains("//", StringComparison.Ordinal) && !path.Contains("/.", StringComparison.Ordinal);
    }
}
