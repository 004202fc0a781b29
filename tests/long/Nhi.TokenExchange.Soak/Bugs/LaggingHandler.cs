using System.Collections.Concurrent;
using System.Net.Http.Headers;

namespace Nhi.TokenExchange.Soak;

/// <summary>What sends a client's requests, and sends each with the credential of an earlier one, whosever client that was.</summary>
internal sealed class LaggingHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    // Of a second or two before: some of those jobs are over.
    private const int RequestsBehind = 15;

    private static readonly ConcurrentQueue<AuthenticationHeaderValue?> Sent = new();

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Sent.Enqueue(request.Headers.Authorization);
        if (Sent.Count > RequestsBehind && Sent.TryDequeue(out AuthenticationHeaderValue? earlier))
            request.Headers.Authorization = earlier;
        return base.SendAsync(request, cancellationToken);
    }
}
