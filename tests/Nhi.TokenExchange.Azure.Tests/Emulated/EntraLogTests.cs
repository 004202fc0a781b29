namespace Nhi.TokenExchange.Tests;

/// <summary>The trail joins with Entra's sign-in log: what Entra saw as its client's id of a request is what the audit says of that grant.</summary>
internal sealed class EntraLogTests
{
    [Test]
    public async Task Each_grant_and_each_refusal_is_joined_by_the_id_that_was_sent()
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
        lake.Reject(await lake.GetAsync());
        emulator.Faults.Next(EmulatorEndpoint.EntraToken, Fault.Entra(700016, 400));
        Assert.ThrowsAsync<TokenExchangeException>(async () => await lake.GetAsync());

        AuditEvent[] grants = [.. audit.Events.Where(one => one.Kind is AuditEventKind.Issued or AuditEventKind.Refreshed)];
        Assert.That(grants.Select(one => (one.Fingerprint, IdOf(one))), Is.EquivalentTo(emulator.Ledger.Issued.Select(issue => (issue.Fingerprint, issue.ClientRequestId))).And.Count.EqualTo(2));
        Assert.That(grants.Append(audit.Events.Single(one => one.Kind == AuditEventKind.Failed)).Select(IdOf), Is.EqualTo(grants.Append(audit.Events.Single(one => one.Kind == AuditEventKind.Failed)).Select(one => one.FlightId.ToString("D"))).And.Unique);
    }

    // As the query on the page of controls reads it.
    private static string? IdOf(AuditEvent told) => told.CorrelationId?.Split(',')[0];
}
