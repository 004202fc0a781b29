using static Nhi.TokenExchange.Tests.Policy.Policies;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>What a document decides: default deny, forbid wins, the limits of all permits that match hold together.</summary>
public class PolicyDocumentTests
{
    private const string OrdersLoad = """{ "name": "orders-load", "effect": "permit", "when": { "target": "warehouse", "issuer": "https://token.actions.githubusercontent.com", "subject": "repo:acme/orders:ref:refs/heads/main", "job": { "dataset": { "anyOf": [ "orders", "returns" ] } } } }""";

    [Test]
    public void No_rule_permits_nothing()
    {
        AccessDecision decision = Of().Decide(Request());

        Assert.That((decision.IsPermitted, decision.Rule, decision.Reason), Is.EqualTo((false, "default-deny", "no rule of the policy permits anything")));
    }

    [Test]
    public async Task A_permit_that_matches_permits_under_its_name()
    {
        AccessDecision decision = await Of(OrdersLoad).DecideAsync(Request());

        Assert.That((decision.IsPermitted, decision.Rule), Is.EqualTo((true, "orders-load")));
        Assert.That((decision.Scopes, decision.MaxLifetime, decision.HoldsUntil, decision.RefuseLongerLife), Is.EqualTo(((ScopeSet?)null, (TimeSpan?)null, (DateTimeOffset?)null, false)));
    }

    [Test]
    public void A_denial_names_the_nearest_permit_with_claim_expected_and_presented()
    {
        AccessDecision decision = Of(OrdersLoad, Permit("far", """{ "target": "warehouse", "subject": "a", "tenant": "b" }""")).Decide(Request(job: new JobContext { Dataset = "payments" }));

        Assert.That(decision.Rule, Is.EqualTo("default-deny"));
        Assert.That(decision.Reason, Is.EqualTo("no rule permits it; nearest is 'orders-load': job.dataset expected 'orders' or 'returns', presented 'payments'"));
    }

    [Test]
    public void A_denial_shows_where_two_values_that_look_alike_differ()
    {
        AccessDecision decision = Of(OrdersLoad).Decide(Request(subject: MainBranch.Replace("main", "Main", StringComparison.Ordinal)));

        Assert.That(decision.Reason, Does.Contain("presented 'repo:acme/orders:ref:refs/heads/Main' (they first differ at character 33)"));
    }

    [Test]
    public void Presented_values_can_neither_move_a_cursor_nor_pass_for_others_nor_leak_a_token()
    {
        string token = TestProofs.Jwt(new ManualTimeProvider(), "https://issuer.test/");
        AccessDecision look = Of(OrdersLoad).Decide(Request(job: new JobContext { Dataset = "\u043erders\u001b[2J\n" }));
        AccessDecision leak = Of(OrdersLoad).Decide(Request(job: new JobContext { Dataset = token }));

        Assert.That(look.Reason, Does.Contain("""presented '\u043erders\u001b[2J\u000a'"""));
        Assert.That(leak.Reason, Does.Not.Contain(token[..20]).And.Contain("[redacted]"));
    }

    [Test]
    public void A_forbid_wins_and_says_what_it_found()
    {
        AccessDecision decision = Of(OrdersLoad, """{ "name": "no-orders", "effect": "forbid", "reason": "Audit of 2026.", "when": { "job": { "dataset": "orders" } } }""").Decide(Request());

        Assert.That((decision.IsPermitted, decision.Rule), Is.EqualTo((false, "no-orders")));
        Assert.That(decision.Reason, Is.EqualTo("job.dataset is 'orders', expected other than 'orders' (Audit of 2026)"));
    }

    [Test]
    public void The_limits_of_all_permits_that_match_hold_together()
    {
        PolicyDocument policy = Of(
            Permit("b", """{ "target": "warehouse" }""", """{ "longestHandOut": "00:30:00", "scopes": [ "sql", "files" ] }"""),
            Permit("a", """{ "job": { "dataset": "orders" } }""", """{ "longestHandOut": "00:10:00", "scopes": [ "sql", "jobs" ], "refuseLongerLife": true }"""),
            Permit("c", """{ "job": { "dataset": "payments" } }""", """{ "longestHandOut": "00:01:00" }"""));

        AccessDecision decision = policy.Decide(Request(scopes: "sql files jobs"));

        Assert.That((decision.IsPermitted, decision.Rule), Is.EqualTo((true, "a, b")));
        Assert.That((decision.MaxLifetime, decision.Scopes.ToString(), decision.RefuseLongerLife), Is.EqualTo(((TimeSpan?)TimeSpan.FromMinutes(10), "sql", true)));
    }

