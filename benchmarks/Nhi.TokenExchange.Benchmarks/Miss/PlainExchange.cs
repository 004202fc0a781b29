using System.Text.Json.Serialization;

namespace Nhi.TokenExchange;

/// <summary>What one writes without a library: a form, a post, generated JSON. It attests, decides, records and checks nothing.</summary>
public sealed partial class PlainExchange(HttpMessageHandler wire, string proof) : IDisposable
{
    private readonly HttpClient _http = new(wire);

    public async Task<string> AskAsync()
    {
        using var form = new FormUrlEncodedContent(
        [
            new("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            new("subject_token", proof),
            new("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            new("scope", "read"),
        ]);
        using HttpResponseMessage response = await _http.PostAsync(new Uri("https://issuer.example/token"), form);
        response.EnsureSuccessStatusCode();
        await using Stream body = await response.Content.ReadAsStreamAsync();
        Answer? answer = await System.Text.Json.JsonSerializer.DeserializeAsync(body, AnswerJson.Default.Answer);
        return answer!.AccessToken;
    }

    public void Dispose() => _http.Dispose();

    internal sealed record Answer([property: JsonPropertyName("access_token")] string AccessToken, [property: JsonPropertyName("expires_in")] int ExpiresIn);

    [JsonSerializable(typeof(Answer))]
    private sealed partial class AnswerJson : JsonSerializerContext;
}
