using System.Collections.Concurrent;
using System.Net;

namespace Nhi.TokenExchange.Tests.Adapters;

/// <summary>What an Azure client sent last: the far end of its transport, in memory.</summary>
internal sealed class Wire(Func<Wire.Sent, HttpResponseMessage> answer) : HttpMessageHandler
{
    private readonly ConcurrentQueue<Sent> _sent = new();

    public IReadOnlyList<Sent> All => [.. _sent];

    public IReadOnlyList<string?> Tokens => [.. _sent.Select(sent => sent.Token)];

    public static Wire Always(HttpStatusCode status) => new(_ => new HttpResponseMessage(status));

    /// <summary>Answers one by one; the last for all that come after.</summary>
    public static Wire InTurn(params Func<HttpResponseMessage>[] answers)
    {
        int next = -1;
        return new Wire(_ => answers[Math.Min(Interlocked.Increment(ref next), answers.Length - 1)]());
    }

    public static HttpResponseMessage Challenge(string value)
    {
        var response = new HttpResponseMessage(HttpStatusCode.Unauthorized);
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", value);
        return response;
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        request.Content?.CopyTo(body, null, cancellationToken);
        return Answer(request, body);
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        if (request.Content is not null)
            await request.Content.CopyToAsync(body, cancellationToken);
        return Answer(request, body);
    }

    private HttpResponseMessage Answer(HttpRequestMessage request, MemoryStream body)
    {
        var sent = new Sent(request.Method, request.RequestUri!, request.Headers.Authorization?.Scheme, request.Headers.Authorization?.Parameter, body.ToArray());
        _sent.Enqueue(sent);
        HttpResponseMessage response = answer(sent);
        response.RequestMessage = request;
        return response;
    }

    /// <summary>One request.</summary>
    internal sealed record Sent(HttpMethod Method, Uri Address, string? Scheme, string? Token, byte[] Body);
}