    [Test]
    public void The_order_of_the_rules_says_nothing()
    {
        string[] rules = [Permit("b", """{ "target": "warehouse" }"""), Permit("a", """{ "target": { "anyOf": [ "warehouse", "lake" ] } }""", """{ "scopes": [ "sql" ] }"""), Forbid("d", """{ "job": { "purpose": "load" } }"""), Forbid("c", """{ "job": { "dataset": "orders" } }""")];

        string[] denied = [.. new[] { rules, [.. rules.Reverse()] }.Select(order => Of(order).Decide(Request()).Rule)];
        string[] permitted = [.. new[] { rules, [.. rules.Reverse()] }.Select(order => Of(order).Decide(Request(job: new JobContext())).Rule)];

        Assert.That(denied, Is.EqualTo(["c", "c"]));
        Assert.That(permitted, Is.EqualTo(["a, b", "a, b"]));
    }

    [Test]
    public void Scopes_are_narrowed_to_what_is_asked_for_and_listed()
    {
        PolicyDocument policy = Of(Permit("narrow", """{ "target": "warehouse" }""", """{ "scopes": [ "sql" ] }"""));

        Assert.That(policy.Decide(Request(scopes: "sql files")).Scopes.ToString(), Is.EqualTo("sql"));
        Assert.That(policy.Decide(Request(scopes: null)).Scopes.ToString(), Is.EqualTo("sql"), "where the issuer would choose, the list is asked for");
        AccessDecision none = policy.Decide(Request(scopes: "files"));
        Assert.That((none.IsPermitted, none.Rule, none.Reason), Is.EqualTo((false, "narrow", "scopes expected one of 'sql', presented 'files'")));
    }

    [TestCase("subject", "job.run", """{ "job": { "run": "7" } }""")]
    [TestCase("claims", "claims.environment", """{ "claims": { "environment": "production" } }""")]
    [TestCase("present", "claims.environment", """{ "claims": { "environment": { "present": true } } }""")]
    [TestCase("glob", "tenant", """{ "tenant": { "glob": "acme/*" } }""")]
    [TestCase("scopes", "scopes", """{ "scopes": { "within": [ "sql" ] } }""")]
    public void What_is_absent_satisfies_no_permit(string kind, string name, string when)
    {
        AccessDecision decision = Of(Permit("wants", when)).Decide(Request(scopes: null));

        Assert.That(decision.IsPermitted, Is.False, kind);
        Assert.That(decision.Reason, Does.Contain($"{name} expected ").And.Match("presented (nothing|none \\(the issuer would choose\\))"));
    }

    [TestCase("""{ "claims": { "environment": "production" } }""", false)]
    [TestCase("""{ "claims": { "environment": { "glob": "production/*" } } }""", false)]
    [TestCase("""{ "claims": { "environment": { "noneOf": [ "production" ] } } }""", true)]
    [TestCase("""{ "claims": { "environment": { "present": false } } }""", true)]
    [TestCase("""{ "scopes": { "anyOf": [ "sql" ] } }""", false)]
    [TestCase("""{ "scopes": { "within": [ "sql" ] } }""", false)]
    [TestCase("""{ "scopes": { "beyond": [ "sql" ] } }""", true)]
    public void What_is_absent_is_forbidden_by_noneOf_beyond_and_present_false_alone(string when, bool isForbidden)
    {
        PolicyDocument policy = Of(Permit("all", """{ "target": "warehouse" }"""), Forbid("some", when));

        Assert.That(policy.Decide(Request(scopes: null)).IsPermitted, Is.EqualTo(!isForbidden));
    }

    [Test]
    public void An_empty_value_counts_as_absent()
    {
        PolicyDocument policy = Of(Permit("any-subject", """{ "subject": { "present": true } }"""));

        Assert.That(policy.Decide(Request(subject: "")).Reason, Does.EndWith("subject expected any value, presented nothing"));
    }

