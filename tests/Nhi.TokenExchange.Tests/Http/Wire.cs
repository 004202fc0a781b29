using System.Collections.Concurrent;
using System.Net;

namespace Nhi.TokenExchange.Tests.Http;

/// <summary>An inner handler in memory: answers by a function and notes what it saw.</summary>
internal sealed class Wire(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
{
    public static readonly Uri Warehouse = new("https://warehouse.example/sql");

    public ConcurrentQueue<string?> Tokens { get; } = [];

    public ConcurrentQueue<string> Bodies { get; } = [];

    public bool IsDisposed { get; private set; }

    public static Wire Always(HttpStatusCode status, string body = "") => new(_ => Answer(status, body));

    /// <summary>Accepts all tokens but one.</summary>
    public static Wire Refusing(string token, HttpStatusCode status = HttpStatusCode.Unauthorized, string body = "") =>
        new(request => request.Headers.Authorization?.Parameter == token ? Answer(status, body) : Answer(HttpStatusCode.OK, "rows"));

    public static HttpResponseMessage Answer(HttpStatusCode status, string body = "") => new(status) { Content = new StringContent(body) };

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Tokens.Enqueue(request.Headers.Authorization?.Parameter);
        if (request.Content is not null)
        {
            // As the real transport does: a ReadAsStream would buffer the content, and stand at its end the second time.
            using var written = new MemoryStream();
            request.Content.CopyTo(written, null, cancellationToken);
            Bodies.Enqueue(System.Text.Encoding.UTF8.GetString(written.ToArray()));
        }
        HttpResponseMessage response = answer(request);
        response.RequestMessage ??= request;
        return response;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Tokens.Enqueue(request.Headers.Authorization?.Parameter);
        if (request.Content is not null)
        {
            using var written = new MemoryStream();
            await request.Content.CopyToAsync(written, cancellationToken);
            Bodies.Enqueue(System.Text.Encoding.UTF8.GetString(written.ToArray()));
        }
        HttpResponseMessage response = answer(request);
        response.RequestMessage ??= request;
        return response;
    }

    protected override void Dispose(bool disposing)
    {
        IsDisposed = true;
        base.Dispose(disposing);
    }
}
