using Nhi.TokenExchange.Tests.Http;

namespace Nhi.TokenExchange.Tests.Exchange.KeyVault;

/// <summary>One refusal of Key Vault and the error that is made of it: each of its parts, word for word.</summary>
internal sealed class KeyVaultRefusalTests
{
    private const string Secret = KeyVaultAnswerTests.Secret;
    private const string Token = KeyVaultAnswerTests.Token;
    private const string Role = "Let the identity read this one secret: the role Key Vault Secrets User on it, or get in the vault's access policy.";
    private const string Firewall = "The vault's firewall does not let this network in.";

    // What is said of a 403 with this body.
    private static readonly (string Body, string Said)[] Bodies =
    [
        ("""{"error":{"code":"Forbidden","message":"Caller may not.","innererror":{"code":"ForbiddenByRbac"}}}""", " Forbidden, ForbiddenByRbac: Caller may not."),
        ("""{"error":{"code":"Forbidden","message":"Caller may not.\r\nAction: get...","innererror":null}}""", " Forbidden: Caller may not. Action: get."),
        ("""{"error":{"code":"Forbidden","message":"","innererror":{}}}""", " Forbidden."),
        ("""{"error":{"code":"Forbidden","message":null}}""", " Forbidden."),
        ("""{"error":{"code":"","message":"Caller may not","innererror":{"code":"ForbiddenByRbac"}}}""", " ForbiddenByRbac: Caller may not."),
        ("""{"error":{"code":"Forbidden","innererror":{"code":""}}}""", " Forbidden."),
        ("""{"error":{"innererror":{"message":"Caller","code":"ForbiddenByRbac","innererror":{"code":"Deeper"}},"code":7}}""", " 7, ForbiddenByRbac."),
        ("""{"error":{"message":"Caller may not"}}""", ": Caller may not."),
        ("""{"trace":{"code":"Before"},"error":{"code":"Forbidden"},"details":{"code":"Behind","message":"no"}}""", " Forbidden."),
        ("""{"error":null,"code":"Forbidden"}""", "."),
        ("""{"error":"Forbidden"}""", "."),
        ("""{"error":{"code":"Forbidden","code":"Other"}}""", " Forbidden."),
        ("""{"error":{"code":"Forbid""", "."),
        ("[]", "."),
        ("", "."),
        ($$$$"""{"error":{"code":"{{{{Token}}}}","message":"no {{{{Token}}}} here","innererror":{"code":"{{{{Token}}}}"}}}""", " [redacted], [redacted]: no [redacted] here."),
    ];

    [Test]
    public void An_error_says_what_the_vault_said_and_no_more()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string body, string said) in Bodies)
                Assert.That(Refused(403, body).Detail, Is.EqualTo($"{Secret} was answered by 403{said}"), body);
            Assert.That(Refused(403, Body("ForbiddenByFirewall"), "text/html").Detail, Is.EqualTo($"{Secret} was answered by 403."), "a page of a proxy");
        }
    }

    [TestCase(400, "NHI4001", false, null)]
    [TestCase(401, "NHI4011", false, "Key Vault refused the token. The target that is gone through must ask for the scope https://vault.azure.net/.default, in the tenant of the vault.")]
    [TestCase(403, "NHI4001", false, Role)]
    [TestCase(404, "NHI4001", false, "Check the name of the secret, its version and the vault; it may have been deleted.")]
    [TestCase(408, "NHI4002", true, null)]
    [TestCase(409, "NHI4001", false, null)]
    [TestCase(429, "NHI4003", true, "The vault limits how often it is asked.")]
    [TestCase(499, "NHI4001", false, null)]
    [TestCase(500, "NHI4002", true, null)]
    [TestCase(503, "NHI4002", true, null)]
    public void A_status_says_whose_turn_it_is_and_only_what_passes_has_a_wait(int status, string code, bool isTransient, string? hint)
    {
        TokenExchangeException refused = Refused(status, "{}", headers: [("Retry-After", "7"), ("x-ms-request-id", "of-the-vault")]);

        Assert.That((refused.Code, refused.Stage, refused.Detail, refused.IsTransient), Is.EqualTo((code, ExchangeStage.Exchange, $"{Secret} was answered by {status}.", isTransient)));
        Assert.That((refused.RetryAfter, refused.Hint, refused.CorrelationId), Is.EqualTo((isTransient ? TimeSpan.FromSeconds(7) : (TimeSpan?)null, hint, "of-the-vault")));
    }

    [TestCase(403, "SecretDisabled", "The secret is disabled: let its owner enable it, or store the next version.")]
    [TestCase(403, "ForbiddenByFirewall", Firewall)]
    [TestCase(403, "ForbiddenByConnection", Firewall)]
    [TestCase(403, "ForbiddenByRbac", Role)]
    [TestCase(403, "", Role)]
    [TestCase(400, "SecretDisabled", null)]
    [TestCase(409, "ForbiddenByFirewall", null)]
    public void The_inner_error_of_a_403_says_what_to_do(int status, string inner, string? hint) =>
        Assert.That(Refused(status, Body(inner)).Hint, Is.EqualTo(hint));

    [Test]
    public void The_id_that_the_vault_keeps_a_request_under_is_shown_without_the_token_and_is_none_where_it_says_none()
    {
        Assert.That(Refused(403, "{}", headers: ("x-ms-request-id", $"of {Token}")).CorrelationId, Is.EqualTo("of [redacted]"));
        Assert.That(Refused(403, "{}").CorrelationId, Is.Null);
    }

    [Test]
    public void What_the_vault_says_when_it_is_too_busy_is_read_when_all_tries_are_over()
    {
        using HttpMessageInvoker channel = WireSamples.Backchannel(transport: () => new Wire(_ => WireAnswers.Json("""{"error":{"code":"Throttled","message":"Request was not processed because too many requests were received."}}""", 429)));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => KeyVaultAnswerTests.ReadAsync(channel))!;

        Assert.That((refused.Code, refused.Detail), Is.EqualTo(("NHI4003", $"{Secret} was answered by 429 Throttled: Request was not processed because too many requests were received.")));
    }

    private static string Body(string inner) => $$$$"""{"error":{"code":"Forbidden","message":"no","innererror":{"code":"{{{{inner}}}}"}}}""";

    private static TokenExchangeException Refused(int status, string body, string type = "application/json", params (string Name, string Value)[] headers) =>
        Assert.ThrowsAsync<TokenExchangeException>(() => KeyVaultAnswerTests.ReadAsync(new Wire(_ => WireAnswers.Of(body, type, status, headers))))!;
}