    [Test]
    public void A_permit_may_demand_that_facts_are_attested_and_something_is_exchanged()
    {
        PolicyDocument policy = Of(Permit("strict", """{ "job": { "pipeline": "orders-nightly" } }""", """{ "attestedOnly": [ "pipeline", "run" ], "notPlatformIssued": true }"""));

        Assert.That(policy.Decide(Request(attested: JobFacts.Pipeline | JobFacts.Run | JobFacts.Task)).IsPermitted, Is.True);
        Assert.That(policy.Decide(Request(attested: JobFacts.Pipeline)).Reason, Does.EndWith("attestedOnly expected pipeline, run attested by the proof, presented pipeline attested"));
        Assert.That(policy.Decide(Request(attested: JobFacts.Pipeline | JobFacts.Run, isPlatformIssued: true)).Reason, Does.EndWith("notPlatformIssued expected an exchange, presented the platform's own token, which nobody can shorten or end"));
    }

    [Test]
    public void Rules_of_other_targets_and_of_every_target_are_told_apart()
    {
        PolicyDocument policy = Of(
            Permit("lake", """{ "target": "lake" }"""), Permit("of-any", """{ "target": { "glob": "team/*" } }"""), Forbid("nowhere", """{ "target": { "noneOf": [ "lake", "team/a" ] } }"""));

        Assert.That(policy.Decide(Request("lake")).Rule, Is.EqualTo("lake"));
        Assert.That(policy.Decide(Request("team/a")).Rule, Is.EqualTo("of-any"));
        Assert.That(policy.Decide(Request("team/b")).Rule, Is.EqualTo("nowhere"));
        Assert.That(policy.Decide(Request("warehouse")).Rule, Is.EqualTo("nowhere"));
    }

    [Test]
    public void The_revision_carries_the_digest_of_the_bytes()
    {
        string text = Text(7, OrdersLoad);

        Assert.That(PolicyDocument.Parse(text).Revision, Does.Match("^7\\+sha256:[0-9a-f]{64}$"));
        Assert.That(PolicyDocument.Parse(text + "\n").Revision, Is.Not.EqualTo(PolicyDocument.Parse(text).Revision));
        Assert.That(PolicyDocument.Parse(text).GetChangeToken().HasChanged, Is.False);
    }

    [Test]
    public void A_document_that_observes_permits_as_it_is_asked_and_says_what_it_would_decide()
    {
        string text = Text(1, Permit("narrow", """{ "job": { "dataset": "orders" } }""", """{ "scopes": [ "sql" ], "longestHandOut": "00:10:00", "refuseLongerLife": true, "senderConstrained": true }"""));
        PolicyDocument policy = PolicyDocument.Parse(text.Replace("\"revision\"", "\"mode\": \"observe\", \"revision\"", StringComparison.Ordinal));

        AccessDecision permitted = policy.Decide(Request(scopes: "sql files")), denied = policy.Decide(Request(job: new JobContext()));

        Assert.That((policy.IsObserved, permitted.IsPermitted, denied.IsPermitted), Is.EqualTo((true, true, true)));
        Assert.That((permitted.Scopes, permitted.MaxLifetime, permitted.RefuseLongerLife, permitted.SenderConstrained), Is.EqualTo(((ScopeSet?)null, (TimeSpan?)null, false, false)));
        Assert.That((permitted.Rule, permitted.Reason), Is.EqualTo(("narrow", "would permit scopes 'sql', a hand-out of 00:10:00, no longer life, a sender-constrained credential")));
        Assert.That((denied.Rule, denied.Reason), Is.EqualTo(("default-deny", "would deny: no rule permits it; nearest is 'narrow': job.dataset expected 'orders', presented nothing")));
    }

    [TestCase("s3:*", true)]
    [TestCase("S3:delete*", true)]
    [TestCase("s3:deleteobject", true)]
    [TestCase("S3:DELETEOBJECT", true)]
    [TestCase("*", true)]
    [TestCase("s3:Delete?bject", true)]
    [TestCase("s3:Delete?Object", false)]
    [TestCase("s3:DeleteObjects", false)]
    [TestCase("s3:Get*", false)]
    [TestCase("all-apis", true)]
    [TestCase("https://www.googleapis.com/auth/cloud-platform", true)]
    [TestCase("all-apis-of-ours", false)]
    public void A_forbid_of_a_scope_matches_who_asks_for_one_that_contains_it(string asked, bool isForbidden)
    {
        PolicyDocument policy = Of(Permit("all", """{ "target": "warehouse" }"""), Forbid("no-deletes", """{ "scopes": { "anyOf": [ "s3:DeleteObject" ] } }"""));

        Assert.That(policy.Decide(Request(scopes: asked)).IsPermitted, Is.Not.EqualTo(isForbidden));
    }

