using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Nhi.TokenExchange.Tests;

/// <summary>Answers requests in memory, in order; the last answer stays. Keeps what was asked.</summary>
internal sealed class Wire(params Func<SentRequest, HttpResponseMessage>[] answers) : HttpMessageHandler
{
    private readonly ConcurrentQueue<SentRequest> _requests = new();

    public IReadOnlyList<SentRequest> Requests => [.. _requests];

    public HttpMessageInvoker Backchannel => new(this, disposeHandler: false);

    public static Func<SentRequest, HttpResponseMessage> Json(string body, int status = 200, params (string Name, string Value)[] headers) => Text(body, "application/json", status, headers);

    public static Func<SentRequest, HttpResponseMessage> Text(string body, string type, int status = 200, params (string Name, string Value)[] headers) => _ =>
    {
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new StringContent(body, Encoding.UTF8, type) };
        foreach ((string name, string value) in headers)
            response.Headers.TryAddWithoutValidation(name, value);
        return response;
    };

    public static Func<SentRequest, HttpResponseMessage> Throws(Exception exception) => _ => throw exception;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        var sent = new SentRequest(
            request.Method.Method, request.RequestUri!, request.Headers.Concat(request.Content?.Headers ?? Enumerable.Empty<KeyValuePair<string, IEnumerable<string>>>()).ToDictionary(header => header.Key, header => string.Join(",", header.Value), StringComparer.OrdinalIgnoreCase), body);
        Func<SentRequest, HttpResponseMessage> answer = answers[Math.Min(_requests.Count, answers.Length - 1)];
        _requests.Enqueue(sent);
        HttpResponseMessage response = answer(sent);
        if (response.Content is SilentContent silent)
            await silent.WaitAsync(cancellationToken);
        return response;
    }
}

/// <summary>What was sent.</summary>
internal sealed record SentRequest(string Method, Uri Uri, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string? Field(string name) => Pairs(Body).GetValueOrDefault(name);

    public string? Query(string name) => Pairs(Uri.Query.TrimStart('?')).GetValueOrDefault(name);

    public IReadOnlyDictionary<string, string> Form => Pairs(Body);

    private static Dictionary<string, string> Pairs(string text) =>
        text.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).ToDictionary(pair => WebUtility.UrlDecode(pair[0]), pair => WebUtility.UrlDecode(pair[1]));
}

/// <summary>A host that takes the request and says nothing, for as long as one try may last.</summary>
internal sealed class SilentContent(SkippingTime time) : ByteArrayContent([])
{
    public static Func<SentRequest, HttpResponseMessage> Answer(SkippingTime time) => _ => new HttpResponseMessage { Content = new SilentContent(time) };

    public Task WaitAsync(CancellationToken cancellationToken)
    {
        var silence = Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        time.Advance(MetadataPatience.OneTry);
        return silence;
    }
}
