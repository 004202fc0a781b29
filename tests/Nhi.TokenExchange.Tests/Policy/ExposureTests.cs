using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nhi.TokenExchange.Tests.DependencyInjection;
using Nhi.TokenExchange.Tests.Exchange;
using static Nhi.TokenExchange.Tests.Policy.Policies;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>The three questions about a target's credential: answered from facts, told where somebody looks, and a policy can forbid each.</summary>
public class ExposureTests
{
    private const string Revoked = "no: the issuer revokes it when the job ends (RFC 7009); one that is self-contained is over where the target asks its issuer";
    private const string BatchToken = "yes: the role gives batch tokens, which nothing can revoke: a copy works until it dies by itself";
    private const string UnknownEngine = "not known, which counts as yes: whether the secrets engine ends what it gave when its lease is revoked at the job's end";

    private static readonly string[] Questions = ["reusableAfterJob", "visibleToOperators", "tiedToHuman"];

    // A target, made where it is asked, and the answers to the questions about it.
    private static IEnumerable<TestCaseData> Facts()
    {
        var issuer = new Uri("https://issuer.example");
        var server = new Uri("https://vault.example:8200");
        yield return Of(() => Targets.Rfc8693(issuer), "not known, which counts as yes: whether the issuer revokes: its metadata, which say it, have not been read", "no: the issuer shows it once, to this process");
        yield return Of(() => Targets.Rfc8693(issuer, o => o.TokenEndpoint = new Uri(issuer, "/token")), "yes: no revocation endpoint is known, so that a copy works until the token dies by itself", "no: the issuer shows it once, to this process");
        yield return Of(() => Targets.JwtBearer(issuer, o => (o.TokenEndpoint, o.RevocationEndpoint) = (new Uri(issuer, "/token"), new Uri(issuer, "/revoke"))), Revoked, "no: the issuer shows it once, to this process");
        yield return Of(() => Targets.Databricks(new Uri("https://workspace.example")), "yes: Databricks ends no token before its time: a copy works until it dies, an hour after it was issued", "no: the issuer shows it once, to this process");
        yield return Of(() => Targets.Databricks(new Uri("https://workspace.example"), configure: o => o.Dialect = DatabricksDialect.JwtBearer), "yes: Databricks ends no token before its time: a copy works until it dies, an hour after it was issued", "no: the issuer shows it once, to this process");
        yield return Of(() => Targets.VaultStaticKey(server, "legacy/billing", "Billing team", StaticKeyJob.In(null, TimeSpan.FromDays(90))), "yes: it is a static key, which is good until its owner changes it", "yes: it is kept in a vault, and whoever may read it there can see it");
        yield return Of(() => Targets.KeyVaultStaticKey(new Uri("https://acme-legacy.vault.azure.net"), "mail-api", "Mail team", StaticKeyJob.In(null, TimeSpan.FromDays(90))), "yes: it is a static key, which is good until its owner changes it", "yes: it is kept in a vault, and whoever may read it there can see it");
        yield return Of(() => Targets.VaultLogin(server), "no: the token revokes itself when the job ends", "no: Vault shows a token once, to who logs in");
        foreach (string path in new[] { "database/creds/readonly", "rabbitmq/creds/orders", "consul/creds/orders", "nomad/creds/orders", "azure/creds/load" })
            yield return Of(() => Targets.VaultSecret(server, path), "no: its lease is revoked when the job ends", "no: Vault makes it for this lease, and shows it once");
        foreach (string path in new[] { "aws/creds/deploy", "kubernetes/creds/orders", "gcp/roleset/orders/token", "teams/database/creds/orders", "database/orders", "Database/creds/orders" })
            yield return Of(() => Targets.VaultSecret(server, path), UnknownEngine, "no: Vault makes it for this lease, and shows it once");
        yield return Of(() => Targets.VaultSecret(server, "aws/sts/deploy"), "yes: what AWS STS gives works until it dies by itself: revoking its lease ends nothing", "no: Vault makes it for this lease, and shows it once");
        yield return Of(() => Targets.VaultSecret(server, "database/static-creds/orders"), "yes: the password of a static role is good until Vault rotates it", "yes: Vault keeps the password of a static role, and shows it to whoever may read the path");
        foreach (string path in new[] { "database/creds/sts", "database/creds/static-creds" })   // a role may be called anything, and so may a mount
            yield return Of(() => Targets.VaultSecret(server, path), "no: its lease is revoked when the job ends", "no: Vault makes it for this lease, and shows it once");
        foreach (string path in new[] { "sts/creds/deploy", "static-cred/creds/orders", "teams/sts/creds/deploy" })
            yield return Of(() => Targets.VaultSecret(server, path), UnknownEngine, "no: Vault makes it for this lease, and shows it once");
        yield return Of(() => Targets.VaultSecret(server, "teams/aws/sts/deploy"), "yes: what AWS STS gives works until it dies by itself: revoking its lease ends nothing", "no: Vault makes it for this lease, and shows it once");
        foreach (string path in new[] { "ldap/static-cred/orders", "ldap/static-cred/acme/orders" })   // "LDAP secrets engine": a role's name may be a path
            yield return Of(() => Targets.VaultSecret(server, path), "yes: the password of a static role is good until Vault rotates it", "yes: Vault keeps the password of a static role, and shows it to whoever may read the path");
        yield return Of(() => Targets.VaultSecret(server, "kubernetes/creds/orders", o => o.EndsWithLease = true), "no: its lease is revoked when the job ends, and the configuration vouches that the secret ends with it", "no: Vault makes it for this lease, and shows it once");
        yield return Of(() => Targets.VaultSecret(server, "database/creds/readonly", o => o.EndsWithLease = false), "yes: the configuration says that the secret works on when its lease is revoked", "no: Vault makes it for this lease, and shows it once");
        yield return Of(() => new TestExchanger(TimeProvider.System), "not known, which counts as yes: whether the exchanger ends a credential before its time", "not known, which counts as yes: who else can see the credential");

        static TestCaseData Of(Func<TokenExchanger> target, string reusable, string visible) => new(target, reusable, visible);
    }

