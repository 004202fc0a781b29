using Azure.Core;
using BenchmarkDotNet.Attributes;
using Google.Apis.Auth.OAuth2;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange;

/// <summary>A hit in the SDKs of Google, AWS and Microsoft. The set-up demands that each is a true hit.</summary>
public class SdkPeers
{
    private ITokenAccess _google = null!;
    private AwsPeer _aws = null!;
    private AzureCorePolicy _policy = null!;
    private IConfidentialClientApplication _msal = null!;
    private TokenCredential _assertion = null!;
    private TokenCredential _workload = null!;

    [GlobalSetup(Target = nameof(Google))]
    public async Task SetUpGoogle()
    {
        var gate = new IssuerGate();
        _google = GooglePeer.Create(new InMemoryIssuer(gate));
        await gate.DemandTrueHitAsync(Google);
    }

    [Benchmark(Description = "Google.Apis.Auth external account")]
    public Task<string> Google() => _google.GetAccessTokenForRequestAsync();

    [GlobalSetup(Target = nameof(Aws))]
    public async Task SetUpAws()
    {
        var gate = new IssuerGate();
        _aws = new AwsPeer(gate);
        await gate.DemandTrueHitAsync(Aws);
    }

    [Benchmark(Description = "AWS RefreshingAWSCredentials")]
    public Task<Amazon.Runtime.ImmutableCredentials> Aws() => _aws.GetCredentialsAsync();

    [GlobalSetup(Target = nameof(AzureCore))]
    public async Task SetUpAzureCore()
    {
        var gate = new IssuerGate();
        _policy = new AzureCorePolicy(new CountedTokenCredential(gate));
        await gate.DemandTrueHitAsync(async () => await AzureCore());
    }

    [Benchmark(Description = "Azure.Core BearerTokenAuthenticationPolicy")]
    public ValueTask AzureCore() => _policy.AuthorizeAsync();

    [GlobalSetup(Target = nameof(Msal))]
    public async Task SetUpMsal()
    {
        var gate = new IssuerGate();
        _msal = MicrosoftPeers.Msal(new InMemoryIssuer(gate));
        await gate.DemandTrueHitAsync(Msal);
        await Settling.OfAsync(Msal);
    }

    [Benchmark(Description = "MSAL AcquireTokenForClient")]
    public Task<AuthenticationResult> Msal() => _msal.AcquireTokenForClient(MicrosoftPeers.Scopes).ExecuteAsync();

    [GlobalSetup(Target = nameof(AzureClientAssertion))]
    public async Task SetUpClientAssertion()
    {
        var gate = new IssuerGate();
        _assertion = MicrosoftPeers.ClientAssertion(new InMemoryIssuer(gate));
        await gate.DemandTrueHitAsync(async () => await AzureClientAssertion());
        await Settling.OfAsync(async () => await AzureClientAssertion());
    }

    [Benchmark(Description = "Azure.Identity ClientAssertionCredential")]
    public ValueTask<AccessToken> AzureClientAssertion() => _assertion.GetTokenAsync(MicrosoftPeers.Context, default);

    [GlobalSetup(Target = nameof(AzureWorkloadIdentity))]
    public async Task SetUpWorkloadIdentity()
    {
        var gate = new IssuerGate();
        _workload = MicrosoftPeers.WorkloadIdentity(new InMemoryIssuer(gate));
        await gate.DemandTrueHitAsync(async () => await AzureWorkloadIdentity());
        await Settling.OfAsync(async () => await AzureWorkloadIdentity());
    }

    [Benchmark(Description = "Azure.Identity WorkloadIdentityCredential")]
    public ValueTask<AccessToken> AzureWorkloadIdentity() => _workload.GetTokenAsync(MicrosoftPeers.Context, default);
}
