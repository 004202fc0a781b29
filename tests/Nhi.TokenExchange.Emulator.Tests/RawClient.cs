using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Speaks to the emulator with nothing but HttpClient, so that no code of ours can hide a fault of ours.</summary>
internal sealed class RawClient(HttpMessageHandler? handler = null) : IDisposable
{
    public const string Exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    public const string JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    public const string JwtType = "urn:ietf:params:oauth:token-type:jwt";
    public const string AccessTokenType = "urn:ietf:params:oauth:token-type:access_token";

    public HttpClient Http { get; } = new(handler ?? new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { Timeout = TimeSpan.FromSeconds(20) };

    public async Task<RawAnswer> PostAsync(Uri address, params IEnumerable<(string Name, string Value)> form)
    {
        using var content = new FormUrlEncodedContent(form.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        using HttpResponseMessage response = await Http.PostAsync(address, content);
        return await RawAnswer.ReadAsync(response);
    }

    public async Task<RawAnswer> GetAsync(Uri address, string? bearer = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (bearer is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        using HttpResponseMessage response = await Http.SendAsync(request);
        return await RawAnswer.ReadAsync(response);
    }

    public async Task<RawAnswer> SendAsync(HttpMethod method, Uri address, HttpContent? content, params IEnumerable<(string Name, string Value)> headers)
    {
        using var request = new HttpRequestMessage(method, address) { Content = content };
        foreach ((string name, string value) in headers)
            Assert.That(request.Headers.TryAddWithoutValidation(name, value), Is.True, name);
        using HttpResponseMessage response = await Http.SendAsync(request);
        return await RawAnswer.ReadAsync(response);
    }

    public void Dispose() => Http.Dispose();
}

/// <summary>An answer, read whole.</summary>
internal sealed record RawAnswer(HttpStatusCode Status, string Body, HttpResponseHeaders Headers, MediaTypeHeaderValue? ContentType)
{
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    public string Token => Text("access_token")!;

    public string? Error => Text("error");

    public string? Text(string name) => Json.TryGetProperty(name, out JsonElement value) ? value.ToString() : null;

    public string Header(string name) => string.Join(", ", Headers.TryGetValues(name, out IEnumerable<string>? values) ? values : []);

    public static async Task<RawAnswer> ReadAsync(HttpResponseMessage response) =>
        new(response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers, response.Content.Headers.ContentType);
}
