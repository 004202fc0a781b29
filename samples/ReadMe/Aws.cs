using Nhi.TokenExchange;

namespace ReadMe;

/// <summary>A session of an AWS role, named for the job, that may do less than the role.</summary>
internal static class Aws
{
    public static async Task<string> KeyAsync()
    {
        #region aws
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.GitHubActions())
            .Target("archive", Targets.AwsSts("arn:aws:iam::123456789012:role/orders-loader", "eu-central-1", o => o.Resources.Add("arn:aws:s3:::orders/*")),
                identity: "job", "s3:GetObject", "s3:PutObject"));   // the session's policy: these actions, on these resources

        AwsSessionCredentials session = await job.Provider<AwsSessionCredentials>("archive").GetAsync();   // ask before each use
        (string id, string key, string token) = (session.AccessKeyId, session.RevealSecretAccessKey(), session.RevealSessionToken());
        #endregion
        return $"{id}{key}{token}";
    }
}
