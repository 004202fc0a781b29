namespace Nhi.TokenExchange.Tests;

/// <summary>The trail joins with Entra's sign-in log: what Entra saw as its client's id of a request is what the audit says of that grant.</summary>
internal sealed class EntraLogTests
{
    [Test]
    public async Task A_grant_and_a_refusal_are_joined_by_the_id_that_was_sent()
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = o.EntraAlgorithm = "ES256");
        JobIdentity github = emulator.JobIdentity(ProofShape.GitHub);
        EntraApplication application = emulator.Entra.AddApplication().Trust(github);
        var audit = new Recorded();
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(github.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("lake", Targets.Entra(emulator.Entra.TenantId, application.ClientId, o => o.AuthorityHost = emulator.Entra.Authority), "job", $"{emulator.AzureResource.Resource}/.default")
            .TrustRoots([emulator.Certificate]).Audit(audit).EndOnSignals(false));
        CredentialProvider<BearerToken> lake = job.Provider<BearerToken>("lake");
        lake.Reject(await lake.GetAsync());
        emulator.Faults.Next(EmulatorEndpoint.EntraToken, Fault.Entra(700016, 400));
        Assert.ThrowsAsync<TokenExchangeException>(async () => await lake.GetAsync());

        AuditEvent grant = audit.Of(AuditEventKind.Issued).Single(), refusal = audit.Of(AuditEventKind.Failed).Single();
        LedgerIssue issue = emulator.Ledger.Issued.Single();
        Assert.That((grant.Fingerprint, IdOf(grant)), Is.EqualTo((issue.Fingerprint, issue.ClientRequestId)));
        Assert.That(IdOf(grant), Is.EqualTo(grant.FlightId.ToString("D")));
        Assert.That(IdOf(refusal), Is.EqualTo(refusal.FlightId.ToString("D")).And.Not.EqualTo(IdOf(grant)));
    }

    // As the query on the page of controls reads it.
    private static string? IdOf(AuditEvent told) => told.CorrelationId?.Split(',')[0];
}
