using System.Globalization;
using System.Text;
using Microsoft.Extensions.Configuration;
using Nhi.TokenExchange.Tests.Policy;
using static Nhi.TokenExchange.Tests.Policy.Policies;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>docs/faults.md, policies: each is refused with file, line, column, member, what was wrong and what to do.</summary>
internal sealed class BadPolicyTests : OidcFileFixture
{
    private const string When = """{ "target": "warehouse" }""";

    [TestCase("", "is empty")]
    [TestCase(" \r\n\t", "is empty")]
    [TestCase("null", "is null")]
    [TestCase("[]", "is a list")]
    [TestCase("\"policy\"", "is a text")]
    public void B40_An_empty_file_or_one_that_is_no_object_denies_and_shows_what_to_write(string json, string what) =>
        Assert.That(ErrorsOf(json).Single(), Does.StartWith($"test.json(1,1): {what}").And.Contain("\"rules\": ["));

    [TestCase("""{ "revision": 1, "rules": [] }""", "test.json(1,1): has no 'version'. Write \"version\": 1.")]
    [TestCase("""{ "version": 2, "revision": 1, "rules": [] }""", "test.json(1,14) version: is no whole number within its range. Write a whole number from 1 to 1, without quotes.")]
    [TestCase("""{ "version": "1", "revision": 1, "rules": [] }""", "test.json(1,14) version: is a text.")]
    [TestCase("""{ "version": 1, "rules": [] }""", "test.json(1,1): has no 'revision'. Write a whole number, and a greater one at each change.")]
    [TestCase("""{ "version": 1, "revision": 0, "rules": [] }""", "revision: is no whole number within its range")]
    [TestCase("""{ "version": 1, "revision": 1.5, "rules": [] }""", "revision: is no whole number within its range")]
    [TestCase("""{ "version": 1, "revision": 1 }""", "test.json(1,1): has no 'rules'.")]
    [TestCase("""{ "version": 1, "revision": 1, "mode": "Observe", "rules": [] }""", "mode: is none of the two words. Write enforce or observe, in these letters.")]
    public void B41_A_document_without_its_head_or_with_another_says_what_it_wants(string json, string what) =>
        Assert.That(ErrorsOf(json).Single(), Does.Contain(what));

    [TestCase("""{ "name": "a", "effect": "permit", "whem": { "target": "x" } }""", "rules[0].whem: is no member of this object. Did you mean when?")]
    [TestCase("""{ "name": "a", "effect": "permit", "when": { "targt": "x" } }""", "rules[0].when.targt: is no member of this object. Did you mean target?")]
    [TestCase("""{ "name": "a", "effect": "permit", "when": { "job": { "datset": "x" } } }""", "rules[0].when.job.datset: is no member of this object. Did you mean dataset?")]
    [TestCase("""{ "name": "a", "effect": "permit", "when": { "target": { "anyof": [ "x" ] } } }""", "rules[0].when.target.anyof: is no member of this object. Did you mean anyOf?")]
    [TestCase("""{ "name": "a", "effect": "permit", "when": { "target": "x" }, "limits": { "maxLifetime": "00:10:00" } }""", "rules[0].limits.maxLifetime: is no member of this object.")]
    public void B42_An_unknown_member_is_refused_with_the_nearest_since_a_condition_that_is_passed_over_widens(string rule, string what) =>
        Assert.That(ErrorsOf(Text(1, rule)), Has.Some.Contains(what));

    [Test]
    public void B43_A_name_or_a_key_that_is_there_twice_is_told_with_both_lines()
    {
        Assert.That(ErrorsOf(Text(1, Permit("a", When), Permit("b", When), Permit("a", When))).Single(), Is.EqualTo("test.json(3,1) rule 'a': has the name of the rule in line 1. Give each rule a name of its own."));
        Assert.That(ErrorsOf("{ \"version\": 1, \"revision\": 1,\n\"rules\": [],\n \"rules\": [] }").Single(), Is.EqualTo("test.json(3,2) rules: is there twice, here and in line 2. Leave one of them."));
        Assert.That(ErrorOf("""{ "name": "a", "effect": "permit", "when": { "target": "x", "t\u0061rget": "y" } }"""), Does.Contain("rules[0].when.target: is there twice"), "escapes spell the same name");
    }

    [TestCase("Permit")]
    [TestCase("permit ")]
    [TestCase("allow")]
    [TestCase("deny")]
    public void B44_An_effect_is_one_of_two_words_exactly(string effect) =>
        Assert.That(ErrorOf($$"""{ "name": "a", "effect": "{{effect}}", "when": {{When}} }"""), Does.EndWith("rules[0].effect: is none of the two words. Write permit or forbid, in these letters."));