    [TestCaseSource(nameof(Facts))]
    public void An_exchanger_answers_from_what_it_knows(Func<TokenExchanger> target, string reusable, string visible)
    {
        TokenExchanger exchanger = target();

        Assert.That((exchanger.ReusableAfterJob.ToString(), exchanger.VisibleToOperators.ToString()), Is.EqualTo((reusable, visible)));
    }

    [Test]
    public void A_permit_for_what_is_not_exposed_lets_nothing_else_in([ValueSource(nameof(Questions))] string question)
    {
        PolicyDocument policy = Of(Permit("safe", $$"""{ "target": "warehouse", "exposure": { "{{question}}": false } }"""));

        Assert.That(policy.Decide(Asking(null)).IsPermitted, Is.True);
        AccessDecision denied = policy.Decide(Asking(question));
        Assert.That((denied.IsPermitted, denied.Rule), Is.EqualTo((false, "default-deny")));
        Assert.That(denied.Reason, Is.EqualTo($"no rule permits it; nearest is 'safe': exposure.{question} expected no, presented yes: for a test"));
        Assert.That(policy.Decide(Request()).IsPermitted, Is.False, "what a request does not say counts as yes");
    }

    [Test]
    public void A_forbid_denies_what_is_exposed_and_says_why([ValueSource(nameof(Questions))] string question)
    {
        PolicyDocument policy = Of(Permit("all", """{ "target": "warehouse" }"""), Forbid("exposed", $$"""{ "exposure": { "{{question}}": true } }"""));

        Assert.That(policy.Decide(Asking(null)).IsPermitted, Is.True);
        AccessDecision denied = policy.Decide(Asking(question));
        Assert.That((denied.IsPermitted, denied.Rule, denied.Reason), Is.EqualTo((false, "exposed", $"exposure.{question} is yes: for a test, expected other than yes")));
        Assert.That(policy.Decide(Asking(Questions.First(other => other != question))).IsPermitted, Is.True, "each question by itself");
    }

    [Test]
    public void A_permit_that_a_forbid_always_covers_does_not_compile() =>
        Assert.That(
            ErrorsOf(Text(1, Permit("human", """{ "target": "warehouse", "exposure": { "tiedToHuman": true } }"""), Forbid("no-human", """{ "exposure": { "tiedToHuman": true } }"""))).Single(),
            Does.Contain("rule 'human': permits nothing: the forbid 'no-human'"));

