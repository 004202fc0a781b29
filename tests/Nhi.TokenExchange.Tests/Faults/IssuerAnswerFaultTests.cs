using System.Net;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>I9 to I18, through a whole job. I1 to I8, I12, I13 and I15 are beside what they test.</summary>
internal sealed class IssuerAnswerFaultTests
{
    [Test]
    public async Task I9_A_life_of_ten_years_is_handed_out_for_as_long_as_the_target_says_and_both_ends_are_recorded()
    {
        await using AnsweredJob job = await AnsweredJob.StartAsync(number => AnsweringWire.Json(AnsweredJob.Answer($"{AnsweredJob.Token}{number}", life: "\"expires_in\":315360000")));
        DateTimeOffset asked = job.Time.GetUtcNow();

        BearerToken first = await job.Warehouse.GetAsync();
        job.Time.Advance(TimeSpan.FromHours(1));
        BearerToken second = await job.Warehouse.GetAsync();

        AuditEvent issued = job.Audit.Events.First(e => e.Kind == AuditEventKind.Issued);
        Assert.That((issued.UnusableFrom, issued.DiesAt), Is.EqualTo(((DateTimeOffset?)asked.AddHours(1), (DateTimeOffset?)asked.AddSeconds(315360000))));
        Assert.That((second.Reveal(), job.Wire.Asked.Count), Is.EqualTo(($"{AnsweredJob.Token}2", 2)));
        await job.Session.CompleteAsync();
        Assert.That(job.Wire.Revoked, Is.EquivalentTo(new[] { first.Reveal(), second.Reveal() }));
        job.AssertNothingSaid();
    }

