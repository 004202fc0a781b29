using System.Text.Json;
using Nhi.TokenExchange.Tests.Exchange;
using static Nhi.TokenExchange.Tests.Policy.Policies;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>A static key is permitted in so many words, or not at all.</summary>
internal sealed class StaticKeyRuleTests
{
    private static readonly StaticKeyUse Key = new() { Owner = "Billing team", Until = Now.AddDays(90), Secret = "secret/data/legacy/billing#value" };

    private static AccessRequest Asked(bool isStatic = true, string target = "billing", DateTimeOffset? at = null) => new()
    {
        Target = target, TargetIssuer = "https://vault.example/", Job = new JobContext(), SubjectIssuer = GitHub, Subject = MainBranch, Claims = new Dictionary<string, string>(), Scopes = ScopeSet.Empty,
        MaxLifetime = TimeSpan.FromMinutes(15), At = at ?? Now, StaticKey = isStatic ? Key : null,
    };

    [TestCase("""{ "target": "billing" }""")]
    [TestCase("""{ "target": { "present": true } }""")]
    [TestCase("""{ "targetIssuer": { "glob": "https://**" } }""")]
    public void A_permit_that_does_not_say_static_permits_no_static_key_however_wide_it_is(string when)
    {
        AccessDecision decision = Of(Permit("wide", when)).Decide(Asked());

        Assert.That(decision.IsPermitted, Is.False);
        Assert.That(decision.Reason, Does.Contain("static expected \"static\": true in the rule, presented a static key"));
    }

    [Test]
    public void Not_even_a_permit_for_everybody_does()
    {
        PolicyDocument policy = Of("""{ "name": "all", "effect": "permit", "any": true, "reason": "A sandbox." }""");

        Assert.That(policy.Decide(Asked()).IsPermitted, Is.False);
        Assert.That(policy.Decide(Asked(isStatic: false)).IsPermitted, Is.True);
        Assert.That(PolicyLint.Check(policy, Now).Select(one => one.Check), Is.EqualTo(["everybody"]));
    }

    [Test]
    public void A_permit_that_says_static_permits_the_key_and_nothing_that_is_issued()
    {
        PolicyDocument policy = Of(Permit("key", """{ "target": "billing", "static": true }"""));

        Assert.That(policy.Decide(Asked()).Rule, Is.EqualTo("key"));
        AccessDecision issued = policy.Decide(Asked(isStatic: false));
        Assert.That((issued.IsPermitted, issued.Reason), Is.EqualTo((false, "no rule permits it; nearest is 'key': static expected a static key, presented a credential that is issued")));
    }

    [Test]
    public void A_forbid_takes_static_keys_away_that_others_permit_and_leaves_what_is_issued()
    {
        PolicyDocument policy = Of(Permit("key", """{ "target": "billing", "static": true, "subject": "x" }"""), Permit("other", """{ "target": { "anyOf": [ "billing" ] } }"""), Permit("mine", $$"""{ "target": "billing", "static": true, "subject": "{{MainBranch}}" }"""),
            Forbid("none", """{ "static": true, "job": { "environment": { "noneOf": [ "legacy" ] } } }"""));

        Assert.That(policy.Decide(Asked()).Rule, Is.EqualTo("none"));
        Assert.That(policy.Decide(Asked()).Reason, Does.Contain("static is a static key"));
        Assert.That(policy.Decide(Asked(isStatic: false)).Rule, Is.EqualTo("other"));
    }

    [Test]
    public void A_document_that_only_observes_decides_on_static_keys_all_the_same()
    {
        PolicyDocument policy = PolicyDocument.Parse("""{ "version": 1, "revision": 1, "mode": "observe", "rules": [ { "name": "key", "effect": "permit", "when": { "target": "billing", "static": true } } ] }""");

        Assert.That((policy.Decide(Asked()).IsPermitted, policy.Decide(Asked(target: "mail")).IsPermitted, policy.Decide(Asked(isStatic: false, target: "mail")).IsPermitted), Is.EqualTo((true, false, true)));
    }