    [TestCase("{}", "when.exposure: has nothing in it")]
    [TestCase("true", "when.exposure: is true")]
    [TestCase("""{ "tiedToHuman": "no" }""", "when.exposure.tiedToHuman: is a text. Write true or false")]
    [TestCase("""{ "tiedToHumans": false }""", "when.exposure.tiedToHumans: is no member of this object. Did you mean tiedToHuman?")]
    public void A_question_that_is_none_does_not_compile(string exposure, string what) =>
        Assert.That(ErrorOf(Permit("a", $$"""{ "target": "warehouse", "exposure": {{exposure}} }""")), Does.Contain(what));

    [Test]
    public void A_test_of_a_policy_says_what_is_exposed()
    {
        PolicyDocument policy = Of(Permit("safe", """{ "target": "warehouse", "exposure": { "reusableAfterJob": false, "tiedToHuman": false } }"""));

        IReadOnlyList<PolicyTestResult> results = PolicyTests.Run(policy, """
            { "cases": [
              { "name": "safe", "request": { "target": "warehouse", "exposure": { "visibleToOperators": true } }, "expect": { "decision": "permit" } },
              { "name": "a person", "request": { "target": "warehouse", "exposure": { "tiedToHuman": true } }, "expect": { "decision": "deny" } },
              { "name": "not said", "request": { "target": "warehouse" }, "expect": { "decision": "permit" } } ] }
            """);

        Assert.That(results.Select(result => result.Difference), Is.All.Null);
    }

    [Test]
    public void Lint_finds_rules_that_say_it_the_wrong_way_round()
    {
        PolicyDocument policy = Of(Permit("exposed", $$"""{ "target": "warehouse", "issuer": "{{GitHub}}", "subject": "{{MainBranch}}", "exposure": { "tiedToHuman": true } }"""), Forbid("safe", """{ "exposure": { "visibleToOperators": false } }"""));

        Assert.That(PolicyLint.Check(policy, Now).Select(found => (found.Check, found.Rule, found.What)), Is.EqualTo(new[]
        {
            ("exposed", "exposed", "permits what is exposed, and not what is safe: exposure.tiedToHuman is true"),
            ("exposed", "safe", "forbids what is safe, and not what is exposed: exposure.visibleToOperators is false"),
        }));
    }

