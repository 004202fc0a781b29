using static Nhi.TokenExchange.Tests.Policy.Policies;

namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>A hundred identities that look like the one that is permitted: none passes, by text, by list or by glob.</summary>
public class LookAlikeTests
{
    private const string Immutable = "repo:acme@101/orders@202:ref:refs/heads/main";

    private static readonly PolicyDocument Policy = Of(
        Permit("exact", $$"""{ "issuer": "{{GitHub}}", "subject": "{{MainBranch}}" }"""),
        Permit("listed", $$"""{ "issuer": "{{GitHub}}", "subject": { "anyOf": [ "{{MainBranch}}", "{{Immutable}}", "a", "b", "c", "d" ] } }"""),
        Permit("globbed", $$"""{ "issuer": { "anyOf": [ "{{GitHub}}" ] }, "subject": { "glob": "repo:acme/orders:ref:refs/heads/*" }, "claims": { "ref": "refs/heads/main" } }"""));

    private static IEnumerable<(string Issuer, string Subject)> LookAlikes()
    {
        string[] subjects =
        [
            // case
            "Repo:acme/orders:ref:refs/heads/main", "repo:Acme/orders:ref:refs/heads/main", "repo:acme/Orders:ref:refs/heads/main", "repo:ACME/ORDERS:ref:refs/heads/main", "repo:acme/orders:REF:refs/heads/main",
            "repo:acme/orders:ref:refs/Heads/main", "repo:acme/orders:ref:refs/heads/Main", MainBranch.ToUpperInvariant(),
            // letters of other scripts, and letters that fold to ours
            "repo:\u0430cme/orders:ref:refs/heads/main", "repo:acm\u0435/orders:ref:refs/heads/main", "repo:acme/\u043erders:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/m\u0430in", "rep\u043e:acme/orders:ref:refs/heads/main",
            "repo:acme/order\u0455:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/ma\u0456n", "repo:acme/orders:ref:refs/heads/ma\u0131n", "repo:acme/\uff4frders:ref:refs/heads/main", "repo:acme/order\u017f:ref:refs/heads/main",
            "repo:acme/ord\u212frs:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/\u217fain", "repo:\u03b1cme/orders:ref:refs/heads/main", "repo:acme/orders:ref:refs/he\u0251ds/main",
            // letters put together of parts
            "repo:acm\u0065\u0301/orders:ref:refs/heads/main", "repo:acm\u00e9/orders:ref:refs/heads/main", "repo:acme/orders\u0323:ref:refs/heads/main",
            // characters that nobody sees
            "repo:acme/orders:ref:refs/heads/main\u200b", "repo:acme/\u200borders:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/ma\u00adin", "\ufeffrepo:acme/orders:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/main\u0000",
            "repo:acme/orders:ref:refs/heads/main\u2060", "repo:acme/orders\u200d:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/\u202emain", "repo:acme/orders:ref:refs/heads/main\ufe0f",
            // white space
            " repo:acme/orders:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/main ", "repo:acme/orders:ref:refs/heads/main\n", "repo:acme/orders:ref:refs/heads/main\r\n", "repo:acme/ orders:ref:refs/heads/main",
            "repo:acme/orders:ref:refs/heads/main\t", "repo:acme/orders:ref:refs/heads/main\u00a0", "repo:acme/orders :ref:refs/heads/main", "repo: acme/orders:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/main\u3000",
            // separators: doubled, swapped, of other scripts
            "repo:acme//orders:ref:refs/heads/main", "repo::acme/orders:ref:refs/heads/main", "repo:acme/orders:ref:refs//heads/main", "repo:acme/orders:ref:refs/heads//main", "repo/acme/orders:ref:refs/heads/main",
            "repo:acme:orders:ref:refs/heads/main", "repo:acme/orders/ref:refs/heads/main", "repo:acme\\orders:ref:refs/heads/main", "repo:acme\u2215orders:ref:refs/heads/main", "repo\uff1aacme/orders:ref:refs/heads/main",
            "repo:acme\u2044orders:ref:refs/heads/main", "repo:acme/orders\u2236ref:refs/heads/main", "repo:acme/orders:ref:refs:heads:main",
            // dots
            "repo:acme/orders:ref:refs/heads/main.", "repo:acme./orders:ref:refs/heads/main", "repo:acme/orders.:ref:refs/heads/main", "repo:acme/./orders:ref:refs/heads/main", "repo:acme/../acme/orders:ref:refs/heads/main",
            "repo:.acme/orders:ref:refs/heads/main", "repo:acme/orders.git:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/./main",
            // percent codes, which GitHub writes for a colon
            "repo%3Aacme/orders:ref:refs/heads/main", "repo:acme%2Forders:ref:refs/heads/main", "repo:acme%2forders:ref:refs/heads/main", "repo:acme/orders%3Aref:refs/heads/main", "repo:acme/orders:ref:refs%2Fheads%2Fmain",
            "repo:acme/orders:ref:refs/heads/m%61in", "repo:%61cme/orders:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/main%00", "repo:acme/orders:ref:refs/heads/main%20",
            // begun or ended otherwise
            "repo:acme/orders:ref:refs/heads/main/", "/repo:acme/orders:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/main:", "xrepo:acme/orders:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/main2",
            "repo:acme/orders:ref:refs/heads/mai", "repo:acme/orders2:ref:refs/heads/main", "repo:acme-evil/orders:ref:refs/heads/main", "repo:acme/orders:ref:refs/heads/main,repo:evil/x:ref:refs/heads/main", "repo:acme/orders:ref:refs/tags/main",
            // other subjects of the same repository
            "repo:acme/orders:pull_request", "repo:acme/orders:environment:main", "repo:acme/orders:ref:refs/pull/1/merge", "repo:acme/orders:environment:ref%3Arefs/heads/main", "repo:acme/orders:ref:refs/heads/feature/main",
            // the other shape of GitHub: names with numbers
            "repo:acme@101/orders:ref:refs/heads/main", "repo:acme/orders@202:ref:refs/heads/main", "repo:acme@102/orders@202:ref:refs/heads/main", "repo:acme@101/orders@203:ref:refs/heads/main", "repo:acme@/orders@:ref:refs/heads/main",
            "repo:acme@0101/orders@202:ref:refs/heads/main", "repo:acme@101/orders@202:ref:refs/heads/main@1", "repo:acme%40101/orders%40202:ref:refs/heads/main",
        ];
        foreach (string subject in subjects)
            yield return (GitHub, subject);
        string[] issuers = [GitHub + "/", GitHub + ".", "http://token.actions.githubusercontent.com", GitHub + ":443", "https://token.actions.githubusercontent.com.evil.example", GitHub.ToUpperInvariant(), "https://token.actions.githubusercontent.com/acme", "https://token.actions.githubuserc\u043entent.com"];
        foreach (string issuer in issuers)
            yield return (issuer, MainBranch);
    }

