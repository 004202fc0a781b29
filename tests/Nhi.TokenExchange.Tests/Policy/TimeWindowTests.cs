using static Nhi.TokenExchange.Tests.Policy.Policies;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>When rules count, and until when a decision holds.</summary>
public class TimeWindowTests
{
    private const string Berlin = """{ "days": [ "mon", "tue", "wed", "thu", "fri" ], "from": "06:00", "to": "20:00", "zone": "Europe/Berlin" }""";
    private const string Night = """{ "from": "22:00", "to": "06:00" }""";
    private const string Friday = """{ "days": [ "fri" ], "from": "22:00", "to": "04:00" }""";
    private const string Dated = """{ "notBefore": "2026-03-01T00:00:00+01:00", "notAfter": "2026-03-05T00:00:00Z" }""";
    private const string Weekend = """{ "days": [ "sat", "sun" ] }""";

    // 2026-03-04 is a Wednesday; Berlin is an hour ahead, from 2026-03-29 on two.
    [TestCase(Berlin, "2026-03-04T10:00:00Z", true, "2026-03-04T19:00:00Z")]
    [TestCase(Berlin, "2026-03-04T04:59:59Z", false, "2026-03-04T05:00:00Z")]
    [TestCase(Berlin, "2026-03-04T05:00:00Z", true, "2026-03-04T19:00:00Z")]
    [TestCase(Berlin, "2026-03-04T19:00:00Z", false, "2026-03-05T05:00:00Z")]
    [TestCase(Berlin, "2026-03-06T20:00:00Z", false, "2026-03-09T05:00:00Z")]
    [TestCase(Berlin, "2026-03-27T19:00:00Z", false, "2026-03-30T04:00:00Z")]
    [TestCase(Night, "2026-03-04T23:00:00Z", true, "2026-03-05T06:00:00Z")]
    [TestCase(Night, "2026-03-04T05:59:59Z", true, "2026-03-04T06:00:00Z")]
    [TestCase(Night, "2026-03-04T10:00:00Z", false, "2026-03-04T22:00:00Z")]
    [TestCase(Friday, "2026-03-07T03:00:00Z", true, "2026-03-07T04:00:00Z")]
    [TestCase(Friday, "2026-03-08T03:00:00Z", false, "2026-03-13T22:00:00Z")]
    [TestCase(Dated, "2026-02-28T22:59:59Z", false, "2026-02-28T23:00:00Z")]
    [TestCase(Dated, "2026-03-04T10:00:00Z", true, "2026-03-05T00:00:00Z")]
    [TestCase(Dated, "2026-03-05T00:00:00Z", false, null)]
    [TestCase(Weekend, "2026-03-07T10:00:00Z", true, "2026-03-09T00:00:00Z")]
    public void A_window_opens_and_closes_and_says_when(string time, string at, bool isInside, string? changesAt)
    {
        PolicyDocument policy = Of(Permit("timed", $$"""{ "target": "warehouse", "time": {{time}} }"""));

        AccessDecision decision = policy.Decide(Request(at: DateTimeOffset.Parse(at)));

        Assert.That(decision.IsPermitted, Is.EqualTo(isInside));
        Assert.That(decision.HoldsUntil, Is.EqualTo(changesAt is null ? (DateTimeOffset?)null : DateTimeOffset.Parse(changesAt)));
    }

    [Test]
    public void A_denial_by_the_clock_says_what_it_expected()
    {
        AccessDecision decision = Of(Permit("timed", $$"""{ "target": "warehouse", "time": {{Berlin}} }""")).Decide(Request(at: Now.AddHours(12)));

        Assert.That(decision.Reason, Does.EndWith("'timed': time expected mon tue wed thu fri 06:00 to 20:00 Europe/Berlin, presented 2026-03-04T22:00:00Z"));
    }

    [Test]
    public void A_permit_holds_until_a_forbid_begins()
    {
        PolicyDocument policy = Of(Permit("always", """{ "target": "warehouse" }"""), Forbid("freeze", """{ "target": "warehouse", "time": { "notBefore": "2026-03-04T12:00:00Z" } }"""));

        AccessDecision before = policy.Decide(Request()), after = policy.Decide(Request(at: Now.AddHours(2)));

        Assert.That((before.IsPermitted, before.HoldsUntil), Is.EqualTo((true, (DateTimeOffset?)Now.AddHours(2))));
        Assert.That((after.IsPermitted, after.Rule, after.HoldsUntil), Is.EqualTo((false, "freeze", (DateTimeOffset?)null)));
        Assert.That(after.Reason, Does.Contain("time is 2026-03-04T12:00:00Z, expected other than from 2026-03-04T12:00:00Z"));
    }

    [Test]
    public void A_window_of_a_rule_that_does_not_match_otherwise_says_nothing()
    {
        PolicyDocument policy = Of(Permit("always", """{ "target": "warehouse" }"""), Forbid("others", $$"""{ "subject": "somebody", "time": {{Night}} }"""));

        Assert.That(policy.Decide(Request()).HoldsUntil, Is.Null);
    }

    [Test]
    public void An_hour_that_a_spring_leaves_out_and_one_that_an_autumn_has_twice_are_told_by_the_standard_time()
    {
        PolicyDocument policy = Of(Permit("odd", """{ "target": "warehouse", "time": { "from": "02:30", "to": "04:00", "zone": "Europe/Berlin" } }"""));

        Assert.That(HoldsUntil("2026-03-29T00:00:00Z"), Is.EqualTo(DateTimeOffset.Parse("2026-03-29T01:30:00Z")), "02:30 is not there; it is 03:30");
        Assert.That(HoldsUntil("2026-10-25T00:00:00Z"), Is.EqualTo(DateTimeOffset.Parse("2026-10-25T01:30:00Z")), "02:30 is there twice; the second counts");

        DateTimeOffset? HoldsUntil(string at) => policy.Decide(Request(at: DateTimeOffset.Parse(at))).HoldsUntil;
    }
}