    [TestCase("""{ "static": true }""", "permits static keys and does not name the targets")]
    [TestCase("""{ "static": true, "target": { "glob": "legacy/*" } }""", "permits static keys and does not name the targets")]
    [TestCase("""{ "static": true, "target": { "present": true } }""", "permits static keys and does not name the targets")]
    [TestCase("""{ "static": false, "target": "billing" }""", "is false, which says nothing")]
    [TestCase("""{ "static": "true", "target": "billing" }""", "Write true or false, without quotes")]
    public void A_permit_of_static_keys_names_its_targets_and_says_true(string when, string said)
    {
        TokenExchangeException refused = Assert.Throws<TokenExchangeException>(() => Of(Permit("key", when)))!;

        Assert.That(refused.Message, Does.Contain(said));
        using JsonDocument document = JsonDocument.Parse(Text(1, Permit("key", when)));
        Assert.That(Json.Schema.JsonSchema.FromText(File.ReadAllText(Path.Combine(Repository.Root, "src/Nhi.TokenExchange/PolicySchema.json"))).Evaluate(document.RootElement).IsValid, Is.False, "the schema says so too");
    }

    [Test]
    public void Lint_asks_for_an_end_and_tests_of_a_policy_can_ask_for_a_static_key()
    {
        string who = $"\"issuer\": \"{GitHub}\", \"subject\": \"{MainBranch}\"";
        PolicyDocument open = Of(Permit("key", $$"""{ "target": "billing", "static": true, {{who}} }""")), dated = Of(Permit("key", $$"""{ "target": "billing", "static": true, {{who}}, "time": { "notAfter": "2026-12-31T00:00:00Z" } }"""));

        Assert.That(PolicyLint.Check(open, Now).Select(one => one.Check), Is.EqualTo(["static-key"]));
        Assert.That(PolicyLint.Check(dated, Now), Is.Empty);
        Assert.That(PolicyTests.Run(open, """
            { "cases": [ { "name": "the key", "request": { "target": "billing", "static": true, "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:acme/orders:ref:refs/heads/main" }, "expect": { "decision": "permit", "rule": "key" } },
                         { "name": "a credential", "request": { "target": "billing" }, "expect": { "decision": "deny", "rule": "default-deny" } } ] }
            """).Select(one => one.Difference), Is.All.Null);
    }

    [Test]
    public async Task A_wildcard_permits_no_static_key_in_a_running_job_and_the_start_says_so()
    {
        using var log = new LoggedText();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(policy: [Permit("wide", """{ "target": { "present": true } }""")], more: b => b.Logging(log));

        Assert.That(() => job.CallAsync(), Throws.TypeOf<AccessDeniedException>());
        Assert.That((job.Reads, job.Service.Requests.Count), Is.EqualTo((0, 0)));
        Assert.That(log.Text, Does.Contain("it has a static key, and the rule for it has to say \"static\": true"));
    }

