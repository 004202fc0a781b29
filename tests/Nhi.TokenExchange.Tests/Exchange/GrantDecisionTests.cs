using Nhi.TokenExchange.Tests.Policy;
using static Nhi.TokenExchange.Tests.Policy.Policies;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What the pipeline makes of a policy's word where an exchange shows that its credential is more exposed than was known; and what of such knowledge it forgets.</summary>
public class GrantDecisionTests
{
    private static readonly ExposureAnswer Safe = ExposureAnswer.No("for a test");
    private static readonly ExposureAnswer Exposed = ExposureAnswer.Yes("for a test");

    private static readonly PolicyDocument ShorterIfExposed = Of(
        Permit("safe", """{ "target": "warehouse", "exposure": { "reusableAfterJob": false } }"""),
        Permit("short", """{ "target": "warehouse", "exposure": { "reusableAfterJob": true } }""", """{ "longestHandOut": "00:05:00" }"""));

    private static readonly PolicyDocument NothingReusable = Of(Permit("all", """{ "target": { "present": true } }"""), Forbid("outlives", """{ "exposure": { "reusableAfterJob": true } }"""));

    private ExposureAnswer _answer = Safe;

    [SetUp]
    public void NothingIsKnownYet() => _answer = Safe;

    [Test]
    public async Task A_second_decision_that_leaves_less_has_the_exchange_made_once_more_by_what_is_left()
    {
        await using TestJob job = await StartAsync(ShorterIfExposed);

        BearerToken token = await job.Warehouse.GetAsync();

        Assert.That(token.UnusableFrom - job.Time.GetUtcNow(), Is.EqualTo(TimeSpan.FromMinutes(5)).Within(TimeSpan.FromSeconds(1)));
        Assert.That(job.Issuer.Revoked.Single(), Is.SameAs(job.Issuer.Issued.First()).And.Not.SameAs(token));
        Assert.That(job.Audit.Kinds, Is.EqualTo(new[]
        {
            AuditEventKind.Attested, AuditEventKind.Permitted, AuditEventKind.Exchanging, AuditEventKind.Revoked,
            AuditEventKind.Attested, AuditEventKind.Permitted, AuditEventKind.Exchanging, AuditEventKind.Issued,
        }));
        Assert.That(job.Audit.Events.Single(one => one.Kind == AuditEventKind.Revoked).Reason, Is.EqualTo("NHI5010"));
        Assert.That(job.Audit.Events.Where(one => one.Kind == AuditEventKind.Permitted).Select(one => one.Rule), Is.EqualTo(new[] { "safe", "short" }));
        Assert.That(job.Audit.Events.Select(one => one.FlightId).Distinct().Count(), Is.EqualTo(1));
    }