    [Test]
    public async Task I10_A_token_that_has_ended_already_is_asked_for_once_more_at_once_then_told_with_both_clocks()
    {
        string dead = AnsweredJob.Jwt($$"""{"exp":{{Proofs.Now.AddSeconds(-5).ToUnixTimeSeconds()}}}""");
        await using AnsweredJob job = await AnsweredJob.StartAsync(number => AnsweringWire.Json(AnsweredJob.Answer(number <= 2 ? dead : null)));

        TokenExchangeException failure = await job.FailureAsync();

        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo((ErrorCodes.DeadOnArrival, true)));
        Assert.That(failure.Message, Does.Contain("2025-12-31T23:59:55").And.Contain("it is 2026-01-01T00:00:00").And.Contain("clocks"));
        Assert.That(job.Wire.Asked, Has.Count.EqualTo(2));
        job.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await job.Warehouse.GetAsync()).Reveal(), Is.EqualTo(AnsweredJob.Token));
    }

    [Test]
    public async Task I11_A_wider_grant_is_ended_at_the_issuer_and_an_absent_scope_is_as_asked()
    {
        const string subject = "repo:octo/orders:ref:refs/heads/main";
        var time = new ManualTimeProvider();
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => (o.Time, o.ProofAlgorithm) = (time, "ES256"));
        emulator.Authorization.AddClient("orders", subject, "read");
        emulator.Faults.Next(EmulatorEndpoint.AuthorizationToken, Fault.WiderScope("admin"));
        emulator.Faults.Next(EmulatorEndpoint.AuthorizationToken, Fault.Without("scope"));
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub, subject);
        var audit = new RecordingSink();
        await using JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(identity.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("warehouse", Targets.Rfc8693(emulator.Authorization.Issuer, o => o.Client.Id = "orders"), "job", "read")
            .Audit(audit).Time(time).Jitter(() => 0).EndOnSignals(false));
        CredentialProvider<BearerToken> warehouse = session.Provider<BearerToken>("warehouse");

        TokenExchangeException? refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await warehouse.GetAsync());

        Assert.That(refused!.Code, Is.EqualTo(ErrorCodes.WiderScope));
        LedgerIssue wide = emulator.Ledger.Issued.Single();
        Assert.That((wide.Scope.Contains("admin", StringComparison.Ordinal), emulator.Ledger.IsAlive(wide.Fingerprint)), Is.EqualTo((true, false)), "it was granted, and is dead");
        Assert.That(audit.Kinds.TakeLast(2), Is.EqualTo(new[] { AuditEventKind.Revoked, AuditEventKind.Failed }));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(emulator.Ledger.IsAlive((await warehouse.GetAsync()).Fingerprint), Is.True);
    }

    [TestCase("\"refresh_token\":\"{0}\"")]
    [TestCase("\"refresh_token\":{{\"not\":[\"even\",{{\"a\":\"{0}\"}}]}}")]
    public async Task I14_A_refresh_token_is_dropped_unread_and_appears_nowhere(string member)
    {
        string refresh = $"rt-{AnsweredJob.Canary}";
        await using AnsweredJob job = await AnsweredJob.StartAsync(AnsweredJob.Answer("at-0123456789", more: string.Format(System.Globalization.CultureInfo.InvariantCulture, member, refresh)));

        Assert.That((await job.Warehouse.GetAsync()).Reveal(), Is.EqualTo("at-0123456789"));
        await job.Session.CompleteAsync();

        Assert.That(job.Wire.Revoked, Is.EqualTo(new[] { "at-0123456789" }));
        Assert.That(string.Concat(job.Wire.Asked), Does.Not.Contain(refresh));
        job.AssertNothingSaid();
    }

    [Test]
    public async Task I16_Answers_that_were_swapped_between_two_requests_are_refused_by_audience_and_ended()
    {
        string TokenFor(string audience) => AnsweredJob.Jwt($$"""{"aud":"{{audience}}"}""");
        AnsweringWire? wire = null;
        wire = new AnsweringWire(_ => AnsweringWire.Json(AnsweredJob.Answer(TokenFor(wire!.Asked.Last().Contains("audience=warehouse", StringComparison.Ordinal) ? "lake" : "warehouse"))));
        var time = new ManualTimeProvider();
        await using JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload)
            .Target("warehouse", Exchanger("warehouse"), "job").Target("lake", Exchanger("lake"), "job")
            .Time(time).Transport(() => wire).EndOnSignals(false));

        foreach (string target in new[] { "warehouse", "lake" })
        {
            TokenExchangeException? refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await session.Provider<BearerToken>(target).GetAsync());
            Assert.That(refused!.Code, Is.EqualTo(ErrorCodes.WrongAudience));
            Assert.That(refused.Message, Does.Contain($"'{target}' was asked"));
        }

        Assert.That(wire.Revoked, Is.EqualTo(new[] { TokenFor("lake"), TokenFor("warehouse") }));

        static TokenExchanger<BearerToken> Exchanger(string audience) => Targets.Rfc8693(new Uri(AnsweringWire.Issuer), o =>
        {
            (o.TokenEndpoint, o.RevocationEndpoint) = (AnsweringWire.TokenEndpoint, AnsweringWire.RevocationEndpoint);
            o.Audiences.Add(audience);
        });
    }

    [Test]
    public async Task I17_An_issuer_that_is_up_every_other_second_loses_no_call_and_gets_no_storm()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Life = TimeSpan.FromSeconds(40));
        job.Issuer.Answer = _ => job.Time.GetUtcNow().Second % 2 == 0
            ? new Issued<BearerToken>(job.Issuer.NewToken())
            : throw new TokenExchangeException("NHI4002", ExchangeStage.Exchange, "down") { IsTransient = true };
        int lost = 0;
        job.Time.Advance(TimeSpan.FromSeconds(1));   // down at first: that alone may be felt
        for (int second = 1; second <= 120; second++)
        {
            for (int caller = 0; caller < 50; caller++)
            {
                try
                {
                    await job.Warehouse.GetAsync();
                }
                catch (TokenExchangeException failure) when (failure.IsTransient)
                {
                    lost += second > 1 ? 1 : 0;
                }
            }
            await job.QuietAsync();
            job.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That((lost, job.Issuer.MostInTheAir), Is.EqualTo((0, 1)));
        // Refreshed after 15 s of 30, each at the second try at most.
        Assert.That(job.Issuer.Requests, Has.Count.InRange(8, 18));
    }

    [TestCase("invalid_client", 1)]
    [TestCase("invalid_grant", 2, Description = "with a second proof at once, in case that the first was the fault")]
    public async Task I18_A_trust_that_appears_after_20_s_is_met_by_the_next_try_and_meanwhile_the_issuer_is_left_alone(string error, int asked)
    {
        bool isTrusted = false;
        await using AnsweredJob job = await AnsweredJob.StartAsync(_ => isTrusted ? AnsweringWire.Json(AnsweredJob.Answer()) : AnsweringWire.Json($$"""{"error":"{{error}}"}""", HttpStatusCode.Unauthorized));

        TokenExchangeException failure = await job.FailureAsync();
        Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());

        Assert.That((failure.IsTransient, failure.IssuerError, job.Wire.Asked.Count), Is.EqualTo((false, error, asked)));
        Assert.That(failure.Message, Does.Contain("kept for"));
        isTrusted = true;
        job.Time.Advance(TimeSpan.FromSeconds(20));
        Assert.That((await job.Warehouse.GetAsync()).Reveal(), Is.EqualTo(AnsweredJob.Token));
    }
}
