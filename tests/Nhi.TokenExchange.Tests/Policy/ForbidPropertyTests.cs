namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>Adding a forbid never permits more: on random documents and requests, each decision with it is a denial, or the same permit as without.</summary>
public class ForbidPropertyTests
{
    private const int Documents = 400;
    private const int Requests = 50;

    [Test]
    public void Adding_a_forbid_never_permits_more()
    {
        int denied = 0, same = 0, keys = 0, narrowed = 0;
        for (int seed = 0; seed < Documents; seed++)
        {
            var random = new RandomPolicies(seed);
            string[] rules = [.. random.Rules(count: 6)];
            string more = random.Forbid("added");
            if (TryParse(rules) is not { } without || TryParse([.. rules, more]) is not { } with)
                continue;   // it contradicts itself
            for (int i = 0; i < Requests; i++)
            {
                AccessRequest request = random.Request();
                AccessDecision before = without.Decide(request), after = with.Decide(request);
                if (!after.IsPermitted)
                    denied += before.IsPermitted ? 1 : 0;
                else
                {
                    same++;
                    Assert.That((before.IsPermitted, before.Rule, before.Scopes, before.MaxLifetime, before.RefuseLongerLife), Is.EqualTo((true, after.Rule, after.Scopes, after.MaxLifetime, after.RefuseLongerLife)), more);
                    Assert.That((before.AuthorizationDetails, before.SenderConstrained, before.PermitsStaticKey), Is.EqualTo((after.AuthorizationDetails, after.SenderConstrained, after.PermitsStaticKey)), more);
                    Assert.That(before.Resources, Is.EqualTo(after.Resources), more);
                    keys += after.PermitsStaticKey ? 1 : 0;
                    narrowed += after.Resources is not null || after.AuthorizationDetails is not null ? 1 : 0;
                    Assert.That(after.HoldsUntil ?? DateTimeOffset.MaxValue, Is.LessThanOrEqualTo(before.HoldsUntil ?? DateTimeOffset.MaxValue), more);
                }
            }
        }
        Assert.That(Math.Min(Math.Min(denied, same), Math.Min(keys, narrowed)), Is.GreaterThan(100), "few would prove little");
    }

    [Test]
    public void A_permit_that_is_called_covered_never_permits()
    {
        int covered = 0;
        for (int seed = 0; seed < 2000; seed++)
        {
            var random = new RandomPolicies(seed);
            string permit = random.Permit("permit"), forbid = random.Forbid("forbid");
            if (TryParse([permit]) is null || TryParse([permit, forbid]) is not null)
                continue;
            covered++;
            PolicyDocument permits = Policies.Of(permit), forbids = Policies.Of(forbid);
            for (int i = 0; i < Requests; i++)
            {
                AccessRequest request = random.Request();
                bool isForbidden = forbids.Decide(request).Rule == "forbid";
                Assert.That(permits.Decide(request).Rule == "permit" && !isForbidden, Is.False, $"{permit} {forbid}");
            }
        }
        Assert.That(covered, Is.GreaterThan(20), "few would prove little");
    }

    private static PolicyDocument? TryParse(string[] rules)
    {
        var errors = new PolicyErrors("random");
        PolicyDocument? policy = PolicyDocument.TryParse(System.Text.Encoding.UTF8.GetBytes(Policies.Text(1, rules)), errors);
        Assert.That(errors.Told.Select(error => error.What), Is.All.Matches<string>(what => what.Contains("permits nothing: ", StringComparison.Ordinal) || what.Contains("leaves none of the scopes", StringComparison.Ordinal)));
        return policy;
    }
}
