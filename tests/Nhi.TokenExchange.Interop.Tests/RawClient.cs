using System.Net;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>A client that is not ours: plain HTTP by the RFCs' letter. Says what the servers do before our client is tried on them.</summary>
internal sealed class RawClient(Uri issuer, string clientId, WorkloadKey key) : IDisposable
{
    public const string TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    public const string AccessTokenType = "urn:ietf:params:oauth:token-type:access_token";
    public const string JwtType = "urn:ietf:params:oauth:token-type:jwt";

    /// <summary>The <c>typ</c> of the client's assertion.</summary>
    public string? AssertionType { get; init; } = "client-authentication+jwt";

    private readonly HttpClient _http = new() { BaseAddress = issuer };
    private JsonObject? _metadata;

    /// <summary>The discovery document.</summary>
    public async Task<JsonObject> DiscoverAsync() =>
        _metadata ??= JsonNode.Parse(await _http.GetStringAsync(new Uri(".well-known/openid-configuration", UriKind.Relative)))!.AsObject();

    /// <summary>A token of the client itself (RFC 6749 §4.4).</summary>
    public async Task<string> ClientCredentialsAsync(params (string Name, string Value)[] parameters)
    {
        (HttpStatusCode status, JsonObject answer) = await PostAsync("token_endpoint", [("grant_type", "client_credentials"), .. parameters]);
        Assert.That(status, Is.EqualTo(HttpStatusCode.OK), $"{answer["error"]}: {answer["error_description"]}");
        return (string)answer["access_token"]!;
    }

    /// <summary>Exchanges a token (RFC 8693 §2.1).</summary>
    public Task<(HttpStatusCode Status, JsonObject Answer)> ExchangeAsync(string subjectToken, string subjectTokenType, params (string Name, string Value)[] parameters) =>
        PostAsync("token_endpoint", [("grant_type", TokenExchange), ("subject_token", subjectToken), ("subject_token_type", subjectTokenType), .. parameters]);

    /// <summary>What the server says of a token (RFC 7662).</summary>
    public async Task<JsonObject> IntrospectAsync(string token)
    {
        (HttpStatusCode status, JsonObject answer) = await PostAsync("introspection_endpoint", ("token", token));
        Assert.That(status, Is.EqualTo(HttpStatusCode.OK), $"{answer["error"]}: {answer["error_description"]}");
        return answer;
    }

    public async Task<bool> IsActiveAsync(string token) => (bool)(await IntrospectAsync(token))["active"]!;

    /// <summary>Ends a token (RFC 7009).</summary>
    public async Task<HttpStatusCode> RevokeAsync(string token) => (await PostAsync("revocation_endpoint", ("token", token))).Status;

    /// <summary>Posts a form to an endpoint of the discovery document, authenticated by private_key_jwt (RFC 7523 §2.2).</summary>
    public async Task<(HttpStatusCode Status, JsonObject Answer)> PostAsync(string endpoint, params (string Name, string Value)[] parameters)
    {
        using var form = new FormUrlEncodedContent(
        [
            .. parameters.Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value)),
            new("client_id", clientId),
            new("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            new("client_assertion", key.Sign(clientId, clientId, (string)(await DiscoverAsync())["issuer"]!, AssertionType)),
        ]);
        using HttpResponseMessage response = await _http.PostAsync(new Uri((string)(await DiscoverAsync())[endpoint]!), form);
        string body = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, body.StartsWith('{') ? JsonNode.Parse(body)!.AsObject() : []);
    }

    public void Dispose() => _http.Dispose();
}