    // What is asked for, what the limit lists, and what both have in common; null for nothing.
    [TestCase("all-apis", "sql", "sql")]
    [TestCase("sql", "all-apis", "sql")]
    [TestCase("all-apis", "all-apis sql", "all-apis")]
    [TestCase("s3:*", "s3:Get* s3:PutObject", "s3:Get* s3:PutObject")]
    [TestCase("s3:GetObject s3:PutObject", "s3:Get*", "s3:GetObject")]
    [TestCase("s3:GetObject s3:Put*", "s3:Get* s3:PutObject", "s3:GetObject s3:PutObject")]
    [TestCase("s3:getobject", "s3:GetObject", "s3:getobject")]
    [TestCase("*", "s3:Get*", "s3:Get*")]
    [TestCase("s3:Get?", "s3:Get*", "s3:Get?")]
    [TestCase("s3:Get??", "s3:Get*", "s3:Get??")]
    [TestCase("s3:?et*", "s3:Get*", "s3:Get*")]
    [TestCase("s3:Get*", "s3:Get?", "s3:Get?")]
    [TestCase("s3:*Object", "s3:Get*Object", "s3:Get*Object")]
    [TestCase("s3:*Object", "s3:Get*", null)]
    [TestCase("s3:a*b*c", "s3:aXbYbZc", "s3:aXbYbZc")]
    [TestCase("read", "READ", null)]
    public void Of_scopes_that_contain_others_what_the_request_and_the_limits_have_in_common_is_left(string asked, string listed, string? left)
    {
        string limits = $$"""{ "scopes": [ "{{listed.Replace(" ", "\", \"", StringComparison.Ordinal)}}" ] }""";
        PolicyDocument policy = Of(Permit("limited", """{ "target": "warehouse" }""", limits));

        AccessDecision decision = policy.Decide(Request(scopes: asked));

        Assert.That(decision.IsPermitted ? decision.Scopes.ToString() : null, Is.EqualTo(left));
    }

    [TestCase("s3:Get*", "s3:GetObject", "s3:GetObject")]
    [TestCase("s3:GetObject", "s3:Get*", "s3:GetObject")]
    [TestCase("all-apis", "sql", "sql")]
    [TestCase("s3:GetObject", "s3:getobject", "s3:GetObject")]
    public void Two_permits_for_the_same_leave_what_the_scopes_of_one_contain_of_the_others(string one, string other, string left)
    {
        PolicyDocument policy = Of(Permit("a", """{ "target": "warehouse" }""", $$"""{ "scopes": [ "{{one}}" ] }"""), Permit("b", """{ "target": "warehouse" }""", $$"""{ "scopes": [ "{{other}}" ] }"""));

        Assert.That(policy.Decide(Request(scopes: left)).Scopes.ToString(), Is.EqualTo(left));
    }

    [Test]
    public void Permits_for_different_subjects_are_not_held_against_each_other_detail_by_detail()
    {
        string[] permits = [.. Enumerable.Range(0, 400).Select(i => Permit($"p{i}", $$"""{ "subject": "job-{{i}}" }""", $$"""{ "authorizationDetails": [ { "type": "sql", "table": "t{{i}}" } ] }"""))];
        string text = Text(1, permits);
        PolicyDocument.Parse(text);
        long before = GC.GetAllocatedBytesForCurrentThread();

        PolicyDocument.Parse(text);

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(20_000 * permits.Length), "bytes: some for each permit, none for each pair");
    }

    [Test]
    public void A_permit_of_a_scope_that_contains_others_may_leave_one_of_those()
    {
        PolicyDocument policy = Of(Permit("less", """{ "target": "warehouse", "scopes": { "within": [ "all-apis" ] } }""", """{ "scopes": [ "sql" ] }"""));

        Assert.That(policy.Decide(Request(scopes: "all-apis")).Scopes.ToString(), Is.EqualTo("sql"));
    }
}