    [TestCase("""{ "name": "a", "effect": "permit" }""", "has no condition, and would count for everybody. Write when; if everybody is meant, write \"any\": true and a reason.")]
    [TestCase("""{ "name": "a", "effect": "permit", "when": { } }""", "has no condition, and would count for everybody")]
    [TestCase("""{ "name": "a", "effect": "forbid" }""", "has no condition")]
    [TestCase("""{ "name": "a", "effect": "permit", "any": true }""", "counts for everybody and says no reason")]
    [TestCase("""{ "name": "a", "effect": "permit", "any": true, "reason": "x", "when": { "target": "x" } }""", "has conditions, and any beside them")]
    [TestCase("""{ "name": "a", "effect": "permit", "when": { "job": { } } }""", "rules[0].when.job: has nothing in it")]
    [TestCase("""{ "name": "a", "effect": "permit", "when": { "target": { "anyOf": [ ] } } }""", "rules[0].when.target.anyOf: is empty: nothing is in it, and nothing could match")]
    public void B45_A_rule_for_everybody_has_to_say_so_and_why(string rule, string what) => Assert.That(ErrorOf(rule), Does.Contain(what));

    [TestCase("a/b*")]
    [TestCase("*")]
    [TestCase("**")]
    [TestCase("a/**/b")]
    public void B46_A_wildcard_stands_for_whole_segments_and_never_alone(string glob) =>
        Assert.That(ErrorOf(Permit("a", $$"""{ "subject": { "glob": "{{glob}}" } }""")), Does.Contain("rules[0].when.subject.glob: has ").Or.Contain("rules[0].when.subject.glob: names nothing"));

    [TestCase("ord\\u0000ers", "has a character at position 3 that nobody sees (U+0000)")]
    [TestCase("ord\u200bers", "has a character at position 3 that nobody sees (U+200B)")]
    [TestCase("\u202eorders", "has a character at position 0 that nobody sees (U+202E)")]
    [TestCase("cafe\u0301", "has letters put together of parts (it is not in Unicode's form NFC)")]
    [TestCase("", "is empty, and an empty value counts as absent")]
    public void B47_A_value_that_nobody_could_read_is_refused_by_position(string value, string what) =>
        Assert.That(ErrorOf(Permit("a", $$"""{ "subject": "{{value}}" }""")), Does.Contain($"rules[0].when.subject: {what}"));

    [Test]
    public void B47_A_value_that_is_too_long_or_half_a_character_is_refused()
    {
        Assert.That(ErrorOf(Permit("a", $$"""{ "subject": "{{new string('x', 513)}}" }""")), Does.Contain("rules[0].when.subject: is longer than 512 characters"));
        Assert.That(ErrorsOf(Text(1, Permit("a", """{ "subject": "x\ud800" }"""))), Has.Some.Contains("rules[0].when.subject: has half a character"));
    }

    [TestCase("""{ "subject": "repo:acme/*" }""", "when.subject: has a * at position 10, which stands for nothing in a plain text. Write { \"glob\": \"…\" }")]
    [TestCase("""{ "subject": { "anyOf": [ "a", "repo:.*" ] } }""", "when.subject.anyOf[1]: has a * at position 6")]
    [TestCase("""{ "scopes": { "within": [ "sql*" ] } }""", "when.scopes.within[0]: has a * in it, which stands for nothing here")]
    [TestCase("""{ "subject": { "glob": "repo:(a|b)*" } }""", "is no part of a regular expression")]
    public void B48_A_pattern_in_a_plain_text_is_refused_since_a_forbid_would_forbid_nothing_by_it(string when, string what) =>
        Assert.That(ErrorOf(Permit("a", when)), Does.Contain(what));

    [TestCase("00:00:00")]
    [TestCase("-00:10:00")]
    [TestCase("12:00:01")]
    [TestCase("1.00:00:00")]
    [TestCase("99:00:00")]
    [TestCase("900")]
    [TestCase("PT15M")]
    public void B49_A_longest_hand_out_has_its_range(string time) =>
        Assert.That(ErrorOf(Permit("a", When, $$"""{ "longestHandOut": "{{time}}" }""")), Does.EndWith("rules[0].limits.longestHandOut: is no time within its range. Write a time of the form hh:mm:ss, from 00:00:01 to 12:00:00."));

