namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>When what one decision leaves of a request covers what another had it asked for with.</summary>
public class GrantTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;

    private static readonly Grant Asked = new()
    {
        Origin = null!, Asked = new AskedFor(ScopeSet.Of("read"), ["a", "b"], null), Resources = ["a"], AuthorizationDetails = """[{"type":"sql"}]""", Exposure = CredentialExposure.Unknown, Rule = "first", PolicyRevision = "1",
        MaxLifetime = TimeSpan.FromMinutes(5), PermitEndsAt = Now.AddHours(1), NotBeyond = Now.AddHours(1), Time = new FlightTime(new ManualTimeProvider(Now)), AskedAtTick = 0, Margin = TimeSpan.Zero, HopDeadTick = long.MaxValue, Jitter = 0,
    };

    private static IEnumerable<TestCaseData> Seconds()
    {
        yield return Of("the same", Asked, true);
        yield return Of("other scopes", Asked with { Asked = new AskedFor(ScopeSet.Of("write"), ["a", "b"], null) }, false);
        yield return Of("any resource", Asked with { Resources = null }, true);
        yield return Of("one resource more", Asked with { Resources = ["b", "a"] }, true);
        yield return Of("another resource", Asked with { Resources = ["b"] }, false);
        yield return Of("other details", Asked with { AuthorizationDetails = """[{"type":"files"}]""" }, false);
        yield return Of("a longer hand-out", Asked with { MaxLifetime = TimeSpan.FromMinutes(6) }, true);
        yield return Of("a shorter hand-out", Asked with { MaxLifetime = TimeSpan.FromMinutes(4) }, false);
        yield return Of("no longer life", Asked with { RefusesLongerLife = "second" }, false);
        yield return Of("a permit that ends later", Asked with { PermitEndsAt = Now.AddHours(2) }, true);
        yield return Of("a permit without an end", Asked with { PermitEndsAt = null }, true);
        yield return Of("a permit that ends sooner", Asked with { PermitEndsAt = Now.AddMinutes(1) }, false);

        static TestCaseData Of(string what, Grant second, bool isAsMuch) => new TestCaseData(second, isAsMuch).SetArgDisplayNames(what);
    }

    [TestCaseSource(nameof(Seconds))]
    public void A_decision_leaves_as_much_if_it_lacks_nothing_that_was_asked_for(object second, bool isAsMuch) => Assert.That(((Grant)second).LeavesAsMuchAs(Asked), Is.EqualTo(isAsMuch));

    [Test]
    public void What_was_open_and_is_limited_now_is_less()
    {
        Grant open = Asked with { Resources = null, PermitEndsAt = null };
        Assert.That((open.LeavesAsMuchAs(open), (open with { Resources = ["a"] }).LeavesAsMuchAs(open), (open with { PermitEndsAt = Now.AddYears(1) }).LeavesAsMuchAs(open)), Is.EqualTo((true, false, false)));
        Grant strict = Asked with { RefusesLongerLife = "first" };
        Assert.That((strict with { RefusesLongerLife = "second" }).LeavesAsMuchAs(strict), Is.True);
    }
}
