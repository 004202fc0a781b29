using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Nhi.TokenExchange.Tests.Exchange.OAuth;

/// <summary>An issuer without a wire: answers as it is told to, and keeps what it was asked. For what is made of an answer; nothing is tried again on the way to it.</summary>
internal sealed class InMemoryIssuer(Func<ReceivedRequest, HttpResponseMessage> answer) : HttpMessageHandler
{
    public static readonly Uri Address = new("https://issuer.example");
    public static readonly Uri TokenEndpoint = new(Address, "/token");
    public static readonly Uri RevocationEndpoint = new(Address, "/revoke");

    private readonly ConcurrentQueue<ReceivedRequest> _requests = new();

    public IReadOnlyList<ReceivedRequest> Requests => [.. _requests];

    public static HttpResponseMessage Json(string body, int status = 200, params (string Name, string Value)[] headers) => Text(body, "application/json", status, headers);

    /// <summary>An answer of a media type; of none if that is empty.</summary>
    public static HttpResponseMessage Text(string body, string type, int status = 200, params (string Name, string Value)[] headers)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        if (type.Length > 0)
            response.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        foreach ((string name, string value) in headers)
        {
            if (!response.Headers.TryAddWithoutValidation(name, value))
                response.Content.Headers.TryAddWithoutValidation(name, value);
        }
        return response;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var received = new ReceivedRequest(
            request.Method.Method, request.RequestUri!.AbsolutePath, request.Headers.ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase),
            request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken));
        _requests.Enqueue(received);
        return answer(received);
    }
}
