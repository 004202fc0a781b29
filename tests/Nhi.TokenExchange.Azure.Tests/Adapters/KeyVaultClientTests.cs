using System.Net;
using System.Text;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Secrets;

namespace Nhi.TokenExchange.Tests.Adapters;

/// <summary>Key Vault's client as it is published: it insists on a credential, and names the tenant of the vault's challenge.</summary>
internal sealed class KeyVaultClientTests
{
    private const string Scope = "https://vault.azure.net/.default";
    private const string Tenant = "6f1c1f3e-0000-4000-8000-00000000cafe";

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_secret_is_read_with_a_managed_identity_used_directly(bool isOpaque)
    {
        int asked = 0;
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("machine", IdentitySources.From((request, _) =>
            {
                string token = isOpaque ? "opaque-0123456789" : Proofs.ManagedIdentity("https://vault.azure.net", ("tid", Tenant));
                asked++;
                return new(new SubjectToken(token, SubjectTokenType.AccessToken, Proofs.Now.AddHours(24)) { AskedFor = request.Audience, IsPlatformAttested = true });
            }))
            .Target("vault", Targets.ManagedIdentity("https://vault.azure.net"), "machine").Time(new ManualTimeProvider()).EndOnSignals(false));

        Assert.That(await ReadAsync(job.Provider<BearerToken>("vault").AsTokenCredential(Scope), Tenant), Is.EqualTo("42"));
        Assert.That(asked, Is.EqualTo(1));
        if (!isOpaque)
            Assert.That(async () => await job.Provider<BearerToken>("vault").GetAsync(new CredentialRequest { Tenant = "6f1c1f3e-0000-4000-8000-00000000dead" }), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI4016"));
    }

    private static async Task<string> ReadAsync(TokenCredential credential, string tenant)
    {
        using var vault = new Vault(tenant);
        var client = new SecretClient(new Uri("https://orders.vault.azure.net"), credential, new SecretClientOptions { Transport = new HttpClientTransport(vault), Retry = { MaxRetries = 0 } });
        return (await client.GetSecretAsync("answer")).Value.Value;
    }

    /// <summary>Challenges as Key Vault does, then gives the secret to whoever has a token.</summary>
    private sealed class Vault(string tenant) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(Answer(request));

        protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) => Answer(request);

        private HttpResponseMessage Answer(HttpRequestMessage request)
        {
            if (request.Headers.Authorization is null)
            {
                var challenge = new HttpResponseMessage(HttpStatusCode.Unauthorized) { RequestMessage = request, Content = new StringContent("") };
                challenge.Headers.TryAddWithoutValidation("WWW-Authenticate", $"Bearer authorization=\"https://login.microsoftonline.com/{tenant}\", resource=\"https://vault.azure.net\"");
                return challenge;
            }
            return new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request, Content = new StringContent("""{"value":"42","id":"https://orders.vault.azure.net/secrets/answer/1"}""", Encoding.UTF8, "application/json") };
        }
    }
}
