using Nhi.TokenExchange.Tests.Policy;

namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>What Vault is asked: each request as it is on the wire, and what is not even asked for.</summary>
internal sealed class VaultRequestTests
{
    private const string Renewed = """{"request_id":"r-1","lease_id":"l/1","renewable":true,"lease_duration":3600,"auth":{"client_token":"opens-the-vault","lease_duration":3600,"renewable":true}}""";
    private const string Secret = """{"request_id":"r-2","lease_id":"l/2","renewable":true,"lease_duration":3600,"data":{"username":"u"}}""";
    private const string PathRemedy = "Write segments divided by single slashes, such as database/creds/readonly: letters, digits and - . _ ~ @ : + = ,.";

    private static readonly Uri Server = ScriptedVault.Address;

    // What is wrong with a path below /v1/, for each way to be wrong; a secret is not read from what is Vault's own.
    private static readonly (string Path, string Fault)[] Paths =
    [
        ("", "has 0 characters; 1 to 512 are taken"),
        (new string('p', 513), "has 513 characters; 1 to 512 are taken"),
        ("a%2fb", "has a percent sign, which would hide what the path is"),
        ("?a", "has a character at position 0 that no path may have"),
        ("a/b?", "has a character at position 3 that no path may have"),
        ("/a", "begins or ends with a slash"),
        ("a/", "begins or ends with a slash"),
        ("a//b", "has two slashes together"),
        ("a/../b", "has a segment of dots, which would lead elsewhere"),
        ("a/./b", "has a segment of dots, which would lead elsewhere"),
        ("v1/a", "begins with v1, which is put before it anyway"),
        ("sys/raw", "is Vault's own and gives no secret of a secrets engine"),
        ("auth/token", "is Vault's own and gives no secret of a secrets engine"),
        ("cubbyhole/a", "is Vault's own and gives no secret of a secrets engine"),
    ];

    private static readonly (Action Make, string Said)[] Options =
    [
        (() => Targets.VaultLogin(Server, ""), "The role is empty. Name one, or null for the mount's default role. (Parameter 'role')"),
        (() => Targets.VaultLogin(Server, "r", o => o.Method = (VaultAuthMethod)7), "Method is none of its values. (Parameter 'options')"),
        (() => Targets.VaultLogin(Server, null, o => o.Method = VaultAuthMethod.Kubernetes), "The Kubernetes auth method has no default role. Name one. (Parameter 'role')"),
        (() => Targets.VaultLogin(Server, "r", o => o.Mount = "sys/"), $"Mount begins or ends with a slash. {PathRemedy} (Parameter 'Mount')"),
        (() => Targets.VaultLogin(Server, "r", o => o.Namespace = "a//b"), $"Namespace has two slashes together. {PathRemedy} (Parameter 'Namespace')"),
        (() => Targets.VaultLogin(Server, "r", o => o.WrapLifetime = TimeSpan.FromSeconds(9)), "WrapLifetime is 00:00:09; give 00:00:10 to 00:10:00, or null. (Parameter 'wrapLifetime')"),
        (() => Targets.VaultLogin(Server, "r", o => o.WrapLifetime = TimeSpan.FromSeconds(601)), "WrapLifetime is 00:10:01; give 00:00:10 to 00:10:00, or null. (Parameter 'wrapLifetime')"),
        (() => Targets.VaultLogin(new Uri(Server, "/v1"), "r"), "The server has a path. Give the address alone, such as https://vault.example:8200. (Parameter 'server')"),
        (() => Targets.VaultSecret(Server, "a/b", o => o.Method = (VaultSecretMethod)7), "Method is none of its values. (Parameter 'options')"),
        (() => Key(path: "a//b"), $"path has two slashes together. {PathRemedy} (Parameter 'path')"),
        (() => Key(o => o.Mount = "sys"), $"Mount is Vault's own and gives no secret of a secrets engine. {PathRemedy} (Parameter 'options')"),
        (() => Key(o => o.Mount = "a//b"), $"Mount has two slashes together. {PathRemedy} (Parameter 'options')"),
        (() => Key(o => o.Field = ""), "Field is no field of a secret: 1 to 256 characters of visible ASCII. (Parameter 'options')"),
        (() => Key(o => o.Field = new string('f', 257)), "Field is no field of a secret: 1 to 256 characters of visible ASCII. (Parameter 'options')"),
        (() => Key(o => o.Field = "a b"), "Field is no field of a secret: 1 to 256 characters of visible ASCII. (Parameter 'options')"),
        (() => Key(o => o.Engine = (VaultKvEngine)7), "Engine is none of its values. (Parameter 'options')"),
        (() => Key(o => o.Namespace = "acme/"), $"Namespace begins or ends with a slash. {PathRemedy} (Parameter 'Namespace')"),
        (() => Targets.VaultStaticKey(new Uri(Server, "/v1"), "a", "Billing team", DateTimeOffset.MaxValue), "The server has a path. Give the address alone, such as https://vault.example:8200. (Parameter 'server')"),
    ];

