using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange;

/// <summary>Makes Microsoft's clients for a federated workload: a client assertion instead of a secret.</summary>
public static class MicrosoftPeers
{
    private const string Tenant = "11111111-1111-1111-1111-111111111111";
    private const string Client = "22222222-2222-2222-2222-222222222222";
    private static readonly string Proof = Proofs.For("api://AzureADTokenExchange", TimeProvider.System.GetUtcNow());

    public static string[] Scopes { get; } = ["https://resource.example/.default"];

    public static TokenRequestContext Context { get; } = new(Scopes);

    public static IConfidentialClientApplication Msal(InMemoryIssuer issuer) => ConfidentialClientApplicationBuilder
        .Create(Client)
        .WithAuthority($"https://login.microsoftonline.com/{Tenant}")
        .WithInstanceDiscovery(false)
        .WithClientAssertion((AssertionRequestOptions _) => Task.FromResult(Proof))
        .WithHttpClientFactory(new Factory(issuer))
        .Build();

    /// <param name="issuer">Answers.</param>
    /// <param name="between">Waits between two tries, where the tries are counted and not timed; null: the client's own.</param>
    public static TokenCredential ClientAssertion(InMemoryIssuer issuer, TimeSpan? between = null)
    {
        var options = new ClientAssertionCredentialOptions { Transport = new HttpClientTransport(issuer), DisableInstanceDiscovery = true };
        if (between is { } wait)
            (options.Retry.Delay, options.Retry.MaxDelay) = (wait, wait);
        return new ClientAssertionCredential(Tenant, Client, _ => Task.FromResult(Proof), options);
    }

    public static TokenCredential WorkloadIdentity(InMemoryIssuer issuer) => new WorkloadIdentityCredential(new WorkloadIdentityCredentialOptions
    {
        TenantId = Tenant, ClientId = Client, TokenFilePath = ProofFiles.Write("microsoft.jwt", Proof), Transport = new HttpClientTransport(issuer), DisableInstanceDiscovery = true,
    });

    private sealed class Factory(HttpMessageHandler handler) : IMsalHttpClientFactory
    {
        private readonly HttpClient _client = new(handler);

        public HttpClient GetHttpClient() => _client;
    }
}
