namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>One answer of Vault and what is made of it: what was issued is kept with its flaw, so that it is ended; what was not is an error.</summary>
internal sealed class VaultAnswerTests
{
    private const string Auth = """ "auth":{"client_token":"opens-the-vault","accessor":"a-1","lease_duration":3600} """;
    private const string FlawedAuth = """ "auth":{"client_token":"opens-the-vault","accessor":"a-1","lease_duration":3600,"num_uses":"x"} """;
    private const string OfUses = "has an auth that has 'num_uses' that is no whole number of 64 bits";
    private const string CheckTheAddress = "Check the address of the server, the mount and the path.";
    private const string NoLease = "yes: what Vault gives at this path has no lease that could be revoked: a copy works until it dies by itself";

    // Of several faults the first one that is read is told.
    private static readonly (string Body, string? Fault)[] Faults =
    [
        ($"{{{Auth}}}", null),
        ($$"""{{{Auth}},"data":null,"wrap_info":null,"more":1}""", null),
        ($"{{{FlawedAuth}}}", OfUses),
        ($$"""{{{Auth}},"data":{"a":1,"a":2} }""", "has a data that has 'a' twice"),
        ($$"""{{{Auth}},"wrap_info":{"token":5} }""", "has a wrap_info that has 'token' that is no string"),
        ($$"""{{{Auth}},"request_id":5}""", "has 'request_id' that is no string"),
        ($$"""{{{Auth}}""", "is not well-formed JSON, or is nested too deep"),
        ($$"""{{{FlawedAuth}},"data":{} }""", OfUses),
        ($$"""{{{FlawedAuth}},"data":{"a":1,"a":2} }""", OfUses),
        ($$"""{{{FlawedAuth}},"wrap_info":{} }""", OfUses),
        ($$"""{"data":{"a":1,"a":2},{{Auth}}}""", "has a data that has 'a' twice"),
        ($$"""{"data":{"a":1,"a":2},{{FlawedAuth}}}""", "has a data that has 'a' twice"),
    ];

    private static string Login(string token) => $$"""{"request_id":"r-1","auth":{"client_token":{{token}},"lease_duration":3600} }""";

    private static string Leased(string more, string data = """{"username":"u"}""") => $$"""{"request_id":"r-1","lease_id":"l/1","data":{{data}}{{more}}}""";