    [Test]
    public async Task A_refresh_that_is_left_less_keeps_what_is_held_until_the_next_is_there()
    {
        await using TestJob job = await StartAsync(ShorterIfExposed, learns: false);
        BearerToken held = await job.Warehouse.GetAsync();
        job.Issuer.Answer = _ =>
        {
            if (_answer == Exposed)
                throw new TokenExchangeException(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, "The issuer is away.") { IsTransient = true };
            _answer = Exposed;
            return new Issued<BearerToken>(job.Issuer.NewToken());
        };

        job.Time.Advance(TimeSpan.FromMinutes(45));
        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(held), "its refresh is due");
        await job.QuietAsync();

        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(held), "its refresh failed twice");
        Assert.That(job.Issuer.Revoked, Is.EqualTo(job.Issuer.Issued.Skip(1)), "the one that was permitted by what is not true");
        job.Issuer.Answer = null;
        job.Time.Advance(TimeSpan.FromSeconds(2));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();
        BearerToken next = await job.Warehouse.GetAsync();
        Assert.That((next == held, next.UnusableFrom - job.Time.GetUtcNow()), Is.EqualTo((false, TimeSpan.FromMinutes(5))));
    }

    [Test]
    public async Task That_less_is_left_twice_in_a_flight_is_a_failure_that_passes_and_no_denial()
    {
        await using TestJob job = await StartAsync(ShorterIfExposed);
        job.Issuer.OnRevoke = _ =>
        {
            _answer = Safe;   // who is asked again says what he said at first
            return Task.FromResult(Revocation.Revoked);
        };

        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => job.Warehouse.GetAsync().AsTask())!;

        Assert.That((failure.Code, failure.Stage, failure.IsTransient), Is.EqualTo(("NHI5010", ExchangeStage.Authorize, true)));
        Assert.That(failure.Message, Does.Contain("rule 'short'"));
        Assert.That(job.Issuer.Revoked, Is.EqualTo(job.Issuer.Issued));
        Assert.That(job.Issuer.Issued, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_renewal_that_ends_sooner_and_is_denied_then_is_ended()
    {
        await using TestJob job = await StartAsync(NothingReusable, learns: false);
        BearerToken held = await job.Warehouse.GetAsync();
        BearerToken? renewed = null;
        job.Issuer.Answer = request =>
        {
            _answer = Exposed;
            renewed = new BearerToken(((BearerToken)request.Held!).Reveal(), job.Time.GetUtcNow() + TimeSpan.FromMinutes(5));
            return new Issued<BearerToken>(renewed) { IsRenewal = true };
        };

        job.Time.Advance(TimeSpan.FromMinutes(45));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();

        Assert.That(job.Issuer.Revoked.Single(), Is.SameAs(renewed));
        Assert.ThrowsAsync<AccessDeniedException>(() => job.Warehouse.GetAsync().AsTask());
        Assert.That(held.Fingerprint, Is.EqualTo(renewed!.Fingerprint));
    }

    [Test]
    public async Task A_policy_of_ones_own_decides_on_what_the_metadata_say()
    {
        await using TestJob job = await TestJob.StartAsync(i => i.Reusable = () => _answer);
        _answer = Exposed;
        job.Policy.Decide = request => request.Exposure.ReusableAfterJob.IsYes ? AccessDecision.Deny("mine", "it outlives the job") : AccessDecision.Permit("mine");
        job.Issuer.OnLearn = _ =>
        {
            _answer = Safe;
            return Task.CompletedTask;
        };

        Assert.That(await job.Warehouse.GetAsync(), Is.Not.Null);
    }

    [Test]
    public async Task A_role_that_gave_batch_tokens_is_looked_at_again_after_minutes([Values] bool isPutRight)
    {
        var time = new ManualTimeProvider();
        await using VaultJob job = await VaultJob.StartAsync(time, more: b => b.Policy(NothingReusable));
        job.Role.GivesBatchTokens = true;
        Assert.ThrowsAsync<AccessDeniedException>(() => job.Login.GetAsync().AsTask());
        job.Role.GivesBatchTokens = !isPutRight;
        time.Advance(TimeSpan.FromMinutes(9));
        Assert.ThrowsAsync<AccessDeniedException>(() => job.Login.GetAsync().AsTask());
        Assert.That(job.Requests(EmulatorEndpoint.VaultLogin), Is.EqualTo(1));

        time.Advance(TimeSpan.FromMinutes(2));

        if (isPutRight)
            await job.Login.GetAsync();
        else
            Assert.That(Assert.ThrowsAsync<AccessDeniedException>(() => job.Login.GetAsync().AsTask())!.Rule, Is.EqualTo("outlives"));
        Assert.That(job.Requests(EmulatorEndpoint.VaultLogin), Is.EqualTo(2));
    }

    [Test]
    public async Task A_path_that_gave_no_lease_is_looked_at_again_after_minutes()
    {
        var time = new ManualTimeProvider();
        await using VaultJob job = await VaultJob.StartAsync(time, path: "azure/creds/load", shape: VaultSecretShape.GoogleToken, more: b => b.Policy(NothingReusable));
        Assert.ThrowsAsync<AccessDeniedException>(() => job.Database.GetAsync().AsTask());
        Assert.ThrowsAsync<AccessDeniedException>(() => job.Database.GetAsync().AsTask());
        Assert.That(job.Requests(EmulatorEndpoint.VaultSecret), Is.EqualTo(1));

        time.Advance(TimeSpan.FromMinutes(11));

        Assert.ThrowsAsync<AccessDeniedException>(() => job.Database.GetAsync().AsTask());
        Assert.That(job.Requests(EmulatorEndpoint.VaultSecret), Is.EqualTo(2));
    }

    [Test]
    public async Task An_issuer_that_refused_to_revoke_is_looked_at_again_after_minutes()
    {
        var time = new ManualTimeProvider();
        await using var issuer = new ScriptedIssuer(request => request.Path == "/revoke" ? ScriptedAnswer.Json("""{"error":"unsupported_token_type"}""", 400) : ScriptedAnswer.Json(WireSamples.Answer()));
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload)
            .Target("warehouse", Targets.Rfc8693(issuer.Uri, o => (o.TokenEndpoint, o.RevocationEndpoint) = (new Uri(issuer.Uri, "/token"), new Uri(issuer.Uri, "/revoke"))), "job")
            .EndOnSignals(false).Policy(NothingReusable).Time(time).EndWithin(TimeSpan.FromMinutes(1)));
        BearerToken token = await job.Provider<BearerToken>("warehouse").GetAsync();
        await job.RevokeCredentialAsync(token, "for a test");
        Assert.ThrowsAsync<AccessDeniedException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask());

        time.Advance(TimeSpan.FromMinutes(11));

        Assert.That(await job.Provider<BearerToken>("warehouse").GetAsync(), Is.Not.Null);
    }

    [Test]
    public async Task What_was_learnt_is_told_as_long_as_nobody_has_looked_again()
    {
        var time = new ManualTimeProvider();
        await using VaultJob job = await VaultJob.StartAsync(time);
        job.Role.GivesBatchTokens = true;
        await job.Login.GetAsync();

        time.Advance(TimeSpan.FromMinutes(30));

        Assert.That(job.Session.Runtime("vault").Plan.Exchanger.ReusableAfterJob.IsYes, Is.True);
    }

    // Seconds from now: until when the policy's deny holds, and until when it is remembered.
    [TestCase(null, null, null, null)]
    [TestCase(null, 20, 20, null)]
    [TestCase("NHI4001", null, 10, "NHI4001")]
    [TestCase("NHI4001", 20, 10, "NHI4001")]
    [TestCase("NHI4001", 5, 5, "NHI4001")]
    [TestCase("a mistake", 5, 5, "IOException")]
    public async Task A_deny_of_what_could_not_be_learnt_is_no_deny_for_good(string? failure, int? holdsFor, int? isHeldFor, string? told)
    {
        using var log = new LoggedText();
        await using TestJob job = await TestJob.StartAsync(more: b => b.Logging(log));
        DateTimeOffset now = job.Time.GetUtcNow();
        job.Policy.Decide = _ => AccessDecision.Deny("no", "for a test", holdsFor is { } seconds ? now.AddSeconds(seconds) : null);
        job.Issuer.OnLearn = _ => failure switch
        {
            null => Task.CompletedTask,
            "a mistake" => throw new IOException("canary"),
            _ => throw new TokenExchangeException(failure, ExchangeStage.Exchange, "canary"),
        };

        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.Warehouse.GetAsync().AsTask())!;

        Assert.That((((AccessDeniedException)denied.Original).HoldsUntil - now)?.TotalSeconds, Is.EqualTo((double?)isHeldFor));
        Assert.That(denied.Original.Detail, Is.EqualTo("Rule 'no' denies access: for a test"));
        string line = $"What the answers about the credential of warehouse depend on could not be read ({told}); what is not known counts as yes, and the policy decides: flight ";
        Assert.That(log.Text, told is null ? Does.Not.Contain("could not be read") : Does.Contain(line).And.Not.Contain("canary"));
    }

    [TestCase(null, "1")]
    [TestCase("of the document", "of the document")]
    public async Task A_decision_that_names_its_revision_is_recorded_with_that(string? own, string recorded)
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Policy.Decide = _ =>
        {
            AccessDecision permit = AccessDecision.Permit("all");
            permit.Revision = own;
            return permit;
        };

        await job.Warehouse.GetAsync();

        Assert.That(job.Audit.Events.Single(one => one.Kind == AuditEventKind.Permitted).PolicyRevision, Is.EqualTo(recorded));
    }

    private Task<TestJob> StartAsync(PolicyDocument policy, bool learns = true) => TestJob.StartAsync(
        i =>
        {
            i.Reusable = () => _answer;
            if (learns)
                i.Answer = _ =>
                {
                    _answer = Exposed;
                    return new Issued<BearerToken>(i.NewToken());
                };
        },
        more: b => b.Policy(policy));
}