    [Test]
    public async Task A_policy_in_code_that_permits_everything_permits_no_static_key_until_it_says_so()
    {
        var time = new ManualTimeProvider();
        var policy = new TestPolicy();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time, more: b => b.Policy(policy));

        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.CallAsync())!;
        Assert.That((denied.Rule, job.Reads, job.Service.Requests.Count), Is.EqualTo(("all", 0, 0)));
        Assert.That(denied.Message, Does.Contain("a static key is permitted in so many words alone"));
        Assert.That(job.Audit.Events.Single(one => one.Kind == AuditEventKind.Denied).Target, Is.EqualTo("billing"));
        Assert.That((await job.Session.Provider<BearerToken>("vault").GetAsync()).Fingerprint, Is.Not.Empty, "what is issued wants no such word");

        policy.Decide = _ => AccessDecision.Permit("all", permitsStaticKey: true);
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.That(await job.CallAsync(), Is.EqualTo(200));
    }

    [Test]
    public async Task A_decision_point_that_says_no_more_of_static_keys_takes_the_key_away_and_its_older_yes_is_forgotten()
    {
        var time = new ManualTimeProvider();
        await using var point = new ScriptedIssuer(ScriptedAnswer.Json("""{"result":{"allow":true,"static_key":true,"holds_for_seconds":7200}}"""));
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time, more: b => b.Policy(AccessPolicies.Opa(point.Uri, "tokens/decision")));
        Assert.That(await job.CallAsync(), Is.EqualTo(200));
        point.Respond = _ => ScriptedAnswer.Json("""{"result":{"allow":true}}""");

        time.Advance(TimeSpan.FromMinutes(8));
        await job.CallAsync();
        await job.QuietAsync();
        Assert.That(() => job.CallAsync(), Throws.TypeOf<AccessDeniedException>());
        time.Advance(TimeSpan.FromSeconds(11));
        Assert.That(() => job.CallAsync(), Throws.TypeOf<AccessDeniedException>());

        Assert.That(job.Reads, Is.EqualTo(1));
    }

    [Test]
    public async Task A_decision_point_whose_lasting_yes_says_nothing_of_static_keys_is_asked_again_after_ten_seconds()
    {
        var time = new ManualTimeProvider();
        await using var point = new ScriptedIssuer(ScriptedAnswer.Json("""{"result":{"allow":true,"holds_for_seconds":28800}}"""));
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time, more: b => b.Policy(AccessPolicies.Opa(point.Uri, "tokens/decision")));
        Assert.That(() => job.CallAsync(), Throws.TypeOf<AccessDeniedException>());
        int asked = point.Requests.Count;
        point.Respond = _ => ScriptedAnswer.Json("""{"result":{"allow":true,"static_key":true}}""");
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.That(() => job.CallAsync(), Throws.TypeOf<AccessDeniedException>());
        Assert.That(point.Requests, Has.Count.EqualTo(asked), "not before");
        time.Advance(TimeSpan.FromSeconds(2));

        Assert.That(await job.CallAsync(), Is.EqualTo(200), "the rule was put right");
    }

    [TestCase("""{"result":{"allow":true}}""", false)]
    [TestCase("""{"result":true}""", false)]
    [TestCase("""{"result":{"allow":true,"static_key":false}}""", false)]
    [TestCase("""{"result":{"allow":true,"static_key":true}}""", true)]
    public async Task A_remote_decision_point_is_told_of_the_key_and_permits_it_in_so_many_words(string answer, bool isPermitted)
    {
        await using var point = new ScriptedIssuer(ScriptedAnswer.Json(answer));
        IAccessPolicy policy = AccessPolicies.Opa(point.Uri, "tokens/decision");

        AccessDecision decision = await policy.DecideAsync(Asked(), CancellationToken.None);
        AccessDecision issued = await policy.DecideAsync(Asked(isStatic: false), CancellationToken.None);

        Assert.That((decision.IsPermitted, decision.PermitsStaticKey, issued.IsPermitted), Is.EqualTo((true, isPermitted, true)));
        using JsonDocument asked = JsonDocument.Parse(point.Requests[0].Body), other = JsonDocument.Parse(point.Requests[1].Body);
        JsonElement wish = asked.RootElement.GetProperty("input").GetProperty("action").GetProperty("properties").GetProperty("static_key");
        Assert.That((wish.GetProperty("owner").GetString(), wish.GetProperty("until").GetDateTimeOffset(), wish.GetProperty("secret").GetString()), Is.EqualTo((Key.Owner, Key.Until, Key.Secret)));
        Assert.That(other.RootElement.GetProperty("input").GetProperty("action").GetProperty("properties").TryGetProperty("static_key", out _), Is.False);
    }
}
