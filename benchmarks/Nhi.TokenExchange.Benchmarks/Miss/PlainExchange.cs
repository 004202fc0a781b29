namespace Nhi.TokenExchange;

/// <summary>One bare post after the other over a wire, with a client that is kept.</summary>
public sealed class PlainExchange(HttpMessageHandler wire, string proof) : IDisposable
{
    private readonly HttpClient _http = new(wire);

    public Task<string> AskAsync() => PlainPost.AskAsync(_http, new Uri("https://issuer.example/token"), proof);

    public void Dispose() => _http.Dispose();
}
