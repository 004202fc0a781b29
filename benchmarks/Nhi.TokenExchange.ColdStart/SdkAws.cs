using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;

namespace Nhi.TokenExchange;

/// <summary>AWS's SDK: AssumeRoleWithWebIdentity.</summary>
internal static class SdkAws
{
    public static async Task<string> AskAsync()
    {
        using var sts = new AmazonSecurityTokenServiceClient(new AnonymousAWSCredentials(), new AmazonSecurityTokenServiceConfig
        {
            ServiceURL = Place.Issuer.AbsoluteUri, AuthenticationRegion = "eu-central-1", UseHttp = true,
        });
        AssumeRoleWithWebIdentityResponse response = await sts.AssumeRoleWithWebIdentityAsync(new AssumeRoleWithWebIdentityRequest
        {
            RoleArn = "arn:aws:iam::123456789012:role/job", RoleSessionName = "job", WebIdentityToken = Place.Proof,
        });
        return response.Credentials.SessionToken;
    }
}