    private static TokenExchanger Key(Action<VaultStaticKeyOptions>? options = null, string path = "legacy/billing") => Targets.VaultStaticKey(Server, path, "Billing team", DateTimeOffset.MaxValue, options);

    [Test]
    public void B23_Each_fault_of_a_path_is_named_and_none_is_quoted()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string path, string fault) in Paths)
                Assert.That(Assert.Throws<ArgumentException>(() => Targets.VaultSecret(Server, path))?.Message, Is.EqualTo($"The path {fault}. {PathRemedy} (Parameter 'path')"), path);
            Assert.That(() => Targets.VaultSecret(Server, new string('p', 512)), Throws.Nothing);
            Assert.That(() => Targets.VaultSecret(Server, "system/auth/v1/a.b"), Throws.Nothing);
        }
    }

    [Test]
    public void Each_option_that_is_wrong_is_named_with_what_to_write()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((Action make, string said) in Options)
                Assert.That(Assert.Throws<ArgumentException>(() => make())?.Message, Is.EqualTo(said));
            Assert.That(() => Targets.VaultLogin(Server, null, o => o.WrapLifetime = TimeSpan.FromMinutes(10)), Throws.Nothing);
            Assert.That(() => Targets.VaultLogin(Server, null, o => o.WrapLifetime = TimeSpan.FromSeconds(10)), Throws.Nothing);
            Assert.That(() => Key(o => o.Field = new string('f', 256)), Throws.Nothing);
            Assert.That(Targets.VaultLogin(Server, "r", o => o.SubjectAudience = "urn:vault").SubjectAudience.ToString(), Is.EqualTo("urn:vault"));
            Assert.That(Targets.VaultLogin(Server, "r").SubjectAudience.ToString(), Is.EqualTo("https://vault.test:8200"));
        }
    }

    [Test]
    public void What_Vault_has_no_word_for_is_refused_and_not_sent()
    {
        using var vault = new ScriptedVault((200, Secret));
        TokenExchanger<BearerToken> login = Targets.VaultLogin(Server);
        TokenExchanger<VaultSecret> secret = Targets.VaultSecret(Server, ScriptedVault.Path);
        var key = (StaticKeyExchanger)Key();
        ExchangeRequest acting = vault.Request(actor: ScriptedVault.SubjectOf(ScriptedVault.OtherToken)), ofATenant = vault.Request(tenant: "acme");

        using (Assert.EnterMultipleScope())
        {
            foreach (Func<ExchangeRequest, Task> ask in new Func<ExchangeRequest, Task>[] { async r => await login.ExchangeAsync(r, default), async r => await secret.ExchangeAsync(r, default), async r => await key.ExchangeAsync(r, default) })
            {
                TokenExchangeException? actor = Assert.ThrowsAsync<TokenExchangeException>(() => ask(acting)), tenant = Assert.ThrowsAsync<TokenExchangeException>(() => ask(ofATenant));
                Assert.That((actor?.Code, actor?.Stage, actor?.Detail, actor?.Hint), Is.EqualTo(("NHI4008", ExchangeStage.Exchange, "The target names an actor; Vault takes none.", "Leave the actor out.")));
                Assert.That(tenant?.Detail, Is.EqualTo("A tenant or the claims of a challenge were asked for; this issuer knows neither."));
            }
            Assert.That(vault.Requests, Is.Empty);
        }
    }

    [TestCase(VaultSecretMethod.Get, "GET", "")]
    [TestCase(VaultSecretMethod.Post, "POST", "{}")]
    public async Task A_secret_is_asked_for_by_the_verb_of_its_engine(VaultSecretMethod method, string verb, string body)
    {
        using var vault = new ScriptedVault((200, Secret));

        await vault.ReadAsync(o => (o.Method, o.Namespace) = (method, "acme"));

        ReceivedRequest sent = vault.Requests.Single();
        Assert.That((sent.Method, sent.Path, sent.Body), Is.EqualTo((verb, $"/v1/{ScriptedVault.Path}", body)));
        Assert.That(sent.Headers.Select(header => (header.Key, header.Value)), Is.EquivalentTo(new[] { ("X-Vault-Request", "true"), ("X-Vault-Token", ScriptedVault.Token), ("X-Vault-Namespace", "acme") }));
    }

    [Test]
    public void A_login_sends_role_and_proof_and_asks_for_a_wrapped_answer_by_seconds()
    {
        using var vault = new ScriptedVault((400, ""));
        TokenExchanger<BearerToken> usual = Targets.VaultLogin(Server), wrapped = Targets.VaultLogin(Server, "orders", o => (o.Method, o.WrapLifetime) = (VaultAuthMethod.Kubernetes, TimeSpan.FromSeconds(90)));
        foreach (TokenExchanger<BearerToken> login in new[] { usual, wrapped })
            Assert.ThrowsAsync<TokenExchangeException>(async () => await login.ExchangeAsync(vault.Request(ScriptedVault.Proof), default));

        Assert.That(vault.Asked, Is.EqualTo(new[] { "POST /v1/auth/jwt/login", "POST /v1/auth/kubernetes/login" }));
        Assert.That(vault.Requests.Select(request => request.Body), Is.EqualTo(new[] { $$"""{"jwt":"{{ScriptedVault.Proof}}"}""", $$"""{"role":"orders","jwt":"{{ScriptedVault.Proof}}"}""" }));
        Assert.That(vault.Requests[0].Headers.Select(header => (header.Key, header.Value)), Is.EqualTo(new[] { ("X-Vault-Request", "true") }));
        Assert.That(vault.Requests[1].Headers["X-Vault-Wrap-TTL"], Is.EqualTo("90"));
    }

    [Test]
    public async Task A_lease_is_renewed_for_what_is_asked_in_whole_seconds()
    {
        using var vault = new ScriptedVault((200, Renewed));

        Issued<VaultSecret> renewed = await Targets.VaultSecret(Server, ScriptedVault.Path).ExchangeAsync(vault.Request(held: vault.Secret(), handle: "l/1", longest: TimeSpan.FromMilliseconds(3_599_001)), default);

        ReceivedRequest sent = vault.Requests.Single();
        Assert.That((sent.Method, sent.Path, sent.Body), Is.EqualTo(("POST", "/v1/sys/leases/renew", """{"lease_id":"l/1","increment":3600}""")));
        Assert.That((renewed.IsRenewal, renewed.RevocationHandle, renewed.CorrelationId, renewed.Credential.ExpiresAt, renewed.Credential.Reveal("username")), Is.EqualTo((true, "l/1", "r-1", vault.Time.GetUtcNow().AddHours(1), "u")));
        Assert.That((renewed.Credential.IsRenewable, renewed.Credential.IssuedTo?.Reveal()), Is.EqualTo((true, ScriptedVault.Token)));
    }

    [Test]
    public async Task A_login_is_renewed_by_itself_for_what_is_asked()
    {
        using var vault = new ScriptedVault((200, Renewed));
        var held = new BearerToken(ScriptedVault.Token, vault.Time.GetUtcNow().AddMinutes(10));

        Issued<BearerToken> renewed = await Targets.VaultLogin(Server).ExchangeAsync(vault.Request(ScriptedVault.Proof, held, "a-1"), default);

        ReceivedRequest sent = vault.Requests.Single();
        Assert.That((sent.Method, sent.Path, sent.Body, sent.Headers["X-Vault-Token"]), Is.EqualTo(("POST", "/v1/auth/token/renew-self", """{"increment":3600}""", ScriptedVault.Token)));
        Assert.That((renewed.IsRenewal, renewed.RevocationHandle, renewed.CorrelationId, renewed.Credential.ExpiresAt), Is.EqualTo((true, "a-1", "r-1", vault.Time.GetUtcNow().AddHours(1))));
    }

    [TestCase(true, ScriptedVault.Token, true)]
    [TestCase(false, ScriptedVault.Token, false)]
    [TestCase(true, ScriptedVault.OtherToken, false)]
    [TestCase(false, ScriptedVault.OtherToken, false)]
    public async Task A_lease_that_can_not_be_renewed_or_is_of_another_login_is_got_anew(bool isRenewable, string issuedTo, bool isRenewed)
    {
        using var vault = new ScriptedVault((200, isRenewed ? Renewed : Secret));

        Issued<VaultSecret> next = await Targets.VaultSecret(Server, ScriptedVault.Path).ExchangeAsync(vault.Request(held: vault.Secret(isRenewable, issuedTo), handle: "l/1"), default);

        Assert.That(next.IsRenewal, Is.EqualTo(isRenewed));
        Assert.That(vault.Asked, Is.EqualTo(new[] { isRenewed ? "POST /v1/sys/leases/renew" : $"GET /v1/{ScriptedVault.Path}" }));
    }

    // It is held for ten minutes more, and handed out for ten seconds less than it lives: a tenth more of use is wanted, or an end that is sooner.
    [TestCase(665, false)]
    [TestCase(700, true)]
    [TestCase(598, false)]
    [TestCase(596, true)]
    [TestCase(12, false, Description = "two seconds of use, and the clock of a slot may take those")]
    [TestCase(13, true)]
    public async Task A_lease_is_kept_where_its_renewal_gives_enough_and_else_got_anew(int seconds, bool isRenewed)
    {
        using var vault = new ScriptedVault((200, $$"""{"request_id":"r-1","lease_id":"l/1","renewable":true,"lease_duration":{{seconds}}}"""), (200, Secret));

        Issued<VaultSecret> next = await Targets.VaultSecret(Server, ScriptedVault.Path).ExchangeAsync(vault.Request(held: vault.Secret(), handle: "l/1"), default);

        Assert.That(next.IsRenewal, Is.EqualTo(isRenewed));
        Assert.That(vault.Requests, Has.Count.EqualTo(isRenewed ? 1 : 2));
    }

    // The hop of each, and what is wrong with it. What may be gone through is of the same namespace, or above.
    [TestCase(null, null, null)]
    [TestCase(null, "acme", null)]
    [TestCase("acme", "acme", null)]
    [TestCase("acme", "acme/eu", null)]
    [TestCase("acme", null, "names a login of another namespace, which is neither the same nor above")]
    [TestCase("acme", "acme-two", "names a login of another namespace, which is neither the same nor above")]
    [TestCase("acme/eu", "acme", "names a login of another namespace, which is neither the same nor above")]
    public void A_secret_is_read_through_a_login_of_its_namespace_or_one_above(string? ofTheLogin, string? ofTheSecret, string? flaw)
    {
        TokenExchanger<BearerToken> login = Targets.VaultLogin(Server, "r", o => o.Namespace = ofTheLogin);

        Assert.That(Targets.VaultSecret(Server, "a/b", o => o.Namespace = ofTheSecret).FlawOfHop(login, ScopeSet.Empty), Is.EqualTo(flaw));
        Assert.That(Key(o => o.Namespace = ofTheSecret).FlawOfHop(login, ScopeSet.Empty), Is.EqualTo(flaw));
    }

    [Test]
    public void A_hop_that_is_no_login_is_refused_with_what_to_name()
    {
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(TimeProvider.System))
            .Target("a", Targets.VaultSecret(Server, "a/b"), "job")
            .Target("b", Key(o => o.Header.Name = "X-Api-Key"), "job")
            .Policy(Policies.Of())))!;

        string said = string.Join(' ', refused.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        const string Remedy = "Through: is missing: a secret is read with the token of a login. Name a target with the exchange VaultLogin at the same server instead of Identity.";
        Assert.That(said, Does.Contain($"Targets:a:{Remedy}").And.Contain($"Targets:b:{Remedy}"));
    }
}
