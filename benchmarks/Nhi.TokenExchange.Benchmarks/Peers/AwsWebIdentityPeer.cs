using Amazon.Runtime;
using Amazon.Runtime.SharedInterfaces;
using Amazon.SecurityToken;

namespace Nhi.TokenExchange;

/// <summary>AWS's own class for a federated workload, as it is, with AWS's own client of STS: only the wire is in memory.</summary>
public sealed class AwsWebIdentityPeer(HttpMessageHandler sts) : AssumeRoleWithWebIdentityCredentials(ProofFiles.Write("aws.jwt", Proofs.For("sts.amazonaws.com", TimeProvider.System.GetUtcNow())), "arn:aws:iam::123456789012:role/job", "job")
{
    protected override ICoreAmazonSTS CreateClient() => new AmazonSecurityTokenServiceClient(new AnonymousAWSCredentials(), new AmazonSecurityTokenServiceConfig
    {
        ServiceURL = "https://sts.example/", AuthenticationRegion = "eu-central-1", HttpClientFactory = new OnWire(sts),
    });

    // A client is made for each call, and disposed: the wire stays.
    private sealed class OnWire(HttpMessageHandler sts) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(sts, disposeHandler: false);

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => true;
    }
}