    [Test]
    public async Task An_issuer_that_cannot_revoke_is_denied_before_anything_is_sent([Values] bool revokes)
    {
        await using var issuer = new ScriptedIssuer(request => request.Path == "/revoke" ? ScriptedAnswer.Status(200) : ScriptedAnswer.Json(WireSamples.Answer()));
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((asked, _) => new(new SubjectToken(WireSamples.ProofFor(asked.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("warehouse", Targets.Rfc8693(issuer.Uri, o => (o.TokenEndpoint, o.RevocationEndpoint) = (new Uri(issuer.Uri, "/token"), revokes ? new Uri(issuer.Uri, "/revoke") : null)), "job")
            .EndOnSignals(false).Policy(Of(Permit("safe", """{ "target": "warehouse", "exposure": { "reusableAfterJob": false } }"""))));

        if (revokes)
        {
            await job.Provider<BearerToken>("warehouse").GetAsync();
            return;
        }
        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;
        Assert.That(denied.Message, Does.Contain("exposure.reusableAfterJob expected no, presented yes: no revocation endpoint is known"));
        Assert.That(issuer.Requests, Is.Empty);
    }

    [Test]
    public async Task Metadata_that_say_whether_an_issuer_revokes_are_read_before_a_policy_that_looks_at_it_decides()
    {
        await using EmulatedJob job = await EmulatedJob.StartAsync(more: b => b.Policy(Of(Permit("safe", """{ "target": "warehouse", "exposure": { "reusableAfterJob": false } }"""))));

        await job.Warehouse.GetAsync();

        Assert.That(job.Audit.Events.Single(one => one.Kind == AuditEventKind.Permitted).Exposure!.ReusableAfterJob.ToString(), Is.EqualTo(Revoked));
    }

    [Test]
    public async Task Who_is_behind_a_proof_is_told_of_a_target_and_of_those_that_go_through_it([Values] bool isAPersons)
    {
        var audit = new RecordingSink();
        var time = new ManualTimeProvider();
        await using JobSession job = await JobSession.StartAsync(b => b
            .Job(new JobContext { Environment = "Development" })
            .Identity("me", IdentitySources.From((request, _) => new(new SubjectToken(TestProofs.Jwt(time, request.Audience.ToString(), p => p[isAPersons ? "upn" : "x"] = "ann@acme.example"), SubjectTokenType.Jwt))), isAPersons ? ActsFor.PersonInDevelopment : ActsFor.Workload)
            .Target("warehouse", new TestExchanger(time), "me")
            .Target("orders", new TestExchanger(time), t => t.Through = "warehouse")
            .Audit(audit).Time(time).Jitter(() => 0).EndOnSignals(false)
            .Policy(Of(Permit("all", """{ "target": { "present": true } }"""), Forbid("no-humans", """{ "target": "orders", "exposure": { "tiedToHuman": true } }"""))));

        if (isAPersons)
            Assert.That(Assert.ThrowsAsync<AccessDeniedException>(() => job.Provider<BearerToken>("orders").GetAsync().AsTask())!.Message, Does.Contain("exposure.tiedToHuman is yes: the identity 'me' may be a person's: it is declared with ActsFor.PersonInDevelopment"));
        else
            await job.Provider<BearerToken>("orders").GetAsync();
        Assert.That(
            audit.Events.First(one => one.Target == "warehouse" && one.Kind == AuditEventKind.Issued).Exposure!.TiedToHuman.ToString(),
            Is.EqualTo(isAPersons ? "yes: the proof is a person's, let through for development" : "no: the configuration vouches that the proof is a workload's, which it does not show by itself"));
    }

    [Test]
    public async Task A_static_key_may_be_a_persons_whoever_reads_it()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(policy: [StaticKeyJob.Login, StaticKeyJob.Permit, Forbid("nobody-in-person", """{ "exposure": { "tiedToHuman": true } }""")]);

        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.CallAsync())!;

        Assert.That(denied.Message, Does.Contain("exposure.tiedToHuman is not known, which counts as yes: whose account a static key belongs to"));
        Assert.That(job.Reads, Is.Zero);
        Assert.That(job.Audit.Events.First(one => one.Target == "vault").Exposure!.TiedToHuman.IsYes, Is.False, "the login is the job's");
    }

    [Test]
    public async Task What_a_login_or_a_secret_turns_out_to_be_is_told_from_then_on()
    {
        await using VaultJob job = await VaultJob.StartAsync(path: "gcp/roleset/orders/token", shape: VaultSecretShape.GoogleToken);
        job.Role.GivesBatchTokens = true;

        await job.Database.GetAsync();

        Assert.That(ReusableOf("vault"), Is.EqualTo(BatchToken));
        Assert.That(ReusableOf("database"), Is.EqualTo("yes: what Vault gives at this path has no lease that could be revoked: a copy works until it dies by itself"));
        Assert.That(job.Audit.Events.Count(one => one.Kind == AuditEventKind.Permitted), Is.EqualTo(2), "who looks at no answer is not asked again");

        string ReusableOf(string target) => job.Audit.Events.Single(one => one.Target == target && one.Kind == AuditEventKind.Issued).Exposure!.ReusableAfterJob.ToString();
    }

    [Test]
    public async Task What_turns_out_to_outlive_the_job_is_decided_on_once_more_and_not_handed_out([Values] bool isForbidden)
    {
        await using VaultJob job = await VaultJob.StartAsync(more: b => b.Policy(Of(Permit("all", """{ "target": { "present": true } }"""), Forbid("outlives", $$"""{ "target": "{{(isForbidden ? "vault" : "warehouse")}}", "exposure": { "reusableAfterJob": true } }"""))));
        job.Role.GivesBatchTokens = true;

        if (!isForbidden)
        {
            await job.Login.GetAsync();
            return;
        }
        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.Login.GetAsync().AsTask())!;
        AccessDeniedException again = Assert.ThrowsAsync<AccessDeniedException>(() => job.Login.GetAsync().AsTask())!;

        Assert.That((denied.Rule, again.Rule), Is.EqualTo(("outlives", "outlives")));
        Assert.That(denied.Message, Does.Contain($"exposure.reusableAfterJob is {BatchToken}"));
        Assert.That(job.Requests(EmulatorEndpoint.VaultLogin), Is.EqualTo(1), "the next one is denied before");
        Assert.That(
            job.Audit.Events.Where(one => one.Target == "vault" && one.Kind != AuditEventKind.Failed).Select(one => one.Kind),
            Is.EqualTo(new[] { AuditEventKind.Attested, AuditEventKind.Permitted, AuditEventKind.Exchanging, AuditEventKind.Denied, AuditEventKind.Orphaned }), "it can't be ended, and nobody has it");
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(report.Leases.Single().End, Is.EqualTo(LeaseEnd.CannotBeRevoked));
    }

