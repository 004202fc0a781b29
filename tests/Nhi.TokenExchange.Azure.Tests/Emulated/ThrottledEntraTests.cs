namespace Nhi.TokenExchange.Tests;

/// <summary>Refusals of Entra ID that pass by themselves, as a whole job meets them: over the back channel, which asks again by itself and then hands the answer on.</summary>
internal sealed class ThrottledEntraTests
{
    // What is asked to come after the call's deadline is not waited for, so the manual clock stands still.
    [TestCase(90055, 429, "NHI4003", 31)]
    [TestCase(50196, 400, "NHI4003", 300)]
    [TestCase(90033, 503, "NHI4002", 31)]
    [TestCase(90033, 504, "NHI4002", 31)]
    public async Task The_number_and_the_wait_reach_the_caller(int aadsts, int status, string code, int wait)
    {
        var time = new ManualTimeProvider();
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o =>
        {
            o.Time = time;
            o.ProofAlgorithm = o.EntraAlgorithm = "ES256";
        });
        emulator.Faults.Always(EmulatorEndpoint.EntraToken, Fault.Entra(aadsts, status, ("Retry-After", "31")));
        JobIdentity github = emulator.JobIdentity(ProofShape.GitHub);
        EntraApplication application = emulator.Entra.AddApplication().Trust(github);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(github.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("lake", Targets.Entra(emulator.Entra.TenantId, application.ClientId, o => o.AuthorityHost = emulator.Entra.Authority), "job", $"{emulator.AzureResource.Resource}/.default")
            .Time(time).Jitter(() => 0).TrustRoots([emulator.Certificate]).EndOnSignals(false));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("lake").GetAsync().AsTask())!;
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((code, true)));
        Assert.That(refused.Message, Does.Contain($"AADSTS{aadsts}"));
        Assert.That(refused.CorrelationId, Is.Not.Null);
        Assert.That(refused.RetryAfter, Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(wait)));
    }

    [Test]
    public async Task The_targets_own_tenant_said_by_a_caller_is_the_same_credential()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = o.EntraAlgorithm = "ES256");
        JobIdentity github = emulator.JobIdentity(ProofShape.GitHub);
        EntraApplication application = emulator.Entra.AddApplication().Trust(github);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(github.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("lake", Targets.Entra(emulator.Entra.TenantId, application.ClientId, o => o.AuthorityHost = emulator.Entra.Authority), "job", $"{emulator.AzureResource.Resource}/.default")
            .TrustRoots([emulator.Certificate]).EndOnSignals(false));
        CredentialProvider<BearerToken> lake = job.Provider<BearerToken>("lake");

        BearerToken plain = await lake.GetAsync();

        Assert.That(await lake.GetAsync(new CredentialRequest { Tenant = emulator.Entra.TenantId.ToUpperInvariant() }), Is.SameAs(plain));
        Assert.That(async () => await lake.GetAsync(new CredentialRequest { Tenant = Guid.NewGuid().ToString() }), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI4016"));
        Assert.That(emulator.Ledger.Issued, Has.Count.EqualTo(1));
    }
}