    [Test]
    public async Task B50_A_target_that_no_rule_names_is_told_at_the_start_with_the_nearest()
    {
        using var log = new LoggedText();
        await using JobSession job = await StartAsync(Of(Permit("a", """{ "target": "warehouses" }""")), log);

        Assert.That(log.Text, Does.Match("warehouse will be denied: no rule of policy 1\\+sha256:[0-9a-f]+ permits a target of that name; 'warehouses' is the nearest that they name"));
    }

    [Test]
    public void B51_A_permit_that_a_forbid_always_covers_is_a_contradiction()
    {
        string Covered(string permit, string forbid) => ErrorsOf(Text(1, Permit("p", permit), Forbid("f", forbid))).Single();

        Assert.That(Covered(When, """{ "target": { "anyOf": [ "lake", "warehouse" ] } }"""), Is.EqualTo("test.json(1,43) rule 'p': permits nothing: the forbid 'f' in line 2 matches whatever it matches. Take the permit out, or narrow the forbid."));
        Assert.That(Covered("""{ "subject": { "glob": "repo:acme/*:pull_request" } }""", """{ "subject": { "glob": "repo:acme/**" } }"""), Does.Contain("permits nothing"));
        Assert.That(Covered("""{ "scopes": { "within": [ "sql" ] }, "target": "lake" }""", """{ "scopes": { "anyOf": [ "sql", "files" ] } }"""), Does.Contain("permits nothing"));
        Assert.That(Covered(When, """{ "subject": { "present": true } }""".Replace("subject", "target", StringComparison.Ordinal)), Does.Contain("permits nothing"));
        Assert.That(Covered("""{ "target": "x", "time": { "days": [ "mon" ] } }""", """{ "target": "x", "time": { "days": [ "mon", "tue" ] } }"""), Does.Contain("permits nothing"));
        Assert.That(ErrorOf(Permit("p", """{ "target": "warehouse", "scopes": { "within": [ "sql" ] } }""", """{ "scopes": [ "files" ] }""")), Does.Contain("leaves none of the scopes that the rule lets through"));
        Assert.DoesNotThrow(() => Of(Permit("p", When), Forbid("f", """{ "target": "warehouse", "tenant": "x" }""")), "a tenant need not be said");
    }

    [TestCase("""{ "exposure": { "tiedToHuman": false } }""", null, "never matches: of a static key exposure.tiedToHuman is always true")]
    [TestCase("""{ "scopes": { "within": [ "sql" ] } }""", null, "never matches: no scopes are asked for with a static key")]
    [TestCase("{}", """{ "scopes": [ "sql" ] }""", "limits scopes, resources or details, of which a static key has none")]
    [TestCase("{}", """{ "resources": [ "a" ] }""", "limits scopes, resources or details, of which a static key has none")]
    [TestCase("{}", """{ "authorizationDetails": [ { "type": "sql" } ] }""", "limits scopes, resources or details, of which a static key has none")]
    [TestCase("{}", """{ "refuseLongerLife": true }""", "refuses every static key it permits: none ends")]
    public void B51_What_no_static_key_can_meet_is_a_contradiction(string more, string? limits, string what)
    {
        var when = System.Text.Json.Nodes.JsonNode.Parse(more)!.AsObject();
        (when["target"], when["static"]) = ("billing", true);

        Assert.That(ErrorOf(Permit("key", when.ToJsonString(), limits)), Does.Contain(what));
        Assert.DoesNotThrow(() => Of(Permit("key", """{ "target": "billing", "static": true, "exposure": { "tiedToHuman": true } }""", """{ "longestHandOut": "00:10:00" }"""), Forbid("beyond", """{ "static": true, "scopes": { "beyond": [ "sql" ] }, "tenant": "x" }""")));
    }

    [TestCase("\"scopes\": [ \"sql\" ]", "\"scopes\": [ \"files\" ]", "scopes")]
    [TestCase("\"resources\": [ \"a\", \"b\" ]", "\"resources\": [ \"c\" ]", "resources")]
    [TestCase("\"authorizationDetails\": [ { \"type\": \"sql\" } ]", "\"authorizationDetails\": [ { \"type\": \"file\" } ]", "authorizationDetails")]
    public void B51_Permits_that_together_leave_nothing_are_a_contradiction(string narrow, string other, string what)
    {
        Assert.That(ErrorsOf(Text(1, Permit("a", """{ "target": "warehouse", "subject": "x" }""", $"{{ {narrow} }}"), Permit("b", """{ "target": "warehouse" }""", $"{{ {other} }}"))).Single(),
            Does.StartWith($"test.json(1,43) rule 'a': permits nothing: of the {what} that it leaves the permit 'b' in line 2 leaves none, and matches whatever it matches."));
        Assert.DoesNotThrow(() => Of(Permit("a", """{ "target": "warehouse", "subject": "x" }""", $"{{ {narrow} }}"), Permit("b", """{ "target": "warehouse", "subject": "y" }""", $"{{ {other} }}")));
        Assert.DoesNotThrow(() => Of(Permit("a", """{ "target": "warehouse" }""", $"{{ {narrow} }}"), Permit("b", """{ "target": "warehouse" }""", $"{{ {narrow} }}")));
    }