    [Test]
    public async Task What_turns_out_to_have_no_lease_is_decided_on_once_more_and_not_handed_out()
    {
        // A mount that is named as an engine that it is not.
        await using VaultJob job = await VaultJob.StartAsync(path: "azure/creds/load", shape: VaultSecretShape.GoogleToken, more: b => b.Policy(Of(Permit("safe", """{ "target": { "present": true }, "exposure": { "reusableAfterJob": false } }"""))));

        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.Database.GetAsync().AsTask())!;

        Assert.That(denied.Message, Does.Contain("exposure.reusableAfterJob expected no, presented yes: what Vault gives at this path has no lease"));
        Assert.That(job.Audit.Events.Count(one => one is { Target: "database", Kind: AuditEventKind.Orphaned }), Is.EqualTo(1));
    }

    [Test]
    public async Task An_issuer_that_refuses_to_revoke_is_known_for_one_from_then_on()
    {
        await using var issuer = new ScriptedIssuer(request => request.Path == "/revoke" ? ScriptedAnswer.Json("""{"error":"unsupported_token_type"}""", 400) : ScriptedAnswer.Json(WireSamples.Answer()));
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((asked, _) => new(new SubjectToken(WireSamples.ProofFor(asked.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("warehouse", Targets.Rfc8693(issuer.Uri, o => (o.TokenEndpoint, o.RevocationEndpoint) = (new Uri(issuer.Uri, "/token"), new Uri(issuer.Uri, "/revoke"))), "job")
            .EndOnSignals(false).Policy(Of(Permit("safe", """{ "target": "warehouse", "exposure": { "reusableAfterJob": false } }"""))));
        BearerToken token = await job.Provider<BearerToken>("warehouse").GetAsync();

        Assert.That(await job.RevokeCredentialAsync(token, "for a test"), Is.EqualTo(LeaseEnd.CannotBeRevoked));

        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;
        Assert.That(denied.Message, Does.Contain("presented yes: the issuer refuses to revoke such a token (unsupported_token_type): a copy works until it dies by itself"));
    }

    [Test]
    public async Task A_deny_is_heard_though_what_the_answers_depend_on_cannot_be_read()
    {
        var policy = new LookingPolicy();
        await using TestJob job = await TestJob.StartAsync(more: b => b.Policy(policy));
        BearerToken held = await job.Warehouse.GetAsync();
        job.Issuer.OnLearn = _ => throw new TokenExchangeException(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, "The issuer is away.") { IsTransient = true };
        policy.Denies = true;

        job.Time.Advance(TimeSpan.FromMinutes(45));
        Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(held), "its refresh is due");
        await job.QuietAsync();

        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(new[] { held }));
        Assert.That(Assert.ThrowsAsync<AccessDeniedException>(() => job.Warehouse.GetAsync().AsTask())!.Rule, Is.EqualTo("looks"));
    }

    [Test]
    public async Task A_deny_of_what_could_not_be_read_for_a_while_holds_for_a_while()
    {
        var policy = new LookingPolicy { Denies = true };
        await using TestJob job = await TestJob.StartAsync(more: b => b.Policy(policy));
        job.Issuer.OnLearn = _ => throw new TokenExchangeException(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, "The issuer is away.") { IsTransient = true };
        Assert.ThrowsAsync<AccessDeniedException>(() => job.Warehouse.GetAsync().AsTask());

        (job.Issuer.OnLearn, policy.Denies) = (null, false);   // the rules have not changed: what they go by has
        job.Time.Advance(TimeSpan.FromSeconds(11));

        Assert.That(await job.Warehouse.GetAsync(), Is.Not.Null);
    }

    [Test]
    public async Task A_read_that_hangs_is_given_up_and_the_policy_decides()
    {
        var reached = new TaskCompletionSource();
        var policy = new LookingPolicy { Denies = true };
        await using TestJob job = await TestJob.StartAsync(more: b => b.Policy(policy));
        job.Issuer.OnLearn = async cancellation =>
        {
            reached.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation);
        };
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await reached.Task;

        job.Time.Advance(TimeSpan.FromSeconds(10));

        Assert.ThrowsAsync<AccessDeniedException>(() => asking);
    }

    [Test]
    public async Task Metadata_that_cannot_be_read_count_as_a_yes_and_the_policy_decides()
    {
        await using var issuer = new ScriptedIssuer(ScriptedAnswer.Status(404));
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((asked, _) => new(new SubjectToken(WireSamples.ProofFor(asked.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("warehouse", Targets.Rfc8693(issuer.Uri), "job")
            .EndOnSignals(false).Policy(Of(Permit("safe", """{ "target": "warehouse", "exposure": { "reusableAfterJob": false } }"""))));

        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;

        Assert.That(denied.Message, Does.Contain("presented not known, which counts as yes: whether the issuer revokes: its metadata, which say it, have not been read"));
    }

    [Test]
    public async Task A_person_who_acts_at_an_earlier_hop_is_told_of_every_target_behind_it()
    {
        var audit = new RecordingSink();
        var time = new ManualTimeProvider();
        await using JobSession job = await JobSession.StartAsync(b => b
            .Job(new JobContext { Environment = "Development" })
            .Identity("job", TestProofs.Source(time), ActsFor.Workload)
            .Identity("ann", IdentitySources.From((request, _) => new(new SubjectToken(TestProofs.Jwt(time, request.Audience.ToString(), p => p["upn"] = "ann@acme.example"), SubjectTokenType.Jwt))), ActsFor.PersonInDevelopment)
            .Target("account", new TestExchanger(time), "job")
            .Target("team", new TestExchanger(time), t => (t.Through, t.Actor) = ("account", "ann"))
            .Target("warehouse", new TestExchanger(time), t => t.Through = "team")
            .Audit(audit).Time(time).Jitter(() => 0).EndOnSignals(false)
            .Policy(Of(Permit("all", """{ "target": { "present": true } }"""), Forbid("no-humans", """{ "target": "warehouse", "exposure": { "tiedToHuman": true } }"""))));

        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;

        Assert.That(denied.Message, Does.Contain("exposure.tiedToHuman is yes: the identity 'ann' may be a person's: it is declared with ActsFor.PersonInDevelopment"));
        Assert.That(audit.Events.First(one => one.Target == "team").Exposure!.TiedToHuman.ToString(), Is.EqualTo("yes: the proof is a person's, let through for development"));
        Assert.That(audit.Events.First(one => one.Target == "account").Exposure!.TiedToHuman.IsYes, Is.False);
    }

    [TestCase("""{ "target": "warehouse", "exposure": { "visibleToOperators": false } }""", null, true)]
    [TestCase("""{ "target": "warehouse" }""", """{ "target": "warehouse", "exposure": { "visibleToOperators": true } }""", true)]
    [TestCase("""{ "target": "warehouse" }""", """{ "exposure": { "visibleToOperators": true, "reusableAfterJob": true } }""", true)]
    [TestCase("""{ "target": "warehouse" }""", """{ "target": "orders", "exposure": { "visibleToOperators": true } }""", false)]
    [TestCase("""{ "target": "warehouse" }""", """{ "job": { "environment": "production" }, "exposure": { "visibleToOperators": true } }""", false)]
    [TestCase("""{ "target": "warehouse" }""", """{ "exposure": { "visibleToOperators": true }, "time": { "days": [ "sun" ] } }""", false)]
    [TestCase("""{ "target": "warehouse" }""", """{ "exposure": { "visibleToOperators": true, "tiedToHuman": true } }""", false)]
    [TestCase("""{ "target": "warehouse", "exposure": { "tiedToHuman": false } }""", null, false)]
    public async Task A_target_that_its_exposure_shuts_out_is_told_at_the_start(string permit, string? forbid, bool isTold)
    {
        using var log = new LoggedText();
        var time = new ManualTimeProvider();
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload).Target("warehouse", new TestExchanger(time), "job").Time(time).Logging(log).EndOnSignals(false)
            .Policy(Of([Permit("rule-a", permit), .. forbid is null ? Array.Empty<string>() : [Forbid("rule-b", forbid)]])));

        Assert.That(log.Text, isTold ? Does.Contain($"warehouse will be denied: exposure.{(forbid?.Contains("reusable", StringComparison.Ordinal) ?? false ? "reusableAfterJob is not known, which counts as yes: whether" : "visibleToOperators is not known, which counts as yes: who else")}").And.Contain($"(rules {(forbid is null ? "rule-a" : "rule-b")})") : Does.Not.Contain("will be denied"));
    }

    [TestCase("a permit that does not look at it", "", """{ "name": "other", "effect": "permit", "when": { "target": "warehouse" } }""")]
    [TestCase("a document that only observes", """ "mode": "observe", """, null)]
    public async Task Nothing_is_told_of_what_is_let_in_all_the_same(string by, string mode, string? other)
    {
        using var log = new LoggedText();
        var time = new ManualTimeProvider();
        string rules = string.Join(",", new[] { Permit("safe", """{ "target": "warehouse", "exposure": { "visibleToOperators": false } }"""), other }.Where(rule => rule is not null));
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload).Target("warehouse", new TestExchanger(time), "job").Time(time).Logging(log).EndOnSignals(false)
            .Policy(PolicyDocument.Parse($$"""{ "version": 1, "revision": 1, {{mode}} "rules": [ {{rules}} ] }""")));

        Assert.That(log.Text, Does.Not.Contain("will be denied"), by);
    }

    [Test]
    public async Task Nothing_is_told_of_what_the_issuers_metadata_may_still_say([Values] bool isConfigured)
    {
        using var log = new LoggedText();
        var issuer = new Uri("https://issuer.example");
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload).Target("warehouse", Targets.Rfc8693(issuer, o => o.TokenEndpoint = isConfigured ? new Uri(issuer, "/token") : null), "job").Logging(log).EndOnSignals(false)
            .Policy(Of(Permit("safe", """{ "target": "warehouse", "exposure": { "reusableAfterJob": false } }"""))));

        Assert.That(log.Text, isConfigured ? Does.Contain("warehouse will be denied: exposure.reusableAfterJob is yes: no revocation endpoint is known") : Does.Not.Contain("will be denied"));
    }

    [Test]
    public async Task The_answers_stand_in_the_log_of_the_start_in_health_and_in_the_audit()
    {
        var logged = new LoggedText();
        var services = new Services();
        await using ServiceProvider container = services.Build(more => more.AddLogging().AddSingleton<Microsoft.Extensions.Logging.ILoggerFactory>(logged).AddHealthChecks().AddTokenExchange());
        JobSession job = container.GetRequiredService<JobSession>();
        HealthReport report = await container.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        await job.Provider<BearerToken>("warehouse").GetAsync();

        Assert.That(logged.Text, Does.Contain("warehouse gives what is reusable after the job: not known, which counts as yes: whether the exchanger ends a credential before its time; visible to operators: not known, which counts as yes: who else can see the credential; tied to a human: no: the configuration vouches that the identity 'job' is a workload's"));
        Assert.That(report.Entries["token-exchange:warehouse"].Data["tiedToHuman"], Is.EqualTo("no: the configuration vouches that the identity 'job' is a workload's"));
        Assert.That(report.Entries["token-exchange:warehouse"].Data["reusableAfterJob"], Does.StartWith("not known, which counts as yes: "));
        Assert.That(services.Audit.Events.Where(one => one.Target == "warehouse").Select(one => one.Exposure?.ToString()), Is.All.EqualTo("reusable after the job: not known (counts as yes), visible to operators: not known (counts as yes), tied to a human: no"));
    }

    /// <summary>A policy that looks at the answers, pushes nothing, and does what the test says.</summary>
    private sealed class LookingPolicy : IAccessPolicy, IExposurePolicy
    {
        public bool Denies { get; set; }

        public string Revision => "1";

        public bool LooksAtExposure => true;

        public ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken) => new(Denies ? AccessDecision.Deny("looks", "for a test") : AccessDecision.Permit("looks"));

        public Microsoft.Extensions.Primitives.IChangeToken GetChangeToken() => new Microsoft.Extensions.Primitives.CancellationChangeToken(CancellationToken.None);
    }

    private static AccessRequest Asking(string? exposed)
    {
        AccessRequest plain = Request();
        return new AccessRequest
        {
            Target = plain.Target, TargetIssuer = plain.TargetIssuer, Subject = plain.Subject, SubjectIssuer = plain.SubjectIssuer, Scopes = plain.Scopes, Job = plain.Job, Claims = plain.Claims, MaxLifetime = plain.MaxLifetime, At = plain.At,
            Exposure = new CredentialExposure(Answer("reusableAfterJob"), Answer("visibleToOperators"), Answer("tiedToHuman")),
        };

        ExposureAnswer Answer(string question) => question == exposed ? ExposureAnswer.Yes("for a test") : ExposureAnswer.No("for a test");
    }
}
