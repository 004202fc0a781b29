using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.DependencyInjection;

namespace Nhi.TokenExchange;

/// <summary>What one writes without a library: one post with <c>HttpClient</c>. No check, no audit, no end.</summary>
internal static partial class PlainHttp
{
    public static async Task<string> AskAsync()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false });
        return await AskAsync(http);
    }

    public static async Task<string> AskThroughContainerAsync()
    {
        var services = new ServiceCollection();
        services.AddHttpClient("issuer");
        await using ServiceProvider provider = services.BuildServiceProvider();
        using HttpClient http = provider.GetRequiredService<IHttpClientFactory>().CreateClient("issuer");
        return await AskAsync(http);
    }

    private static async Task<string> AskAsync(HttpClient http)
    {
        using var form = new FormUrlEncodedContent(
        [
            new("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            new("subject_token", Place.Proof),
            new("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            new("scope", "read"),
        ]);
        using HttpResponseMessage response = await http.PostAsync(Place.TokenEndpoint, form);
        response.EnsureSuccessStatusCode();
        await using Stream body = await response.Content.ReadAsStreamAsync();
        Answer? answer = await JsonSerializer.DeserializeAsync(body, AnswerJson.Default.Answer);
        return answer!.AccessToken;
    }

    internal sealed record Answer([property: JsonPropertyName("access_token")] string AccessToken, [property: JsonPropertyName("expires_in")] int ExpiresIn);

    [JsonSerializable(typeof(Answer))]
    private sealed partial class AnswerJson : JsonSerializerContext;
}
