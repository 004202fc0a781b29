using System.Net;
using Nhi.TokenExchange.Tests.Http;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Credentials that die in the middle of a job. P1 and P3 are beside the Azure package.</summary>
internal sealed class DyingCredentialTests
{
    [Test]
    public async Task P2_A_credential_without_an_end_of_its_own_ends_with_the_proof_that_its_issuer_ties_it_to()
    {
        var time = new ManualTimeProvider();
        await using EmulatedJob job = await EmulatedJob.StartAsync(time, proof: claims => claims.Lives(time.GetUtcNow(), TimeSpan.FromMinutes(3)), target: (o, _) => o.EndsWithSubjectToken = true);
        job.Emulator.Faults.Always(EmulatorEndpoint.AuthorizationToken, Fault.Without("expires_in"));
        DateTimeOffset proofEnds = time.GetUtcNow().AddMinutes(3);

        BearerToken token = await job.Warehouse.GetAsync();

        Assert.That(token.UnusableFrom, Is.EqualTo(proofEnds));
        time.Advance(TimeSpan.FromMinutes(3));
        Assert.That(job.Warehouse.TryGet(out _), Is.False);
        Assert.That(await job.Warehouse.GetAsync(), Is.Not.SameAs(token));
    }

    [Test]
    public async Task P4_A_databricks_credential_is_not_used_in_its_last_30_seconds()
    {
        var time = new ManualTimeProvider();
        await using IdentityEmulator emulator = await EmulatedJob.StartEmulatorAsync(time);
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        string principal = Guid.NewGuid().ToString();
        emulator.Databricks.AddServicePrincipal(principal, identity.Subject, "sql");
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(identity.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("warehouse", Targets.Databricks(emulator.Databricks.Host, principal), t =>
            {
                t.Identity = "job";
                t.Scopes = ScopeSet.Of("sql");
                t.AllowedOrigins.Add(emulator.Warehouse.Address);
            })
            .Time(time).Jitter(() => 0).EndOnSignals(false));
        CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");
        using var http = new HttpClient(job.CreateHandler("warehouse")) { BaseAddress = emulator.Warehouse.Address };
        BearerToken first = await warehouse.GetAsync();
        // The refresh fails, so that the first one is used for as long as it may be.
        emulator.Faults.Always(EmulatorEndpoint.DatabricksToken, Fault.Error("invalid_client", 401));

        time.Advance(first.ExpiresAt - time.GetUtcNow() - TimeSpan.FromSeconds(42));
        Assert.That(await warehouse.GetAsync(), Is.SameAs(first));
        using (HttpResponseMessage atTheEdge = await http.GetAsync("api/datasets/orders/rows"))
            Assert.That(atTheEdge.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        await HeldFlight.LandedAsync(job, warehouse);
        emulator.Faults.Clear();
        int handedOut = 0;
        for (int millisecond = 0; millisecond < 42_000; millisecond++)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            if (warehouse.TryGet(out BearerToken? held) && held.ExpiresAt - time.GetUtcNow() <= TimeSpan.FromSeconds(30))
                handedOut++;
        }
        using HttpResponseMessage after = await http.GetAsync("api/datasets/orders/rows");

        Assert.That(handedOut, Is.Zero);
        Assert.That(after.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(emulator.Ledger.Uses.Select(use => use.Verdict), Is.All.EqualTo(UseVerdict.Accepted));
    }

    [Test]
    public async Task P5_Ten_thousand_calls_by_as_many_clients_cost_one_exchange()
    {
        await using TestJob job = await TestJob.StartAsync();

        for (int call = 0; call < 10_000; call++)
        {
            using var http = new HttpClient(job.Session.CreateHandler("warehouse", Wire.Always(HttpStatusCode.OK)));
            using HttpResponseMessage response = await http.GetAsync(new Uri(job.Issuer.Issuer, "rows"));
            Assert.That(response.IsSuccessStatusCode);
        }

        Assert.That(job.Issuer.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task P6_An_outage_from_the_refresh_point_to_a_second_before_the_end_is_felt_by_no_call()
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken first = await job.Warehouse.GetAsync();
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4002", ExchangeStage.Exchange, "down") { IsTransient = true };
        job.Time.Advance(first.RefreshAt - job.Time.GetUtcNow());

        while (job.Time.GetUtcNow() < first.UnusableFrom.AddSeconds(120))
        {
            if (job.Time.GetUtcNow() == first.UnusableFrom.AddSeconds(-1))
                job.Issuer.Answer = null;
            BearerToken token = await job.Warehouse.GetAsync();
            Assert.That(job.Time.GetUtcNow(), Is.LessThan(token.UnusableFrom));
            await HeldFlight.LandedAsync(job.Session, job.Warehouse);
            job.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That(job.Issuer.Requests, Has.Count.InRange(20, 50), "the back-off held all the time");
    }

    [TestCase("""{"error_code":"403","message":"Invalid access token. Token is expired"}""", 2)]
    [TestCase("""{"error_code":"PERMISSION_DENIED","message":"User does not have SELECT on table orders"}""", 1)]
    public async Task P9_A_403_that_says_expired_costs_one_refresh_and_one_repetition_and_any_other_none(string body, int sent)
    {
        await using TestJob job = await TestJob.StartAsync();
        BearerToken old = await job.Warehouse.GetAsync();
        Wire wire = Wire.Refusing(old.Reveal(), HttpStatusCode.Forbidden, body);
        using var http = new HttpClient(job.Session.CreateHandler("warehouse", wire));

        using HttpResponseMessage response = await http.GetAsync(new Uri(job.Issuer.Issuer, "rows"));

        Assert.That(response.StatusCode, Is.EqualTo(sent == 2 ? HttpStatusCode.OK : HttpStatusCode.Forbidden));
        Assert.That((wire.Tokens.Count, job.Issuer.Requests.Count), Is.EqualTo((sent, sent)));
    }

    [Test]
    public async Task P10_The_policys_longest_life_wins_over_the_asked_one_and_nothing_outlives_the_job()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Life = TimeSpan.FromHours(12), t => t.MaxLifetime = TimeSpan.FromHours(12));
        job.Policy.Decide = _ => AccessDecision.Permit("short", maxLifetime: TimeSpan.FromMinutes(20));

        BearerToken token = await job.Warehouse.GetAsync();
        Assert.That(job.Issuer.Requests.Single().MaxLifetime, Is.EqualTo(TimeSpan.FromMinutes(20)));
        job.Time.Advance(TimeSpan.FromMinutes(20));
        Assert.That(await job.Warehouse.GetAsync(), Is.Not.SameAs(token));
        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.AllEnded);
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
        Assert.That(() => job.Warehouse.GetAsync().AsTask(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI7001"));
    }

    [Test]
    public void P10_A_life_beyond_twelve_hours_is_a_named_error()
    {
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => TestJob.StartAsync(target: t => t.MaxLifetime = TimeSpan.FromDays(30)))!;

        Assert.That(refused.Message, Does.Contain("MaxLifetime").And.Contain("12:00:00"));
    }
}
