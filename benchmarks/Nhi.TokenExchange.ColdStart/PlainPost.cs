using System.Text.Json;
using System.Text.Json.Serialization;

namespace Nhi.TokenExchange;

/// <summary>What one writes without a library: a form, a post, generated JSON. It attests, decides, records and checks nothing, and ends nothing.</summary>
internal static partial class PlainPost
{
    /// <returns>The token.</returns>
    public static async Task<string> AskAsync(HttpClient http, Uri endpoint, string proof)
    {
        using var form = new FormUrlEncodedContent(
        [
            new("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            new("subject_token", proof),
            new("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            new("scope", "read"),
        ]);
        using HttpResponseMessage response = await http.PostAsync(endpoint, form);
        response.EnsureSuccessStatusCode();
        await using Stream body = await response.Content.ReadAsStreamAsync();
        Answer? answer = await JsonSerializer.DeserializeAsync(body, AnswerJson.Default.Answer);
        return answer!.AccessToken;
    }

    internal sealed record Answer([property: JsonPropertyName("access_token")] string AccessToken, [property: JsonPropertyName("expires_in")] int ExpiresIn);

    [JsonSerializable(typeof(Answer))]
    private sealed partial class AnswerJson : JsonSerializerContext;
}
