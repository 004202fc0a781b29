using System.Collections.Concurrent;

namespace Nhi.TokenExchange.Tests;

/// <summary>A job of three hours whose proofs live five minutes and whose tokens live one: what ends CI jobs with AADSTS700024.</summary>
internal sealed class ThreeHoursTests
{
    [Test]
    public async Task P1_In_a_job_of_three_hours_no_call_fails_and_no_assertion_is_used_twice()
    {
        var time = new ManualTimeProvider();
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o =>
        {
            o.Time = time;
            o.ProofAlgorithm = o.EntraAlgorithm = "ES256";
        });
        JobIdentity github = emulator.JobIdentity(ProofShape.GitHub);   // exp = iat + 300
        EntraApplication application = emulator.Entra.AddApplication().Trust(github);
        var proofs = new ConcurrentQueue<string>();
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) =>
            {
                var proof = new SubjectToken(github.Mint(request.Audience.ToString()), SubjectTokenType.Jwt);
                proofs.Enqueue(proof.Fingerprint);
                return new(proof);
            }), ActsFor.Workload)
            .Target("api", Targets.Entra(emulator.Entra.TenantId, application.ClientId, o => o.AuthorityHost = emulator.Entra.Authority), target =>
            {
                target.Identity = "job";
                target.Scopes = ScopeSet.Of($"{emulator.AzureResource.Resource}/.default");
                target.AllowedOrigins.Add(new Uri(emulator.AzureResource.Address, "/"));
            })
            .Time(time).Jitter(() => 0.5).TrustRoots([emulator.Certificate]).EndOnSignals(false));
        using var http = new HttpClient(job.CreateHandler("api", emulator.CreateHandler()));
        CredentialProvider<BearerToken> provider = job.Provider<BearerToken>("api");

        var statuses = new List<int>();
        for (int minute = 0; minute < 180; minute++)
        {
            BearerToken held = await provider.GetAsync();
            using HttpResponseMessage response = await http.GetAsync(new Uri(emulator.AzureResource.Address, "orders"));
            statuses.Add((int)response.StatusCode);
            // Where a refresh is due it flies behind this call; it lands before the clock moves on. RefreshAt is in whole seconds, up to one early.
            if (held.RefreshAt < time.GetUtcNow().AddSeconds(-1))
                await Eventually.HoldsAsync(async () => emulator.Ledger.Refusals.Count > 0 || !ReferenceEquals(await provider.GetAsync(), held), $"minute {minute}: the landing of the refresh");
            time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.That(statuses, Is.All.EqualTo(200));
        Assert.That(proofs, Is.Unique);
        Assert.That(emulator.Ledger.Refusals, Is.Empty);
        Assert.That(emulator.Ledger.Issued, Has.Count.EqualTo(proofs.Count));
        Assert.That(proofs, Has.Count.InRange(4, 6), "an hour each, replaced twenty minutes before it is unusable");
    }
}
