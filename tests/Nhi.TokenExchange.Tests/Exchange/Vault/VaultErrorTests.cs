namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>One refusal of Vault and the error that is made of it: each of its parts, and each hint word for word.</summary>
internal sealed class VaultErrorTests
{
    private const string OfTheRole = "Check Role: it must be there at this mount and namespace, and without one the mount must have a default role.";
    private const string OfTheProof = "Vault refused the proof. Compare its issuer, audience, subject and claims with the role's bound_audiences, bound_subject and bound_claims, and the clocks.";
    private const string OfTheNetwork = "Vault refused the proof, or this network (token_bound_cidrs). Compare the proof with the role.";
    private const string Unseen = "Check path, mount and Namespace. Vault says the same where a policy does not let the token see the path.";
    private const string Dead = "The Vault token has ended or was revoked.";
    private const string Denied = "Let a policy of the login's role permit this path, or correct the path. The target's other settings are right.";
    private const string Secondary = "This node is a secondary or a standby that serves no requests. Name the address of the active cluster.";

    private static readonly (bool IsLogin, int Status, string? Error, string Code, bool IsTransient, string? Hint)[] Refusals =
    [
        (true, 400, "error validating token", "NHI4011", false, OfTheProof),
        (true, 400, "role orders could not be found", "NHI4001", false, OfTheRole),
        (true, 403, "permission denied", "NHI4011", false, OfTheNetwork),
        (true, 403, "no such role", "NHI4001", false, OfTheNetwork),
        (true, 404, null, "NHI4001", false, Unseen),
        (false, 400, "unsupported path", "NHI4001", false, "Check the path and the method of the target against the secrets engine."),
        (false, 400, "unknown role: readonly", "NHI4001", false, OfTheRole),
        (false, 403, "invalid token", "NHI4011", false, Dead),
        (false, 403, "bad token", "NHI4011", false, Dead),
        (false, 403, "no", "NHI4001", false, Denied),
        (false, 404, null, "NHI4001", false, Unseen),
        (false, 405, "unsupported operation", "NHI4001", false, "Set Method to the other one, Get or Post: the secrets engine does not take this one at that path."),
        (false, 407, null, "NHI4001", false, null),
        (false, 408, null, "NHI4002", true, null),
        (false, 412, null, "NHI4002", true, "The server has not caught up with what was just written."),
        (false, 429, null, "NHI4003", true, "The server limits how often it is asked; ask less often or have the quota raised."),
        (false, 472, null, "NHI4001", false, Secondary),
        (false, 473, null, "NHI4001", false, Secondary),
        (false, 499, null, "NHI4001", false, null),
        (false, 500, "failed to create user", "NHI4002", true, null),
        (false, 503, "Vault is sealed", "NHI4002", true, "The server is sealed or in maintenance."),
    ];

    // What stands in the body of a refusal, and what is shown of it.
    private static readonly (string Body, string Shown)[] Said =
    [
        ("""{"errors":["one"]}""", ": one"),
        ("""{"request_id":"r","errors":["one","two."],"warnings":["three"]}""", ": one; two"),
        ("""{"errors":["one\ntwo"]}""", ": one two"),
        ("""{"errors":["1","2","3","4","5"]}""", ": 1; 2; 3; 4; 5"),
        ("""{"errors":["1","2","3","4","5","6"]}""", ": 1; 2; 3; 4; 5"),
        ("""{"errors":["no words-that-prove-a-login here"]}""", ": no [redacted] here"),
        ("""{"errors":["one","\ud800"]}""", ": one; unreadable"),
        ("""{"errors":[[[[[[[[[[[[[[[[[[[["too deep"]]]]]]]]]]]]]]]]]]]]}""", ": unreadable"),
        ("""{"errors":[7]}""", ""),
        ("""{"errors":[]}""", ""),
        ("{}", ""),
        ("no JSON", ""),
        ("", ""),
    ];

    private static async Task<TokenExchangeException> RefusedAsync(ScriptedVault vault, bool isLogin = false, string? ns = null)
    {
        try
        {
            if (isLogin)
                await vault.LoginAsync(o => o.Namespace = ns);
            else
                await vault.ReadAsync(o => o.Namespace = ns);
        }
        catch (TokenExchangeException refused)
        {
            return refused;
        }
        throw new AssertionException("It was not refused.");
    }