    [TestCase("""{ "version": 1, "revision": 1, "rules": [ """, "test.json(1,43): ends before the document does: it looks cut")]
    [TestCase("{ \"version\": 1,\n  \"revision\": 1,\n  \"rules\": [ ] } x", "test.json(3,18): is no JSON from here on")]
    [TestCase("{ \"version\": 1, // one\n \"revision\": 1, \"rules\": [ ] }", "test.json(1,17): is no JSON from here on")]
    [TestCase("{ \"version\": 1, \"revision\": 1, \"rules\": [ ], }", "is no JSON from here on")]
    [TestCase("{ \"version\": 1, \"revision\": 1, \"rules\": [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]] }", "is nested more deeply than any rule is")]
    public void B53_A_file_that_is_cut_or_no_JSON_is_told_with_the_place(string json, string what) => Assert.That(ErrorsOf(json).Single(), Does.Contain(what));

    [Test]
    public void B53_A_file_that_is_not_UTF8_is_told_with_the_place_and_a_mark_at_its_start_is_taken()
    {
        byte[] latin1 = Encoding.Latin1.GetBytes("{ \"version\": 1,\n\"x\": \"caf\u00e9\" }");
        Assert.That(Assert.Throws<TokenExchangeException>(() => PolicyDocument.Parse(latin1, "test.json"))!.Message, Does.Contain("test.json(2,10): is not UTF-8 from here on. Save the file as UTF-8."));
        Assert.DoesNotThrow(() => PolicyDocument.Parse([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(Text(1))], "test.json"));
    }

    [TestCase("""{ "notAfter": "2026-12-31" }""", "notAfter: is no instant")]
    [TestCase("""{ "notAfter": "2026-02-31T00:00:00Z" }""", "notAfter: is no instant")]
    [TestCase("""{ "notAfter": "2026-12-31T00:00:00" }""", "notAfter: is no instant. Write an instant with its zone")]
    [TestCase("""{ "notBefore": "2026-12-31T00:00:00Z", "notAfter": "2026-12-31T00:00:00Z" }""", "has a notBefore that is not before its notAfter: the window never is")]
    [TestCase("""{ "from": "10:00", "to": "10:00" }""", "to: is the same as from: the window never is")]
    [TestCase("""{ "from": "10:00" }""", "has from or to alone")]
    [TestCase("""{ "from": "24:00", "to": "06:00" }""", "from: is no time of the day")]
    [TestCase("""{ "from": "6:00", "to": "10:00" }""", "from: is no time of the day")]
    [TestCase("""{ "days": [ "Monday" ] }""", "days[0]: is no day. Write one of: sun, mon, tue, wed, thu, fri, sat.")]
    [TestCase("""{ "days": [ ] }""", "days: is empty")]
    [TestCase("""{ "from": "06:00", "to": "10:00", "zone": "Europe/Atlantis" }""", "zone: is no time zone that this machine knows")]
    [TestCase("""{ "from": "06:00", "to": "10:00", "zone": "CEST" }""", "zone: is no time zone that this machine knows")]
    [TestCase("""{ "zone": "Europe/Berlin" }""", "has a zone and nothing that it is for")]
    [TestCase("""{ }""", "time: is an object without a time")]
    public void B54_A_time_that_never_is_or_has_no_zone_is_refused(string time, string what) => Assert.That(ErrorOf(Permit("a", $$"""{ "target": "x", "time": {{time}} }""")), Does.Contain(what));

    [Test]
    public void B55_More_rules_than_anybody_reads_are_refused_and_as_many_as_may_be_are_compared_at_once()
    {
        string[] rules = [.. Enumerable.Range(0, 5001).Select(i => string.Create(CultureInfo.InvariantCulture, $$"""{ "name": "r{{i}}", "effect": "{{(i % 2 == 0 ? "permit" : "forbid")}}", "when": { "target": "t{{i}}", "subject": "s" } }"""))];

        Assert.That(ErrorsOf(Text(1, rules)).Single(), Does.Contain("rules: has 5001 rules, more than 5000"));
        Assert.That(PolicyDocument.Parse(Text(1, rules[1..])).Decide(Request("t2", subject: "s")).Rule, Is.EqualTo("r2"));
        Assert.That(ErrorsOf(new string(' ', 1 << 20) + "{}").Single(), Does.Contain("has 1048578 bytes, more than 1048576"));
    }

