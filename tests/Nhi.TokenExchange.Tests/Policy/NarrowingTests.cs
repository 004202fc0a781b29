using static Nhi.TokenExchange.Tests.Policy.Policies;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>What a document leaves of resources and authorization details, and when nothing is left.</summary>
public class NarrowingTests
{
    private const string Orders = "https://warehouse.example/orders";
    private const string Returns = "https://warehouse.example/returns";
    private const string ToWarehouse = """{ "target": "warehouse" }""";
    private const string Select = """{"type":"unity_catalog_privileges","object_full_path":"main.shop.orders","privileges":["SELECT"]}""";

    [Test]
    public void The_names_that_every_permit_lists_are_left()
    {
        PolicyDocument policy = Of(Permit("a", ToWarehouse, $$"""{ "resources": [ "{{Orders}}", "{{Returns}}" ] }"""), Permit("b", ToWarehouse, $$"""{ "resources": [ "{{Orders}}", "lake" ] }"""), Permit("c", ToWarehouse));

        AccessDecision decision = policy.Decide(Asking([Returns, Orders]));

        Assert.That((decision.IsPermitted, decision.Rule), Is.EqualTo((true, "a, b, c")));
        Assert.That(decision.Resources, Is.EqualTo([Orders]));
    }

    [Test]
    public void A_target_that_names_none_of_them_is_denied_with_what_was_expected([Values] bool namesAnother)
    {
        AccessDecision decision = Of(Permit("orders", ToWarehouse, $$"""{ "resources": [ "{{Orders}}" ] }""")).Decide(Asking(namesAnother ? [Returns] : []));

        Assert.That((decision.IsPermitted, decision.Rule), Is.EqualTo((false, "orders")));
        Assert.That(decision.Reason, Is.EqualTo($"resources expected '{Orders}', presented {(namesAnother ? $"'{Returns}'" : "none: the target names no resource and no audience, or its exchange takes none")}"));
    }

    [Test]
    public void Permits_without_a_name_in_common_leave_nothing()
    {
        AccessDecision decision = Of(Permit("a", ToWarehouse, $$"""{ "resources": [ "{{Orders}}" ] }"""), Permit("b", """{ "targetIssuer": "https://workspace.example/" }""", $$"""{ "resources": [ "{{Returns}}" ] }""")).Decide(Asking([Orders, Returns]));

        Assert.That(decision.Reason, Is.EqualTo($"resources expected none, since the rules together leave none, presented '{Orders}' or '{Returns}'"));
    }

    // What a target asks for, what the rule leaves, and what both have in common; null for nothing.
    [TestCase("""[{"type":"sql","actions":["read","write"]}]""", """[{"type":"sql","actions":["read"]}]""", """[{"type":"sql","actions":["read"]}]""")]
    [TestCase("""[{"type":"sql"}]""", """[{"type":"sql","actions":["read"]}]""", """[{"type":"sql","actions":["read"]}]""")]
    [TestCase("""[{"type":"sql","actions":["read"]}]""", """[{"type":"sql"}]""", """[{"type":"sql","actions":["read"]}]""")]
    [TestCase("""[{"type":"sql","actions":["read"],"locations":["a","b"]}]""", """[{"type":"sql","actions":["read","write"],"locations":["b"]}]""", """[{"type":"sql","actions":["read"],"locations":["b"]}]""")]
    [TestCase("""[{"type":"sql"},{"type":"files"}]""", """[{"type":"files"}]""", """[{"type":"files"}]""")]
    [TestCase("""[{"type":"sql","table":"orders"}]""", """[{"type":"sql","table":"orders"},{"table":"orders","type":"sql"}]""", """[{"type":"sql","table":"orders"}]""")]
    [TestCase("""[{"type":"sql","table":"orders"}]""", """[{"type":"sql","table":"returns"}]""", null)]
    [TestCase("""[{"type":"sql","table":"orders"}]""", """[{"type":"sql"}]""", null)]
    [TestCase("""[{"type":"sql"}]""", """[{"type":"sql","table":"orders"}]""", null)]
    [TestCase("""[{"type":"sql","actions":["read"]}]""", """[{"type":"sql","actions":["write"]}]""", null)]
    [TestCase("""[{"type":"sql","actions":"read"}]""", """[{"type":"sql","actions":["read"]}]""", null)]
    [TestCase("""[{"type":"sql","owners":["a","b"]}]""", """[{"type":"sql","owners":["b"]}]""", null)]
    [TestCase("""[{"type":"Sql"}]""", """[{"type":"sql"}]""", null)]
    public void Of_authorization_details_what_target_and_rule_have_in_common_is_left(string asked, string limit, string? left)
    {
        string expect = left is null ? """{ "decision": "deny", "rule": "r" }""" : $$"""{ "decision": "permit", "limits": { "authorizationDetails": {{left}} } }""";

        PolicyTestResult result = PolicyTests.Run(
            Of(Permit("r", ToWarehouse, $$"""{ "authorizationDetails": {{limit}} }""")), $$"""{ "cases": [ { "name": "x", "request": { "target": "warehouse", "authorizationDetails": {{asked}} }, "expect": {{expect}} } ] }""").Single();

        Assert.That(result.Difference, Is.Null);
        if (left is not null)
            Assert.That((AuthorizationDetailsCheck.FaultOf(asked, left), AuthorizationDetailsCheck.FaultOf(limit, left)), Is.EqualTo(((string?)null, (string?)null)), "it is within both");
    }

