using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange;

/// <summary>Microsoft's clients with a client assertion. They insist on https: below them it is rewritten to the issuer's address.</summary>
internal static class SdkMicrosoft
{
    private const string Tenant = "11111111-1111-1111-1111-111111111111";
    private const string Client = "22222222-2222-2222-2222-222222222222";
    private static readonly string[] Scopes = ["https://resource.example/.default"];

    public static async Task<string> AskMsalAsync()
    {
        using var wire = new ToIssuer();
        using var http = new HttpClient(wire);
        IConfidentialClientApplication app = ConfidentialClientApplicationBuilder.Create(Client)
            .WithAuthority($"https://login.microsoftonline.com/{Tenant}")
            .WithInstanceDiscovery(false)
            .WithClientAssertion((AssertionRequestOptions _) => Task.FromResult(Place.Proof))
            .WithHttpClientFactory(new Factory(http))
            .Build();
        AuthenticationResult result = await app.AcquireTokenForClient(Scopes).ExecuteAsync();
        return result.AccessToken;
    }

    public static async Task<string> AskAzureIdentityAsync()
    {
        using var wire = new ToIssuer();
        using var transport = new HttpClientTransport(wire);
        var credential = new ClientAssertionCredential(Tenant, Client, _ => Task.FromResult(Place.Proof), new ClientAssertionCredentialOptions { Transport = transport, DisableInstanceDiscovery = true });
        AccessToken token = await credential.GetTokenAsync(new TokenRequestContext(Scopes), default);
        return token.Token;
    }

    private sealed class ToIssuer() : DelegatingHandler(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false })
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.RequestUri = Place.TokenEndpoint;
            return base.SendAsync(request, cancellationToken);
        }
    }

    private sealed class Factory(HttpClient http) : IMsalHttpClientFactory
    {
        public HttpClient GetHttpClient() => http;
    }
}
