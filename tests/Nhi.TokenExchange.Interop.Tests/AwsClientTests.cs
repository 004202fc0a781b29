using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;

namespace Nhi.TokenExchange;

/// <summary>The emulator of AWS, seen by the AWS SDK for .NET as it is published; and what our exchanger gives, used by it.</summary>
internal sealed class AwsClientTests
{
    private static AmazonSecurityTokenServiceClient Client(IdentityEmulator emulator, AWSCredentials credentials) =>
        new(credentials, new AmazonSecurityTokenServiceConfig { ServiceURL = emulator.Aws.Endpoint.AbsoluteUri, AuthenticationRegion = "eu-central-1", MaxErrorRetry = 0 });

    [Test]
    public async Task The_AWS_SDK_assumes_a_role_and_signs_with_the_session()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        AwsRole role = emulator.Aws.AddRole("orders", identity.Subject);
        using AmazonSecurityTokenServiceClient anonymous = Client(emulator, new AnonymousAWSCredentials());

        AssumeRoleWithWebIdentityResponse assumed = await anonymous.AssumeRoleWithWebIdentityAsync(new AssumeRoleWithWebIdentityRequest
        {
            RoleArn = role.Arn, RoleSessionName = "orders-17", WebIdentityToken = identity.Mint("sts.amazonaws.com"), DurationSeconds = 900,
            Policy = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}""",
        });
        using AmazonSecurityTokenServiceClient client = Client(emulator, assumed.Credentials);
        GetCallerIdentityResponse caller = await client.GetCallerIdentityAsync(new GetCallerIdentityRequest());

        Assert.That((assumed.AssumedRoleUser.Arn, assumed.Audience, assumed.SubjectFromWebIdentityToken), Is.EqualTo(("arn:aws:sts::123456789012:assumed-role/orders/orders-17", "sts.amazonaws.com", identity.Subject)));
        Assert.That((caller.Arn, caller.Account, caller.UserId), Is.EqualTo((assumed.AssumedRoleUser.Arn, "123456789012", assumed.AssumedRoleUser.AssumedRoleId)));
        Assert.That(emulator.Ledger.Uses.Select(use => use.Verdict), Is.EqualTo(new[] { UseVerdict.Accepted }));
    }

    [Test]
    public async Task What_the_emulator_refuses_the_SDK_names_by_its_own_types()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        AwsRole role = emulator.Aws.AddRole("orders", identity.Subject);
        using AmazonSecurityTokenServiceClient anonymous = Client(emulator, new AnonymousAWSCredentials());
        AssumeRoleWithWebIdentityRequest Request(string proof, string? policy = null) => new() { RoleArn = role.Arn, RoleSessionName = "orders-17", WebIdentityToken = proof, Policy = policy };

        Assert.That(() => anonymous.AssumeRoleWithWebIdentityAsync(Request(identity.Mint("elsewhere"))), Throws.TypeOf<InvalidIdentityTokenException>());
        Assert.That(() => anonymous.AssumeRoleWithWebIdentityAsync(Request(identity.Mint("sts.amazonaws.com", proof => proof.Lives(TimeProvider.System.GetUtcNow().AddHours(-2), TimeSpan.FromHours(1))))), Throws.TypeOf<ExpiredTokenException>());
        Assert.That(() => anonymous.AssumeRoleWithWebIdentityAsync(Request(identity.Mint("sts.amazonaws.com"), "{}")), Throws.TypeOf<MalformedPolicyDocumentException>());
        role.Conditions["sub"] = "another";
        Assert.That(() => anonymous.AssumeRoleWithWebIdentityAsync(Request(identity.Mint("sts.amazonaws.com"))), Throws.TypeOf<AmazonSecurityTokenServiceException>().With.Property("ErrorCode").EqualTo("AccessDenied"));
        emulator.Faults.Next(EmulatorEndpoint.AwsSts, Fault.Aws("RegionDisabledException", 403));
        Assert.That(() => anonymous.AssumeRoleWithWebIdentityAsync(Request(identity.Mint("sts.amazonaws.com"))), Throws.TypeOf<RegionDisabledException>());
    }

    [Test]
    public async Task A_session_of_a_job_signs_for_the_SDK_and_one_with_a_changed_key_does_not()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        AwsRole role = emulator.Aws.AddRole("orders", identity.Subject);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(identity.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("archive", Targets.AwsSts(role.Arn, "eu-central-1", o => o.Endpoint = emulator.Aws.Endpoint), "job", "s3:GetObject")
            .Job(new JobContext { Pipeline = "orders-nightly", Run = "17" }).EndOnSignals(false));

        AwsSessionCredentials session = await job.Provider<AwsSessionCredentials>("archive").GetAsync();
        using AmazonSecurityTokenServiceClient client = Client(emulator, new SessionAWSCredentials(session.AccessKeyId, session.RevealSecretAccessKey(), session.RevealSessionToken()));
        using AmazonSecurityTokenServiceClient other = Client(emulator, new SessionAWSCredentials(session.AccessKeyId, session.RevealSecretAccessKey() + "x", session.RevealSessionToken()));

        GetCallerIdentityResponse caller = await client.GetCallerIdentityAsync(new GetCallerIdentityRequest());
        Assert.That((caller.Arn, caller.UserId), Is.EqualTo(("arn:aws:sts::123456789012:assumed-role/orders/orders-nightly-17", session.AssumedRoleId)));
        Assert.That(() => other.GetCallerIdentityAsync(new GetCallerIdentityRequest()), Throws.TypeOf<AmazonSecurityTokenServiceException>().With.Property("ErrorCode").EqualTo("SignatureDoesNotMatch"));
        Assert.That(emulator.Ledger.Uses.Select(use => (use.Fingerprint, use.Verdict)), Is.EqualTo(new[] { (session.Fingerprint, UseVerdict.Accepted), (session.Fingerprint, UseVerdict.Unknown) }));
    }
}
