using System.Net.Http.Headers;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>Requests of RFC 8693, RFC 7009 and RFC 7662, written by hand.</summary>
internal static class OAuthCalls
{
    public const string Grant = "urn:ietf:params:oauth:grant-type:token-exchange";
    public const string AccessToken = "urn:ietf:params:oauth:token-type:access_token";
    public const string ProcessType = "urn:nhi:params:token-type:process";

    /// <summary>The form of an exchange that is right, for a client's token.</summary>
    public static Dictionary<string, string> Exchange(string subject, string resource = BrokerJob.WarehouseResource) =>
        new() { ["grant_type"] = Grant, ["subject_token"] = subject, ["subject_token_type"] = AccessToken, ["resource"] = resource };

    /// <summary>The form of an exchange that is right, for the process that asks.</summary>
    public static Dictionary<string, string> ExchangeAsProcess() =>
        new() { ["grant_type"] = Grant, ["subject_token"] = "self", ["subject_token_type"] = ProcessType, ["audience"] = "warehouse" };

    public static async Task<(int Status, JsonObject Answer)> PostAsync(this HttpClient http, string path, IEnumerable<KeyValuePair<string, string>> form, string? bearer = null)
    {
        using var post = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(form) };
        if (bearer is not null)
            post.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        using HttpResponseMessage response = await http.SendAsync(post);
        string body = await response.Content.ReadAsStringAsync();
        return ((int)response.StatusCode, body.Length == 0 ? [] : JsonNode.Parse(body)!.AsObject());
    }

    /// <summary>Exchanges, which succeeds.</summary>
    public static async Task<string> TokenAsync(this HttpClient http, IEnumerable<KeyValuePair<string, string>> form)
    {
        (int status, JsonObject answer) = await http.PostAsync("oauth2/token", form);
        Assert.That(status, Is.EqualTo(200), answer.ToJsonString());
        return (string)answer["access_token"]!;
    }
}
