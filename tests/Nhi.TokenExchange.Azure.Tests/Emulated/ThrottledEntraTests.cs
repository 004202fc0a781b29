namespace Nhi.TokenExchange.Tests;

/// <summary>Refusals of Entra ID that pass by themselves, as a whole job meets them: over the back channel, which asks again by itself and then hands the answer on.</summary>
internal sealed class ThrottledEntraTests
{
    [TestCase(90055, 429, "NHI4003", 60)]
    [TestCase(50196, 400, "NHI4003", 300)]
    [TestCase(90033, 503, "NHI4002", null)]
    [TestCase(90033, 504, "NHI4002", null)]
    public async Task The_number_and_the_wait_reach_the_caller(int aadsts, int status, string code, int? retryAfter)
    {
        var time = new ManualTimeProvider();
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o =>
        {
            o.Time = time;
            o.ProofAlgorithm = o.EntraAlgorithm = "ES256";
        });
        emulator.Faults.Always(EmulatorEndpoint.EntraToken, Fault.Entra(aadsts, status, retryAfter is null ? ("Retry-After", "31") : ("x-nothing", "0")));
        JobIdentity github = emulator.JobIdentity(ProofShape.GitHub);
        EntraApplication application = emulator.Entra.AddApplication().Trust(github);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(github.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("lake", Targets.Entra(emulator.Entra.TenantId, application.ClientId, o => o.AuthorityHost = emulator.Entra.Authority), "job", $"{emulator.AzureResource.Resource}/.default")
            .Time(time).Jitter(() => 0).TrustRoots([emulator.Certificate]).EndOnSignals(false));

        Task<BearerToken> asking = job.Provider<BearerToken>("lake").GetAsync().AsTask();
        while (!asking.IsCompleted)
        {
            // The waits between tries of a throttled call; what was asked to come after the deadline is not waited for.
            if (time.PendingTimers > 0 && status == 429)
                time.Advance(TimeSpan.FromMilliseconds(50));
            await Task.Yield();
        }

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => asking)!;
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((code, true)));
        Assert.That(refused.Message, Does.Contain($"AADSTS{aadsts}"));
        Assert.That(refused.CorrelationId, Is.Not.Null);
        Assert.That(refused.RetryAfter, Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(retryAfter ?? 30)));
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
