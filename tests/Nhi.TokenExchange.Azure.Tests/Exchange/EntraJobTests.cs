namespace Nhi.TokenExchange.Tests;

[NonParallelizable, FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class EntraJobTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly Recorded _audit = new();
    private readonly List<SubjectTokenRequest> _asked = [];

    private Task<JobSession> StartAsync(Wire wire, IWorkloadIdentitySource? source = null, Action<EntraOptions>? configure = null) => JobSession.StartAsync(builder => builder
        .Identity("job", source ?? IdentitySources.From((request, _) =>
        {
            _asked.Add(request);
            DateTimeOffset now = _time.GetUtcNow();
            return new(new SubjectToken(Proofs.Of(("jti", $"{_asked.Count}"), ("iat", now.ToUnixTimeSeconds()), ("nbf", now.ToUnixTimeSeconds()), ("exp", now.ToUnixTimeSeconds() + 300)), SubjectTokenType.Jwt));
        }))
        .Target("lake", new OverWire(Targets.Entra(EntraCalls.Tenant, EntraCalls.Client, configure), wire), "job", EntraCalls.Scope)
        .Audit(_audit).Time(_time).EndOnSignals(false));

    private static SentRequest Sent(Wire wire, int index) => wire.Requests[index];

    [Test]
    public async Task A_proof_that_is_outside_of_its_time_is_replaced_once_by_a_new_one()
    {
        var wire = new Wire(Wire.Json(EntraCalls.Refusal(700024), 401), Wire.Json(EntraCalls.Good()));
        await using JobSession job = await StartAsync(wire);

        BearerToken token = await job.Provider<BearerToken>("lake").GetAsync();

        Assert.That((token.Reveal(), _asked.Count, _asked[1].MustBeNew), Is.EqualTo((Proofs.Token(), 2, true)));
        Assert.That(Sent(wire, 0).Field("client_assertion"), Is.Not.EqualTo(Sent(wire, 1).Field("client_assertion")));
    }

    [Test]
    public async Task Where_that_does_not_help_what_entra_said_stands()
    {
        var wire = new Wire(Wire.Json(EntraCalls.Refusal(700024), 401));
        await using JobSession job = await StartAsync(wire);

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("lake").GetAsync().AsTask())!;

        Assert.That((refused.Code, wire.Requests.Count), Is.EqualTo((ErrorCodes.ProofRefused, 2)));
        Assert.That(refused.Message, Does.Contain("AADSTS700024"));
    }

    [Test]
    public async Task A_managed_identity_that_gives_the_same_proof_again_is_not_presented_twice()
    {
        using var host = HostVariables.VirtualMachine();
        var platform = new Wire(Wire.Json($$"""{"access_token":"{{Proofs.ManagedIdentity()}}","expires_on":"{{Proofs.Now.AddHours(24).ToUnixTimeSeconds()}}","token_type":"Bearer"}"""));
        var entra = new Wire(Wire.Json(EntraCalls.Refusal(700024), 401));
        await using JobSession job = await StartAsync(entra, new ManagedIdentitySource(AzureManagedIdentityId.FromClientId(EntraCalls.Client), platform));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("lake").GetAsync().AsTask())!;

        Assert.That((refused.Code, entra.Requests.Count, platform.Requests.Count), Is.EqualTo((ErrorCodes.ProofRefused, 1, 2)));
        Assert.That(platform.Requests[0].Query("resource"), Is.EqualTo("api://AzureADTokenExchange"));
    }

    [Test]
    public async Task What_entra_issued_is_recorded_with_its_name_and_both_ends_and_can_not_be_ended()
    {
        var wire = new Wire(Wire.Json(EntraCalls.Good(), 200, ("x-ms-request-id", "11111111-0000-4000-8000-000000000001")));
        await using JobSession job = await StartAsync(wire);

        await job.Provider<BearerToken>("lake").GetAsync();
        JobReport report = await job.CompleteAsync();

        AuditEvent issued = _audit.Of(AuditEventKind.Issued).Single();
        Assert.That((issued.IsPlatformIssued, issued.DiesAt, issued.CorrelationId), Is.EqualTo((false, (DateTimeOffset?)Proofs.Now.AddSeconds(3599), $"{issued.FlightId:D}, trace 11111111-0000-4000-8000-000000000001")));
        Assert.That(wire.Requests.Single().Headers["client-request-id"], Is.EqualTo(issued.FlightId.ToString("D")));
        Assert.That(report.Leases.Single().End, Is.EqualTo(LeaseEnd.CannotBeRevoked));
    }

    [Test]
    public async Task A_flawed_answer_is_accounted_for_and_not_handed_out()
    {
        var wire = new Wire(Wire.Json($$"""{"access_token":"{{Proofs.Token()}}","expires_in":3599,"token_type":"DPoP"}"""));
        await using JobSession job = await StartAsync(wire);

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("lake").GetAsync().AsTask())!;

        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.WrongTokenType));
        Assert.That(_audit.Of(AuditEventKind.Issued), Is.Empty);
        Proofs.AssertNothingShown(refused);
    }
}
