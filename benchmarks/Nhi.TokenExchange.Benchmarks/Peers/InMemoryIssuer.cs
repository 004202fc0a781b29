using System.Net;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>An OAuth token endpoint in memory, below the SDKs' own HTTP stacks.</summary>
public sealed class InMemoryIssuer(IssuerGate gate) : HttpMessageHandler
{
    /// <summary>An hour, in seconds.</summary>
    public const int Hour = 3600;

    /// <summary><c>expires_in</c> of the answers, in seconds.</summary>
    public int ExpiresIn { get; set; } = Hour;

    /// <summary>What is issued; the same each time.</summary>
    public string Token { get; set; } = "0123456789";

    /// <summary><c>refresh_in</c> of the answers, in seconds; absent if null.</summary>
    public int? RefreshIn { get; set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        int expiresIn = ExpiresIn;
        string refresh = RefreshIn is { } seconds ? $"\"refresh_in\":{seconds}," : "";
        await gate.PassAsync();
        string body = $$"""{"token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token",{{refresh}}"expires_in":{{expiresIn}},"access_token":"{{Token}}"}""";
        return new HttpResponseMessage(HttpStatusCode.OK)
        {
            RequestMessage = request,
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
    }
}
