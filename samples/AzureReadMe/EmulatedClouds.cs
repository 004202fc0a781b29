using Nhi.TokenExchange;

namespace AzureReadMe;

/// <summary>The code of the emulator's README about Vault, AWS, Google Cloud and faults, compiled; its tests run it.</summary>
internal static class EmulatedClouds
{
    public static async Task<(Ledger Ledger, JobReport Report)> VaultAsync()
    {
        #region vault
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        JobIdentity github = emulator.JobIdentity(ProofShape.GitHub);
        emulator.Vault.AddRole("orders-nightly", github.Subject);
        emulator.Vault.AddSecret("database/creds/readonly");
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(github.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("vault", Targets.VaultLogin(emulator.Vault.Address, role: "orders-nightly"), identity: "job")
            .Target("database", Targets.VaultSecret(emulator.Vault.Address, "database/creds/readonly"), target => target.Through = "vault")
            .EndOnSignals(false));
        VaultSecret login = await job.Provider<VaultSecret>("database").GetAsync();
        JobReport report = await job.CompleteAsync();   // emulator.Vault.OpenLeases and .OpenTokens are 0 then
        #endregion
        return (emulator.Vault is { OpenLeases: 0, OpenTokens: 0 } && login.Fingerprint.Length > 0 ? emulator.Ledger : throw new InvalidOperationException("something is open"), report);
    }

    public static async Task<string> AwsAsync()
    {
        #region aws
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        JobIdentity github = emulator.JobIdentity(ProofShape.GitHub);
        AwsRole role = emulator.Aws.AddRole("orders-loader", github.Subject);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(github.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("archive", Targets.AwsSts(role.Arn, "eu-central-1", o => o.Endpoint = emulator.Aws.Endpoint), identity: "job", "s3:GetObject")
            .EndOnSignals(false));
        AwsSessionCredentials session = await job.Provider<AwsSessionCredentials>("archive").GetAsync();
        string? policy = emulator.Ledger.Issued.Single().SessionPolicy;   // what the session may do, as STS was asked
        #endregion
        return session.AccessKeyId.Length > 0 ? policy ?? "" : "";
    }

    public static async Task<LedgerIssue> GoogleAsync()
    {
        #region google
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
        JobIdentity github = emulator.JobIdentity(ProofShape.GitHub);
        PoolProvider pool = emulator.Google.AddProvider("jobs", "github");
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(github.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("archive", Targets.GoogleSts(pool.Name, o => o.StsEndpoint = emulator.Google.Endpoint), identity: "job", "https://www.googleapis.com/auth/devstorage.read_only")
            .EndOnSignals(false));
        BearerToken token = await job.Provider<BearerToken>("archive").GetAsync();
        LedgerIssue issued = emulator.Ledger.Issued.Single(issue => issue.Fingerprint == token.Fingerprint);
        #endregion
        return issued;
    }

    public static async Task<int> FaultsAsync(IdentityEmulator emulator, CredentialProvider<AwsSessionCredentials> archive)
    {
        #region faults
        emulator.Faults.Next(EmulatorEndpoint.AwsSts, Fault.Status(503), times: 2);              // the next two requests
        emulator.Faults.WithProbability(EmulatorEndpoint.AwsSts, 0.1, Fault.Reset());           // each tenth, by the seed
        await archive.GetAsync();                                                             // goes through all the same
        emulator.Faults.Clear();
        int requests = emulator.Ledger.Requests.Of(EmulatorEndpoint.AwsSts);
        #endregion
        return requests;
    }
}
