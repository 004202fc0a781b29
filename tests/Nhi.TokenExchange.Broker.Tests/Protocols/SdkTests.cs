using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Duende.IdentityModel.Client;
using Google.Apis.Auth.OAuth2;

namespace Nhi.TokenExchange.Tests;

/// <summary>SDKs as they are published, by nothing but the variables that a client's environment has.</summary>
[NonParallelizable]   // they read the process's own environment
internal sealed class SdkTests
{
    private readonly Dictionary<string, string?> _before = [];

    private void Set(IReadOnlyDictionary<string, string> variables, params string[] names)
    {
        foreach (string name in names)
        {
            _before.TryAdd(name, Environment.GetEnvironmentVariable(name));
            Environment.SetEnvironmentVariable(name, variables[name]);
        }
    }

    // MSAL keeps tokens for the whole process: each test asks for a resource of its own.
    private static (TokenRequestContext Context, Action<TokenBrokerOptions> Options) OwnResource()
    {
        string resource = $"https://{Guid.NewGuid():N}.example";
        return (new TokenRequestContext([$"{resource}/.default"]), options => options.AzureManagedIdentity("lake", resource));
    }

    [TearDown]
    public void Restore()
    {
        foreach ((string name, string? value) in _before)
            Environment.SetEnvironmentVariable(name, value);
        _before.Clear();
    }

    [Test]
    public async Task Azure_Identity_gets_a_token_as_in_App_Service()
    {
        (TokenRequestContext context, Action<TokenBrokerOptions> options) = OwnResource();
        await using BrokerJob job = await BrokerJob.StartAsync(options: options);
        Set(job.Broker.Environment, "IDENTITY_ENDPOINT", "IDENTITY_HEADER");

        AccessToken token = await new ManagedIdentityCredential(ManagedIdentityId.SystemAssigned).GetTokenAsync(context, default);

        Assert.That(job.IsAlive(token.Token), Is.True);
        Assert.That(token.ExpiresOn, Is.LessThanOrEqualTo(job.Issued.Single().EndsAt));
        Assert.That(job.Issued.Single().ClientId, Is.EqualTo("lake"));
    }

    [Test]
    public async Task Azure_Identity_gets_a_token_as_on_a_virtual_machine()
    {
        (TokenRequestContext context, Action<TokenBrokerOptions> own) = OwnResource();
        await using BrokerJob job = await BrokerJob.StartAsync(options: own);
        Set(job.Broker.Environment, "AZURE_POD_IDENTITY_AUTHORITY_HOST");   // MSAL keeps that for the whole process, too
        using HttpClient http = job.NewClient();
        var options = new ManagedIdentityCredentialOptions(ManagedIdentityId.SystemAssigned) { Transport = new HttpClientTransport(http) };

        AccessToken token = await new ManagedIdentityCredential(options).GetTokenAsync(context, default);

        Assert.That(job.IsAlive(token.Token), Is.True);
        Assert.That(job.Audit.Events.Where(e => e.Kind == AuditEventKind.Issued).Select(e => (e.Caller?.Name, e.Caller?.ProcessId)), Is.EqualTo(new[] { ("process", (int?)Environment.ProcessId) }));
    }

    [Test]
    public async Task Azure_Identity_says_what_the_broker_said_of_an_identity_that_is_not_there()
    {
        (TokenRequestContext context, Action<TokenBrokerOptions> options) = OwnResource();
        await using BrokerJob job = await BrokerJob.StartAsync(options: options);
        Set(job.Broker.Environment, "IDENTITY_ENDPOINT", "IDENTITY_HEADER");
        var credential = new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId("11111111-2222-3333-4444-555555555555"));

        Assert.That(() => credential.GetTokenAsync(context, default).AsTask(), Throws.InstanceOf<Azure.Identity.AuthenticationFailedException>().With.Message.Contains("'https://storage.azure.com'"));
        Assert.That(job.Issued, Is.Empty);
    }

    [Test]
    public async Task The_AWS_SDK_gets_a_session_as_in_a_container_and_signs_with_it([Values] bool byFile)
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        Set(job.Broker.Environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI", byFile ? "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" : "AWS_CONTAINER_AUTHORIZATION_TOKEN");

        var credentials = new GenericContainerCredentials();
        using var client = new AmazonSecurityTokenServiceClient(credentials, new AmazonSecurityTokenServiceConfig { ServiceURL = job.Emulator.Aws.Endpoint.AbsoluteUri, AuthenticationRegion = "eu-central-1", MaxErrorRetry = 0 });
        GetCallerIdentityResponse caller = await client.GetCallerIdentityAsync(new GetCallerIdentityRequest());

        Assert.That(caller.Arn, Does.Contain(":assumed-role/orders-loader/"));
    }

    [Test]
    public async Task Googles_client_gets_a_token_as_on_a_virtual_machine()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        Set(job.Broker.Environment, "GCE_METADATA_HOST");

        Assert.That(await ComputeCredential.IsRunningOnComputeEngine(), Is.True);
        string token = await new ComputeCredential().GetAccessTokenForRequestAsync();

        Assert.That(job.IsAlive(token), Is.True);
    }

    [Test]
    public async Task An_OAuth_library_exchanges_introspects_and_revokes()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        string own = TokenOf.Client(job.Broker.Environment);
        using HttpClient http = job.NewClient();

        using var exchange = new TokenExchangeTokenRequest
        {
            Address = new Uri(job.Broker.Address, "oauth2/token").AbsoluteUri, ClientId = "job", ClientSecret = own, SubjectToken = own, SubjectTokenType = OAuthCalls.AccessToken,
            Resource = BrokerJob.WarehouseResource, Scope = BrokerJob.NarrowScope,
        };
        TokenResponse token = await http.RequestTokenExchangeTokenAsync(exchange);
        Assert.That((token.IsError, token.Scope, token.IssuedTokenType, job.IsAlive(token.AccessToken!)), Is.EqualTo((false, BrokerJob.NarrowScope, OAuthCalls.AccessToken, true)), token.Error);
        using var question = new TokenIntrospectionRequest { Address = new Uri(job.Broker.Address, "oauth2/introspect").AbsoluteUri, ClientId = "job", ClientSecret = own, Token = token.AccessToken! };
        Assert.That((await http.IntrospectTokenAsync(question)).IsActive, Is.True);
        using var end = new TokenRevocationRequest { Address = new Uri(job.Broker.Address, "oauth2/revoke").AbsoluteUri, ClientId = "job", ClientSecret = own, Token = token.AccessToken! };
        Assert.That((await http.RevokeTokenAsync(end)).IsError, Is.False);

        Assert.That((await http.IntrospectTokenAsync(question)).IsActive, Is.False);
        Assert.That(job.IsAlive(token.AccessToken!), Is.False, "at the issuer, too");
    }
}
