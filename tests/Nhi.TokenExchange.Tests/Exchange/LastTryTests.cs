namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>A life counts from the try that was answered: what an issuer said "not now" to before has cost time, and nothing of the life.</summary>
internal sealed class LastTryTests
{
    private static readonly Fault NotNow = Fault.Status(503, ("Retry-After", "7"));

    private readonly SkippingTime _time = new();

    [Test]
    public async Task A_token_that_an_authorization_server_gave_at_the_third_try_is_handed_out_for_its_whole_life()
    {
        await using EmulatedJob job = await EmulatedJob.StartAsync(_time);
        job.Emulator.Faults.Next(EmulatorEndpoint.AuthorizationToken, NotNow, times: 2);

        BearerToken token = await job.Warehouse.GetAsync();

        Assert.That(job.Exchanges, Is.EqualTo(3));
        AssertWhole(job.Emulator, token);
    }

    [Test]
    public async Task One_that_lives_no_longer_than_the_tries_took_is_not_dead_on_arrival()
    {
        await using EmulatedJob job = await EmulatedJob.StartAsync(_time);
        job.Emulator.Authorization.TokenLifetime = TimeSpan.FromSeconds(20);
        job.Emulator.Faults.Next(EmulatorEndpoint.AuthorizationToken, NotNow, times: 2);

        BearerToken token = await job.Warehouse.GetAsync();

        AssertWhole(job.Emulator, token);
        Assert.That(token.RefreshAt, Is.GreaterThanOrEqualTo(_time.GetUtcNow()), "not due as it comes");
    }

    [Test]
    public async Task So_it_is_with_a_login()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultLogin, NotNow, times: 2);

        AssertWhole(job.Emulator, await job.Login.GetAsync());
    }

    [Test]
    public async Task So_it_is_with_its_renewal()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        BearerToken login = await job.Login.GetAsync();
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultToken, NotNow, times: 2);
        _time.Advance(VaultJob.RefreshDue);
        await job.QuietAsync();

        BearerToken renewed = await job.Login.GetAsync();

        Assert.That(renewed, Is.Not.SameAs(login));
        AssertWhole(job.Emulator, renewed);
    }

    [Test]
    public async Task A_wall_clock_that_is_set_ahead_and_back_between_two_tries_lengthens_no_life()
    {
        bool isAhead = false;
        await using var issuer = new ScriptedIssuer(_ =>
        {
            isAhead = !isAhead;
            _time.SetWall(_time.GetUtcNow().AddMinutes(isAhead ? 20 : -20));
            return isAhead ? ScriptedAnswer.Status(503) : ScriptedAnswer.Json(WireSamples.Answer().Replace("3600", "600", StringComparison.Ordinal));
        });
        await using JobSession job = await JobSession.StartAsync(b => b.Time(_time).EndOnSignals(false)
            .Identity("job", IdentitySources.From((_, _) => new(new SubjectToken("what-the-platform-vouches-for", SubjectTokenType.AccessToken))), ActsFor.Workload)
            .Target("warehouse", Targets.Rfc8693(issuer.Uri, o => o.TokenEndpoint = new Uri(issuer.Uri, "/token")), "job"));
        CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");
        await warehouse.GetAsync();
        Assert.That(issuer.Requests, Has.Count.EqualTo(2));
        Assert.That(warehouse.TryGet(out _), "it is good");

        _time.Advance(TimeSpan.FromMinutes(10));

        Assert.That(warehouse.TryGet(out _), Is.False);
    }

    private static void AssertWhole(IdentityEmulator emulator, BearerToken token) =>
        Assert.That(emulator.Ledger.Issued.Single(issue => issue.Fingerprint == token.Fingerprint).EndsAt - token.ExpiresAt, Is.InRange(TimeSpan.Zero, TimeSpan.FromSeconds(2)));
}
