using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>A wire in memory below a whole job's back channel: a token endpoint that answers as it is told, and a revocation endpoint that notes what it ends.</summary>
internal sealed class AnsweringWire(Func<int, HttpResponseMessage> answer) : HttpMessageHandler
{
    public const string Issuer = "https://issuer.example";

    private readonly ConcurrentQueue<string> _asked = new();
    private readonly ConcurrentQueue<string> _revoked = new();
    private readonly ConcurrentQueue<Uri> _places = new();
    private readonly ConcurrentQueue<Uri> _endpoints = new();

    public static Uri TokenEndpoint { get; } = new($"{Issuer}/token");

    public static Uri RevocationEndpoint { get; } = new($"{Issuer}/revoke");

    /// <summary>The forms that came to the token endpoint.</summary>
    public IReadOnlyCollection<string> Asked => _asked;

    /// <summary>The tokens that were revoked.</summary>
    public IReadOnlyCollection<string> Revoked => _revoked;

    /// <summary>Where all requests went.</summary>
    public IReadOnlyCollection<Uri> Places => _places;

    /// <summary>Where forms went, which have proofs and tokens in them.</summary>
    public IReadOnlyCollection<Uri> Endpoints => _endpoints;

    /// <summary>What is answered to a GET: a discovery document. Default: not found.</summary>
    public Func<HttpResponseMessage> Document { get; init; } = () => new HttpResponseMessage(HttpStatusCode.NotFound);

    public static HttpResponseMessage Json(string body, HttpStatusCode status = HttpStatusCode.OK) => Of(Encoding.UTF8.GetBytes(body), "application/json", status);

    public static HttpResponseMessage Of(byte[] body, string? contentType, HttpStatusCode status = HttpStatusCode.OK)
    {
        var response = new HttpResponseMessage(status) { Content = new ByteArrayContent(body) };
        if (contentType is not null)
            response.Content.Headers.ContentType = new MediaTypeHeaderValue(contentType);
        return response;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        _places.Enqueue(request.RequestUri!);
        if (request.Content is null)
            return Document();
        _endpoints.Enqueue(request.RequestUri!);
        string form = await request.Content.ReadAsStringAsync(cancellationToken);
        if (request.RequestUri!.AbsolutePath != "/revoke")
        {
            _asked.Enqueue(form);
            return answer(_asked.Count);
        }
        _revoked.Enqueue(System.Web.HttpUtility.ParseQueryString(form)["token"] ?? "");
        return new HttpResponseMessage(HttpStatusCode.OK);
    }
}