    [TestCase("""{ "environment": { "noneOf": [ "x" ] } }""", "is noneOf in a permit, which everything else would satisfy")]
    [TestCase("""{ "environment": { "present": false } }""", "present: is false in a permit")]
    [TestCase("""{ "environment": { } }""", "is an object without a matcher")]
    [TestCase("""{ "environment": { "anyOf": [ "a" ], "glob": "a/*" } }""", "has more than one matcher")]
    [TestCase("""{ "environment": 7 }""", "is a number")]
    [TestCase("""{ "environment": null }""", "is null")]
    public void B46_A_permit_says_what_has_to_be_there(string claims, string what) => Assert.That(ErrorOf(Permit("a", $$"""{ "claims": {{claims}} }""")), Does.Contain(what));

    [Test]
    public void All_errors_of_a_document_come_together_in_its_order()
    {
        string[] errors = ErrorsOf(Text(1, """{ "name": "A", "effect": "permit", "when": { "target": "x" } }""", """{ "name": "b", "effect": "allow" }""", Permit("c", """{ "target": "a*" }""")));

        Assert.That(errors.Select(error => error.Split(':')[0]), Is.EqualTo(["test.json(1,53) rules[0].name", "test.json(2,1) rules[1]", "test.json(2,26) rules[1].effect", "test.json(3,56) rules[2].when.target"]));
    }

    [Test]
    public async Task B14_A_MaxLifetime_above_the_policys_is_told_with_the_smaller_one_and_who_sets_it()
    {
        using var log = new LoggedText();
        await using JobSession job = await StartAsync(Of(Permit("short", When, """{ "longestHandOut": "00:15:00" }"""), Permit("shorter", When, """{ "longestHandOut": "00:10:00" }""")), log);

        Assert.That(log.Text, Does.Match("warehouse has a MaxLifetime of 01:00:00; rule short of policy 1\\+sha256:[0-9a-f]+ permits 00:15:00 at most, which is what counts"));
    }

    [Test]
    public async Task B33_A_fact_that_is_missing_and_that_the_policy_needs_is_told_with_the_rule()
    {
        using var log = new LoggedText();
        await using JobSession job = await StartAsync(Of(Permit("load", """{ "target": "warehouse", "job": { "purpose": "load" } }""")), log);

        Assert.That(log.Text, Does.Contain("warehouse will be denied: Job:Purpose is not said, and policy 1+sha256:").And.Contain("permits it only with it (rules load)"));
        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;
        Assert.That(denied.Message, Does.Contain("nearest is 'load': job.purpose expected 'load', presented nothing"));
    }

    [TestCase("missing", "is not there, or can't be seen by this user. Check the path, the mount and the rights of the job's user.")]
    [TestCase("folder", "is a directory, not a regular file.")]
    [TestCase("large", "has more than 1048576 bytes.")]
    [TestCase("wrong", "nhi.policy.json(1,43) rules[0]: has no 'name'.")]
    public void B28_A_policy_file_that_is_missing_unreadable_too_large_or_wrong_stops_the_start(string kind, string what)
    {
        string path = Path.Join(Folder, "nhi.policy.json");
        if (kind == "folder")
            Directory.CreateDirectory(path);
        else if (kind != "missing")
            File.WriteAllText(path, kind == "large" ? new string(' ', 2 << 20) : Text(1, $$"""{ "effect": "permit", "when": {{When}} }"""));
        IConfigurationSection section = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["TokenExchange:Policy:File"] = path }).Build().GetSection("TokenExchange");

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => StartAsync(null, null, b => b.Configuration(section)))!;

        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.InvalidPolicy));
        Assert.That(refused.Message, Does.StartWith($"NHI1006 TokenExchange:Policy:File: {(kind == "wrong" ? "nhi.policy.json(1," : $"names '{path}', which ")}").And.Contain(what));
    }

    private static Task<JobSession> StartAsync(PolicyDocument? policy, LoggedText? log, Action<TokenExchangeBuilder>? more = null) => JobSession.StartAsync(b =>
    {
        var time = new ManualTimeProvider();
        b.Identity("job", TestProofs.Source(time), ActsFor.Workload).Target("warehouse", new TestExchanger(time), identity: "job").JobFromRuntime(false).Time(time).EndOnSignals(false);
        if (policy is not null)
            b.Policy(policy);
        if (log is not null)
            b.Logging(log);
        more?.Invoke(b);
    });
}