    [Test]
    public void A_target_that_asks_for_no_details_is_denied_and_not_sent_on_without()
    {
        AccessDecision decision = Of(Permit("orders", ToWarehouse, $$"""{ "authorizationDetails": [ {{Select}} ] }""")).Decide(Asking([]));

        Assert.That((decision.IsPermitted, decision.Rule), Is.EqualTo((false, "orders")));
        Assert.That(decision.Reason, Is.EqualTo($"authorizationDetails expected some of '[{Select}]', presented none: the target asks for none, or its exchange takes none"));
    }

    [Test]
    public void A_third_permit_does_not_bring_back_what_two_others_leave_nothing_of()
    {
        string[] rules = [.. new[] { ("orders", "target"), ("returns", "targetIssuer"), ("orders", "subject") }.Select((one, i) => Permit($"r{i}", $$"""{ "{{one.Item2}}": { "present": true } }""", $$"""{ "authorizationDetails": [ { "type": "sql", "table": "{{one.Item1}}" } ] }"""))];

        AccessDecision decision = Of(rules).Decide(Asking([], """[{"type":"sql","table":"orders"}]"""));

        Assert.That((decision.IsPermitted, decision.Reason), Is.EqualTo((false, """authorizationDetails expected none, since the rules together leave none, presented '[{"type":"sql","table":"orders"}]'""")));
    }

    [TestCase("\"resources\": [ \"arn:aws:s3:::orders/*\" ]")]
    [TestCase("\"scopes\": [ \"s3:Get*\" ]")]
    public void A_name_of_AWS_may_have_a_star_in_it(string limits) => Assert.That(() => Of(Permit("a", ToWarehouse, $"{{ {limits} }}")), Throws.Nothing);

    [TestCase("\"scopes\": [ \"*\" ]", "limits.scopes[0]: has a * in it, which stands for nothing here")]
    [TestCase("\"scopes\": [ \"sql*\" ]", "limits.scopes[0]: has a * in it, which stands for nothing here")]
    [TestCase("\"resources\": []", "limits.resources: is empty")]
    [TestCase("\"resources\": [ \"\" ]", "limits.resources[0]: is empty. Write a name as the target has it")]
    [TestCase("\"resources\": [ \"https://warehouse.example/*\" ]", "limits.resources[0]: has a * in it, which stands for nothing here")]
    [TestCase("\"resources\": [ \"a\", \"a\" ]", "limits.resources[1]: repeats an earlier entry")]
    [TestCase("\"resources\": \"a\"", "limits.resources: is a text. Write a list of the target's resources and audiences")]
    [TestCase("\"authorizationDetails\": {}", "limits.authorizationDetails: is an object. Write a list of objects")]
    [TestCase("\"authorizationDetails\": []", "limits.authorizationDetails: is not a JSON array of objects, each with a 'type'")]
    [TestCase("\"authorizationDetails\": [ { \"actions\": [ \"read\" ] } ]", "limits.authorizationDetails: is not a JSON array of objects, each with a 'type'")]
    [TestCase("\"authorizationDetails\": [ { \"type\": \"sql\", \"actions\": [] } ]", "limits.authorizationDetails: has an empty list of 'actions', which limits nothing: leave it out, or say what there may be")]
    [TestCase("\"authorizationDetails\": [ { \"type\": 1 } ]", "limits.authorizationDetails: is not a JSON array of objects, each with a 'type'")]
    [TestCase("\"authorizationDetails\": [ { \"type\": \"a\", \"type\": \"b\" } ]", "limits.authorizationDetails[0].type: is there twice")]
    public void A_limit_that_leaves_nothing_or_something_else_does_not_compile(string limits, string what) =>
        Assert.That(ErrorOf(Permit("a", ToWarehouse, $"{{ {limits} }}")), Does.StartWith("test.json(1,").And.Contain(what));