    [Test]
    public async Task Each_status_has_its_code_and_hint_and_only_what_passes_has_a_wait()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((bool isLogin, int status, string? error, string code, bool isTransient, string? hint) in Refusals)
            {
                using var vault = new ScriptedVault(ScriptedVault.No(status, error)) { Headers = [("Retry-After", "7"), ("x-request-id", "r-1")] };

                TokenExchangeException refused = await RefusedAsync(vault, isLogin);

                string name = $"{(isLogin ? "login" : "secret")} {status} {error}";
                Assert.That((refused.Code, refused.Stage, refused.IsTransient, refused.Hint), Is.EqualTo((code, ExchangeStage.Exchange, isTransient, hint)), name);
                Assert.That((refused.RetryAfter, refused.CorrelationId), Is.EqualTo((isTransient ? TimeSpan.FromSeconds(7) : (TimeSpan?)null, "r-1")), name);
                Assert.That(refused.Detail, Is.EqualTo($"Host vault.test:8200 answered {status} at {(isLogin ? "auth/jwt/login" : ScriptedVault.Path)}{(error is null ? "" : $": {error}")}."));
            }
        }
    }

    [Test]
    public async Task What_Vault_says_against_it_is_told_up_to_five_texts_whatever_is_wrong_with_their_form()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string body, string shown) in Said)
            {
                using var vault = new ScriptedVault((405, body));

                Assert.That((await RefusedAsync(vault)).Detail, Is.EqualTo($"Host vault.test:8200 answered 405 at {ScriptedVault.Path}{shown}."), body);
            }
        }
    }

    [Test]
    public async Task A_page_is_no_answer_and_an_empty_one_says_nothing()
    {
        using var page = new ScriptedVault((200, "<html>")) { Type = "text/html", Headers = [("x-request-id", "r-1")] };
        using var empty = new ScriptedVault((204, "")) { Type = "text/html" };

        TokenExchangeException ofThePage = await RefusedAsync(page), ofNothing = await RefusedAsync(empty, isLogin: true);

        Assert.That((ofThePage.Code, ofThePage.Detail, ofThePage.Hint, ofThePage.IsTransient, ofThePage.CorrelationId), Is.EqualTo((
            "NHI4004", $"The answer at {ScriptedVault.Path} (6 bytes) is not JSON.", "Check the address of the server; a proxy or a sign-in page may have answered.", true, "r-1")));
        Assert.That((ofNothing.Code, ofNothing.Detail, ofNothing.Hint, ofNothing.IsTransient), Is.EqualTo((
            "NHI4004", "The answer of host vault.test has no client_token.", "Check the address of the server, the mount and the path.", false)));
    }

    // Whether a token is dead or denied, an older server does not say: it may not even look at itself, then.
    [TestCase("permission denied", 403, "permission denied", null, "NHI4011", Dead, 2)]
    [TestCase("permission denied", 403, "invalid token", null, "NHI4011", Dead, 2)]
    [TestCase("permission denied", 403, "blocked", null, "NHI4001", Denied, 2)]
    [TestCase("permission denied", 200, null, null, "NHI4001", Denied, 2)]
    [TestCase("permission denied", 403, "permission denied", "acme", "NHI4001", Denied, 1)]
    [TestCase("blocked", 403, "permission denied", null, "NHI4001", Denied, 1)]
    [TestCase("blocked", 403, "permission denied", "acme", "NHI4001", Denied, 1)]
    [TestCase("invalid token", 403, "permission denied", null, "NHI4011", Dead, 1)]
    public async Task A_denied_token_is_looked_at_where_a_dead_one_may_be_denied_too(string said, int lookupStatus, string? lookup, string? ns, string code, string hint, int requests)
    {
        using var vault = new ScriptedVault(ScriptedVault.No(403, said), ScriptedVault.No(lookupStatus, lookup)) { Headers = [("x-request-id", "r-1")] };

        TokenExchangeException refused = await RefusedAsync(vault, ns: ns);

        Assert.That((refused.Code, refused.Hint, refused.CorrelationId, refused.IsTransient), Is.EqualTo((code, hint, "r-1", false)));
        Assert.That(refused.Detail, Is.EqualTo($"Host vault.test:8200 answered 403 at {ScriptedVault.Path}: {said}."));
        Assert.That(vault.Asked, Is.EqualTo(new[] { $"GET /v1/{ScriptedVault.Path}", "GET /v1/auth/token/lookup-self" }.Take(requests)));
        Assert.That(vault.Requests.Select(request => request.Headers["X-Vault-Token"]), Is.All.EqualTo(ScriptedVault.Token));
    }
}