    // A token says its branch twice: whoever has another one has it in both places.
    private static Dictionary<string, string> ClaimsOf(string issuer, string subject)
    {
        var claims = new Dictionary<string, string> { ["sub"] = subject, ["iss"] = issuer, ["repository_id"] = "4711" };
        if (subject.Split(":ref:") is [_, var branch])
            claims["ref"] = branch;
        return claims;
    }

    [Test]
    public void The_identity_itself_passes_in_both_shapes_of_GitHub()
    {
        Assert.That(Policy.Decide(Request()).Rule, Is.EqualTo("exact, listed"));
        Assert.That(Policy.Decide(Request(subject: Immutable)).Rule, Is.EqualTo("listed"));
        Assert.That(Policy.Decide(Request(claims: ClaimsOf(GitHub, MainBranch))).Rule, Is.EqualTo("exact, globbed, listed"));
    }

    [Test]
    public void None_of_a_hundred_that_look_alike_passes()
    {
        (string Issuer, string Subject)[] all = [.. LookAlikes()];
        Assert.That(all.Distinct().Count(), Is.GreaterThanOrEqualTo(100));
        Assert.Multiple(() =>
        {
            foreach ((string issuer, string subject) in all)
            {
                AccessDecision decision = Policy.Decide(Request(subject: subject, issuer: issuer, claims: ClaimsOf(issuer, subject)));
                Assert.That(decision.IsPermitted, Is.False, $"{issuer} {subject}");
                Assert.That(decision.Reason.Any(char.IsControl), Is.False, "a reason is one harmless line");
            }
        });
    }
}
