using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>A workspace without a wire: its token endpoint, and an API that refuses what is dead or in its last 30 seconds. Cheap enough for 100,000 calls.</summary>
internal sealed class InMemoryWorkspace(TimeProvider time)
{
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);
    private static readonly TimeSpan Refused = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _ends = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _served = new(StringComparer.Ordinal);
    private int _exchanges;
    private int _refusals;

    /// <summary>What an exchange waits for.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Whether the token endpoint answers 503 to everybody.</summary>
    public bool IsDown { get; set; }

    public int Exchanges => _exchanges;

    public int Refusals => _refusals;

    /// <summary>How many calls each token was good for.</summary>
    public IReadOnlyDictionary<string, int> Served => _served;

    public HttpMessageHandler TokenEndpoint => new Door(async _ =>
    {
        if (IsDown)
            return new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
        string token = string.Create(CultureInfo.InvariantCulture, $"token-{Interlocked.Increment(ref _exchanges)}");
        _ends[token] = time.GetUtcNow() + Life;
        await Gate;
        return Json(HttpStatusCode.OK, $$"""{"access_token":"{{token}}","token_type":"Bearer","expires_in":3600,"scope":"sql"}""");
    });

    public HttpMessageHandler Api => new Door(request =>
    {
        string token = request.Headers.Authorization!.Parameter!;
        if (time.GetUtcNow() < _ends[token] - Refused)
        {
            _served.AddOrUpdate(token, 1, (_, count) => count + 1);
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request });
        }
        Interlocked.Increment(ref _refusals);
        HttpResponseMessage refusal = Json(HttpStatusCode.Forbidden, """{"error_code":403,"message":"Invalid access token."}""");
        refusal.RequestMessage = request;
        return Task.FromResult(refusal);
    });

    private static HttpResponseMessage Json(HttpStatusCode status, string body) => new(status) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    private sealed class Door(Func<HttpRequestMessage, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answer(request);
    }
}