    [Test]
    public void A_policy_of_ones_own_is_told_of_details_that_are_none() =>
        Assert.That(() => AccessDecision.Permit("mine", authorizationDetails: """{"type":"sql"}"""), Throws.ArgumentException.With.Message.StartsWith("It is one JSON object, not an array of them"));

    [TestCase("locations")]
    [TestCase("actions")]
    [TestCase("datatypes")]
    [TestCase("privileges")]
    public void A_target_that_asks_for_a_list_of_nothing_is_told(string list)
    {
        string details = $$"""[{"type":"sql","{{list}}":[]}]""";
        Assert.That(() => Targets.Rfc8693(new Uri("https://issuer.example"), o => o.AuthorizationDetails = details), Throws.ArgumentException.With.Message.Contains($"has an empty list of '{list}', which limits nothing"));
        Assert.That(() => AccessDecision.Permit("mine", authorizationDetails: details), Throws.ArgumentException.With.Message.Contains("has an empty list"));
    }

    [TestCase("\"resources\": [ \"b\" ]", "resources expected 'b', was 'a'")]
    [TestCase("\"authorizationDetails\": [ { \"type\": \"sql\", \"actions\": [ \"write\" ] } ]", """authorizationDetails expected '[{"type":"sql","actions":["write"]}]', was '[{"type":"sql","actions":["read"]}]'""")]
    public void A_test_of_a_policy_tells_what_else_is_left(string expected, string difference)
    {
        PolicyDocument policy = Of(Permit("r", ToWarehouse, """{ "resources": [ "a", "c" ], "authorizationDetails": [ { "type": "sql", "actions": [ "read" ] } ] }"""));

        PolicyTestResult result = PolicyTests.Run(policy, $$"""
            { "cases": [ { "name": "x", "request": { "target": "warehouse", "resources": [ "b", "a" ], "authorizationDetails": [ { "type": "sql" } ] }, "expect": { "decision": "permit", "limits": { {{expected}} } } } ] }
            """).Single();

        Assert.That(result.Difference, Is.EqualTo(difference));
    }

    [TestCase(86400, 10, 10, Description = "a decision point's permit for a day")]
    [TestCase(5, 10, 5)]
    [TestCase(null, 10, 10)]
    [TestCase(86400, null, 86400, Description = "a document, which tells of each change")]
    public void A_deny_that_a_permit_comes_to_is_asked_again_when_its_permit_ends_or_sooner(int? permitHolds, int? askedAgain, int denyHolds)
    {
        var exchanger = new TestExchanger(TimeProvider.System) { Flaw = _ => "are none" };

        Assert.That(Narrowing.Applied(Permitted(ScopeSet.Of("files"), false), Request(scopes: "sql files"), exchanger).HoldsUntil, Is.EqualTo(Now.AddSeconds(denyHolds)));
        Assert.That(SenderConstraint.Applied(Permitted(null, true), Request(), exchanger).HoldsUntil, Is.EqualTo(Now.AddSeconds(denyHolds)));

        AccessDecision Permitted(ScopeSet? scopes, bool senderConstrained)
        {
            AccessDecision permit = AccessDecision.Permit("remote", scopes, holdsUntil: permitHolds is { } held ? Now.AddSeconds(held) : null, senderConstrained: senderConstrained);
            permit.AskedAgainAfter = askedAgain is { } again ? TimeSpan.FromSeconds(again) : null;
            return permit;
        }
    }

    private static AccessRequest Asking(string[] resources, string? details = null)
    {
        AccessRequest plain = Request();
        return new AccessRequest
        {
            Target = plain.Target, TargetIssuer = plain.TargetIssuer, Subject = plain.Subject, SubjectIssuer = plain.SubjectIssuer, Scopes = plain.Scopes, Job = plain.Job, Claims = plain.Claims, MaxLifetime = plain.MaxLifetime, At = plain.At,
            Resources = resources, AuthorizationDetails = details,
        };
    }
}