    [Test]
    public async Task A_fault_of_the_form_is_a_flaw_of_what_was_issued_all_the_same()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string body, string? fault) in Faults)
            {
                using var vault = new ScriptedVault((200, body));

                Issued<BearerToken> login = await vault.LoginAsync();

                Assert.That((login.Flaw?.Detail, login.Flaw?.Hint, login.Flaw?.Code), Is.EqualTo(fault is null ? (null, null, null) : ($"The answer of host vault.test {fault}.", CheckTheAddress, "NHI4004")), body);
                Assert.That((login.Credential.Reveal(), login.RevocationHandle), Is.EqualTo(("opens-the-vault", "a-1")), body);
            }
        }
    }

    // They look like no token, so that no pattern finds them.
    [TestCase(ScriptedVault.Proof)]
    [TestCase("opens-the-vault")]
    public async Task A_name_of_a_request_to_log_in_repeats_neither_what_was_sent_nor_what_came(string secret)
    {
        using var vault = new ScriptedVault((200, $$"""{"request_id":"r-{{secret}}",{{Auth}}}"""));

        Issued<BearerToken> login = await vault.LoginAsync();

        Assert.That((login.CorrelationId, login.Credential.Reveal()), Is.EqualTo(("r-[redacted]", "opens-the-vault")));
    }

    [TestCase(ScriptedVault.Token)]
    [TestCase("A1a-two-kings")]
    public async Task A_name_of_a_request_for_a_secret_repeats_neither_what_was_sent_nor_what_came(string secret)
    {
        using var vault = new ScriptedVault((200, $$"""{"request_id":"pw={{secret}}","lease_id":"l/1","lease_duration":60,"data":{"password":"A1a-two-kings"} }"""));

        Issued<VaultSecret> read = await vault.ReadAsync();

        Assert.That((read.CorrelationId, read.Credential.Reveal("password")), Is.EqualTo(("pw=[redacted]", "A1a-two-kings")));
    }

    [TestCase("""{"SECRET":1,"SECRET":2,AUTH}""", "has '[redacted]' twice")]
    [TestCase("""{"data":{"SECRET":1,"SECRET":2},AUTH}""", "has a data that has '[redacted]' twice")]
    [TestCase("""{"wrap_info":{"SECRET":1,"SECRET":2},AUTH}""", "has a wrap_info that has '[redacted]' twice")]
    public async Task A_member_that_stands_twice_is_not_named_by_a_secret(string body, string fault)
    {
        using var vault = new ScriptedVault((200, body.Replace("SECRET", ScriptedVault.Proof, StringComparison.Ordinal).Replace("AUTH", Auth, StringComparison.Ordinal)));

        Assert.That((await vault.LoginAsync()).Flaw?.Detail, Is.EqualTo($"The answer of host vault.test {fault}."));
    }

    [TestCase("client_token", "auth")]
    [TestCase("token", "wrap_info")]
    public async Task Nor_by_the_token_that_came(string member, string where)
    {
        using var vault = new ScriptedVault((200, $$"""{"{{where}}":{"words-that-open":1,"words-that-open":2,"{{member}}":"words-that-open","accessor":"a-1","wrapped_accessor":"a-1","lease_duration":60} }"""));

        TokenExchangeException? failure;
        try
        {
            failure = (await vault.LoginAsync()).Flaw;
        }
        catch (TokenExchangeException refused)   // one that is wrapped is no login
        {
            failure = refused;
        }

        Assert.That(failure?.ToString(), Does.Contain("has '[redacted]' twice").And.Not.Contain("words-that-open"));
    }

    // What was understood before the end was issued.
    [TestCase("""{"auth":{"client_token":"opens-the-vault","accessor":"a-1","policies":["def""")]
    [TestCase("""{"auth":{"accessor":"a-1","client_token":"opens-the-vault","metadata":{"a":""")]
    public async Task A_login_that_breaks_off_behind_its_token_is_kept_with_its_flaw(string body)
    {
        using var vault = new ScriptedVault((200, body));

        Issued<BearerToken> login = await vault.LoginAsync();

        Assert.That((login.Flaw?.Code, login.Credential.Reveal(), login.RevocationHandle), Is.EqualTo(("NHI4004", "opens-the-vault", "a-1")));
    }

    [TestCase("opens-the-vault")]
    [TestCase("auth/opens-the-vault")]
    [TestCase("the-vault")]
    [TestCase(ScriptedVault.Proof)]
    public async Task An_accessor_that_repeats_a_secret_is_not_written_down(string accessor)
    {
        using var vault = new ScriptedVault((200, $$"""{"request_id":"r-1","auth":{"client_token":"opens-the-vault","accessor":"{{accessor}}","lease_duration":3600} }"""));

        Issued<BearerToken> login = await vault.LoginAsync();

        Assert.That((login.RevocationHandle, login.Flaw?.Detail), Is.EqualTo(((string?)null, "The answer of host vault.test has an accessor that repeats a secret.")));
    }

    [Test]
    public async Task Nor_is_a_lease_that_repeats_its_login()
    {
        using var vault = new ScriptedVault((200, Leased(",\"lease_duration\":3600").Replace("l/1", $"l/{ScriptedVault.Token}", StringComparison.Ordinal)));

        Issued<VaultSecret> secret = await vault.ReadAsync();

        Assert.That((secret.RevocationHandle, secret.Flaw?.Detail), Is.EqualTo(((string?)null, "The answer of host vault.test has a lease_id that repeats a secret.")));
    }

    [TestCase("null", "has no client_token.")]
    [TestCase("\"\"", "has no client_token.")]
    [TestCase("5", "has an auth that has 'client_token' that is no string.")]
    [TestCase("\"a b\"", "has a client_token that can't be sent: The token has a character at position 1 of 3 that RFC 6750 §2.1 does not allow.")]
    public void A_login_without_a_token_that_can_be_sent_is_none(string token, string said)
    {
        using var vault = new ScriptedVault((200, Login(token)));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => vault.LoginAsync())!;

        Assert.That((refused.Code, refused.Hint, refused.CorrelationId), Is.EqualTo(("NHI4004", CheckTheAddress, "r-1")));
        Assert.That(refused.Detail, Is.EqualTo($"The answer of host vault.test {said}"));
    }

    // Five minutes are assumed where a server says nothing of use; ten years are the longest.
    [TestCase(null, null)]
    [TestCase(-1L, null)]
    [TestCase(0L, null)]
    [TestCase(1L, 1L)]
    [TestCase(3600L, 3600L)]
    [TestCase(315_360_000L, 315_360_000L)]
    [TestCase(315_360_001L, null)]
    public async Task A_life_is_from_a_second_to_ten_years_and_a_login_without_one_is_flawed(long? said, long? seconds)
    {
        string life = said is null ? "null" : FormattableString.Invariant($"{said}");
        using var logins = new ScriptedVault((200, $$"""{"request_id":"r-1","auth":{"client_token":"opens-the-vault","lease_duration":{{life}} } }"""));
        using var secrets = new ScriptedVault((200, Leased($",\"lease_duration\":{life}")));

        Issued<BearerToken> login = await logins.LoginAsync();
        Issued<VaultSecret> secret = await secrets.ReadAsync();

        DateTimeOffset end = logins.Time.GetUtcNow().AddSeconds(seconds ?? 300);
        Assert.That((login.Credential.ExpiresAt, login.EndIsAssumed, secret.Credential.ExpiresAt, secret.EndIsAssumed), Is.EqualTo((end, seconds is null, end, seconds is null)));
        Assert.That((login.Flaw?.Code, login.Flaw?.Detail, login.Flaw?.Hint, login.Flaw?.CorrelationId), Is.EqualTo(seconds is null
            ? ("NHI5007", "The token of the login has no end.", "Set token_ttl (and no token_period of 0) at the role.", "r-1")
            : (null, null, null, null)));
        Assert.That((secret.Flaw, secret.RevocationHandle, secret.CorrelationId), Is.EqualTo(((TokenExchangeException?)null, "l/1", "r-1")));
    }

    [Test]
    public async Task What_has_neither_data_nor_lease_is_no_secret_and_a_lease_without_data_is_ended()
    {
        using var none = new ScriptedVault((200, """{"request_id":"r-1"}"""));
        using var flawed = new ScriptedVault((200, """{"request_id":"r-1","lease_id":5}"""));
        using var lease = new ScriptedVault((200, """{"request_id":"r-1","lease_id":"l/1","lease_duration":60}"""));

        TokenExchangeException nothing = Assert.ThrowsAsync<TokenExchangeException>(() => none.ReadAsync())!, unread = Assert.ThrowsAsync<TokenExchangeException>(() => flawed.ReadAsync())!;
        Issued<VaultSecret> empty = await lease.ReadAsync();

        Assert.That((nothing.Code, nothing.Detail, nothing.CorrelationId), Is.EqualTo(("NHI4004", "The answer of host vault.test at database/creds/readonly has no data.", "r-1")));
        Assert.That(unread.Detail, Is.EqualTo("The answer of host vault.test has 'lease_id' that is no string."));
        Assert.That((empty.Flaw?.Detail, empty.RevocationHandle, empty.EndIsAssumed), Is.EqualTo(("The answer of host vault.test at database/creds/readonly has a lease and no data.", "l/1", false)));
        Assert.That(empty.Credential.Fields, Is.Empty);
    }

    [TestCase("""{"token":"t","expires_at_seconds":253402300798}""", "9999-12-31T23:59:58Z")]
    [TestCase("""{"token":"t","expires_at_seconds":253402300799}""", null)]
    [TestCase("""{"token":"t","expires_at_seconds":-1}""", null)]
    [TestCase("""{"token":"t"}""", null)]
    public async Task What_has_no_lease_says_its_end_itself_or_is_a_static_secret(string data, string? end)
    {
        using var vault = new ScriptedVault((200, $$"""{"request_id":"r-1","lease_duration":2764800,"renewable":true,"data":{{data}}}"""));

        Issued<VaultSecret> secret = await vault.ReadAsync();

        Assert.That((secret.Flaw?.Code, secret.Flaw?.Detail, secret.Flaw?.Hint, secret.Flaw?.CorrelationId), Is.EqualTo(end is not null ? (null, null, null, null) : (
            "NHI5007", "What Vault gives at database/creds/readonly has no lease and says no end: it is a static secret.",
            "Name a path of a secrets engine that makes secrets with a lease, such as database/creds/… or azure/creds/….", "r-1")));
        Assert.That((secret.EndIsAssumed, secret.RevocationHandle, secret.Credential.IsRenewable), Is.EqualTo((false, (string?)null, false)));
        if (end is not null)
            Assert.That(secret.Credential.ExpiresAt, Is.EqualTo(DateTimeOffset.Parse(end, System.Globalization.CultureInfo.InvariantCulture)));
    }

    [TestCase(""","renewable":true""", true)]
    [TestCase(""","renewable":false""", false)]
    [TestCase("", false)]
    public async Task A_lease_is_renewable_where_Vault_says_so(string said, bool isRenewable)
    {
        using var vault = new ScriptedVault((200, Leased($",\"lease_duration\":60{said}")));

        Assert.That((await vault.ReadAsync()).Credential.IsRenewable, Is.EqualTo(isRenewable));
    }

    [Test]
    public async Task Whether_there_is_something_to_revoke_is_learnt_from_the_newest_answer()
    {
        TokenExchanger<VaultSecret> secrets = Targets.VaultSecret(ScriptedVault.Address, ScriptedVault.Path);
        TokenExchanger<BearerToken> logins = Targets.VaultLogin(ScriptedVault.Address);
        using var ofSecrets = new ScriptedVault((200, """{"data":{"expires_at_seconds":1800000000}}"""), (200, Leased("")));
        using var ofLogins = new ScriptedVault((200, Login("\"opens-the-vault\"")), (200, $"{{{Auth}}}"));
        var seen = new List<string>();
        for (int answer = 0; answer < 3; answer++)
        {
            seen.Add($"{secrets.ReusableAfterJob}");
            seen.Add($"{logins.ReusableAfterJob}");
            await secrets.ExchangeAsync(ofSecrets.Request(), default);
            await logins.ExchangeAsync(ofLogins.Request(ScriptedVault.Proof), default);
        }

        const string LeaseEnds = "no: its lease is revoked when the job ends", TokenEnds = "no: the token revokes itself when the job ends";
        const string Batch = "yes: the role gives batch tokens, which nothing can revoke: a copy works until it dies by itself";
        Assert.That(seen, Is.EqualTo(new[] { LeaseEnds, TokenEnds, NoLease, Batch, LeaseEnds, TokenEnds }));
    }
}
