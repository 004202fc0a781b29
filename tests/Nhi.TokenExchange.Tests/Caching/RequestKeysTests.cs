namespace Nhi.TokenExchange.Tests.Caching;

public class RequestKeysTests
{
    private static readonly CredentialRequest Whole = new() { Scopes = ScopeSet.Of("read"), Tenant = "one", Claims = "{}" };

    // No hash stands before this comparison: the map asks it only where hashes are equal, which by chance they may be.
    [TestCaseSource(nameof(Others))]
    public void Two_requests_that_differ_in_one_member_are_two_keys(CredentialRequest other)
    {
        Assert.That(RequestKeys.Comparer.Equals(Whole, other), Is.False);
        Assert.That(RequestKeys.Comparer.Equals(other, Whole), Is.False);
        Assert.That(other.KeyHash, Is.Not.EqualTo(Whole.KeyHash));
    }

    [Test]
    public void A_request_and_none_are_not_the_same()
    {
        Assert.That(RequestKeys.Comparer.Equals(Whole, null), Is.False);
        Assert.That(RequestKeys.Comparer.Equals(null, Whole), Is.False);
        Assert.That(RequestKeys.Comparer.Equals(null, null), Is.True);
    }

    [Test]
    public void Values_that_change_places_are_another_key()
    {
        var one = new CredentialRequest { Tenant = "a", Claims = "b" };
        var other = new CredentialRequest { Tenant = "b", Claims = "a" };

        Assert.That(RequestKeys.Comparer.Equals(one, other), Is.False);
        Assert.That(one.KeyHash, Is.Not.EqualTo(other.KeyHash));
    }

    private static IEnumerable<TestCaseData> Others()
    {
        yield return new TestCaseData(new CredentialRequest { Scopes = ScopeSet.Of("write"), Tenant = "one", Claims = "{}" }).SetArgDisplayNames("other scopes");
        yield return new TestCaseData(new CredentialRequest { Tenant = "one", Claims = "{}" }).SetArgDisplayNames("no scopes");
        yield return new TestCaseData(new CredentialRequest { Scopes = ScopeSet.Of("read"), Tenant = "two", Claims = "{}" }).SetArgDisplayNames("another tenant");
        yield return new TestCaseData(new CredentialRequest { Scopes = ScopeSet.Of("read"), Tenant = "ONE", Claims = "{}" }).SetArgDisplayNames("a tenant in capitals");
        yield return new TestCaseData(new CredentialRequest { Scopes = ScopeSet.Of("read"), Claims = "{}" }).SetArgDisplayNames("no tenant");
        yield return new TestCaseData(new CredentialRequest { Scopes = ScopeSet.Of("read"), Tenant = "one", Claims = "{ }" }).SetArgDisplayNames("other claims");
        yield return new TestCaseData(new CredentialRequest { Scopes = ScopeSet.Of("read"), Tenant = "one" }).SetArgDisplayNames("no claims");
        yield return new TestCaseData(new CredentialRequest { Scopes = ScopeSet.Of("read"), Tenant = "one", Claims = "{}", Caller = new CredentialCaller("client 1", "psql") }).SetArgDisplayNames("a caller");
    }
}
