using AzureReadMe;

namespace Nhi.TokenExchange.Tests;

/// <summary>The examples of the emulator's README do what they say.</summary>
internal sealed class EmulatorReadmeTests
{
    [Test]
    public async Task The_test_of_a_job_sees_its_use_accepted()
    {
        IReadOnlyList<LedgerUse> uses = await Emulated.TestYourJobAsync();

        Assert.That(uses.Select(use => use.Verdict), Is.Not.Empty.And.All.EqualTo(UseVerdict.Accepted));
    }

    [Test]
    public async Task A_job_at_Vault_leaves_nothing_open()
    {
        (Ledger ledger, JobReport report) = await EmulatedClouds.VaultAsync();

        Assert.That((ledger.Issued.Count, report.AllEnded), Is.EqualTo((2, true)), report.ToString());
    }

    [Test]
    public async Task A_session_of_AWS_may_do_what_the_target_says() => Assert.That(await EmulatedClouds.AwsAsync(), Does.Contain("s3:GetObject"));

    [Test]
    public async Task A_token_of_Google_Cloud_is_in_the_ledger() => Assert.That((await EmulatedClouds.GoogleAsync()).Scope, Does.Contain("devstorage.read_only"));

    [Test]
    public async Task A_job_goes_through_the_faults_that_are_planned()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        JobIdentity github = emulator.JobIdentity(ProofShape.GitHub);
        AwsRole role = emulator.Aws.AddRole("orders-loader", github.Subject);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(github.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("archive", Targets.AwsSts(role.Arn, "eu-central-1", o => o.Endpoint = emulator.Aws.Endpoint), identity: "job").EndOnSignals(false));

        Assert.That(await EmulatedClouds.FaultsAsync(emulator, job.Provider<AwsSessionCredentials>("archive")), Is.GreaterThanOrEqualTo(3));
    }

    [Test]
    public async Task An_unmodified_client_gets_a_token()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();

        Azure.Core.AccessToken token = await Emulated.UnmodifiedAsync(emulator);

        Assert.That(emulator.Ledger.Issued.Single().Fingerprint, Is.EqualTo(Ledger.FingerprintOf(token.Token)));
    }
}
