using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The broker that <c>nhi exec</c> runs, as a helper asks it that a program below it started.</summary>
internal sealed class BrokerConnection : IDisposable
{
    // As the page "Broker: for programs that can't exchange" has them: a contract with programs of others.
    private const string Broker = "NHI_BROKER";
    private const string TokenFile = "NHI_BROKER_TOKEN_FILE";
    private const string SocketScheme = "unix:";
    private const int LongestAnswer = 1 << 20;

    private readonly HttpClient _http;
    private readonly string _token;

    private BrokerConnection(HttpClient http, string token)
    {
        _http = http;
        _token = token;
    }

    /// <summary>Finds it by the variables that <c>nhi exec</c> set.</summary>
    /// <exception cref="HelperRefusal">There are none, or the run has ended.</exception>
    public static BrokerConnection FromEnvironment()
    {
        string? broker = Environment.GetEnvironmentVariable(Broker), file = Environment.GetEnvironmentVariable(TokenFile);
        if (string.IsNullOrEmpty(broker) || string.IsNullOrEmpty(file))
            throw new HelperRefusal($"{Broker} and {TokenFile} are not set: a helper answers programs that nhi exec started.");
        if (!File.Exists(file))
            throw new HelperRefusal("the run of nhi exec that this program was started by has ended, and its credentials with it.");
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        if (broker.StartsWith(SocketScheme, StringComparison.Ordinal))
            handler.ConnectCallback = (_, cancellationToken) => ConnectAsync(broker[SocketScheme.Length..], cancellationToken);
        var address = new Uri(broker.StartsWith(SocketScheme, StringComparison.Ordinal) ? "http://localhost/" : broker);
        return new BrokerConnection(new HttpClient(handler) { BaseAddress = address, MaxResponseContentBufferSize = LongestAnswer }, File.ReadAllText(file));
    }

    /// <summary>Asks an endpoint that takes the client's token as the whole <c>Authorization</c> header.</summary>
    /// <exception cref="HelperRefusal">It says no, or is not there any more.</exception>
    public async Task<JsonObject> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Authorization", _token);
        return await SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Exchanges the client's token for a bearer token of a target (RFC 8693).</summary>
    /// <returns><c>access_token</c>, <c>expires_in</c> (seconds).</returns>
    /// <exception cref="HelperRefusal">It says no, or is not there any more.</exception>
    public async Task<JsonObject> TokenAsync(string target, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/oauth2/token")
        {
            Content = new FormUrlEncodedContent(
            [
                new("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), new("subject_token", _token), new("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"), new("audience", target),
            ]),
        };
        return await SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives a token back that a server refused (RFC 7009).</summary>
    /// <exception cref="HelperRefusal">The broker is not there any more.</exception>
    public async Task RevokeAsync(string token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/oauth2/revoke") { Content = new FormUrlEncodedContent([new("token", token), new("client_secret", _token)]) };
        await SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The client's token, which is good for the broker alone.</summary>
    public string RevealToken() => _token;

    public void Dispose() => _http.Dispose();

    private async Task<JsonObject> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            string body = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            JsonObject answer = body.Length == 0 ? [] : JsonNode.Parse(body) as JsonObject ?? [];
            return response.IsSuccessStatusCode ? answer : throw new HelperRefusal(ExceptionText.Clean(SaidBy(answer) ?? $"the broker answered {(int)response.StatusCode}", 500));
        }
        catch (Exception failed) when (failed is HttpRequestException or JsonException)
        {
            throw new HelperRefusal($"the broker of nhi exec does not answer ({failed.GetType().Name}): has its run ended?");
        }
    }

    private static string? SaidBy(JsonObject answer) => (string?)answer["message"] ?? (string?)answer["error_description"];

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
