namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>One revocation and what Vault says of it, answer by answer: of a login by itself, of one by its accessor, of a lease.</summary>
internal sealed class VaultEndTests
{
    private const string Lease = "database/creds/readonly/l-1";
    private const string MayNotRevokeLeases = "Let a policy of the login's role permit update of sys/leases/revoke. Else Vault queues the lease's end behind its login's, and does not say how that came out.";
    private const string MayNotRevokeItself = "Let the role give the policy 'default', by which a token may revoke itself.";
    private const string MayNotRevokeOthers = "Let a policy of the login's role permit update of auth/token/revoke-accessor, by which a job ends what one before it left behind.";
    private const string CheckThePath = "Check the path and the method of the target against the secrets engine.";
    private const string Sealed = "The server is sealed or in maintenance.";
    private const string NoAnswer = "That is no answer of Vault's; a proxy or a sign-in page may have answered. Whether it was ended is not known.";
    private const string Gone = "AlreadyGone", Revoked = "Revoked", NotSupported = "NotSupported";

    // What is ended, what is answered, and what comes of it: an end, or the hint of the error with the code within, and whether it may pass.
    private static readonly (string What, int Status, string? Error, string? Comes, string? Within, bool IsTransient)[] Answers =
    [
        ("itself", 204, null, Revoked, null, false),
        ("itself", 403, "invalid token", Gone, null, false),
        ("itself", 403, "bad token", Gone, null, false),
        ("itself", 400, "batch tokens cannot be revoked", NotSupported, null, false),
        ("itself", 403, "permission denied", MayNotRevokeItself, "NHI4001", false),
        ("itself", 400, "no such luck", CheckThePath, "NHI4001", false),
        ("itself", 503, "Vault is sealed", Sealed, "NHI4002", true),
        ("by accessor", 204, null, Revoked, null, false),
        ("by accessor", 400, "invalid accessor", Gone, null, false),
        ("by accessor", 404, "accessor not found", Gone, null, false),
        ("by accessor", 403, "permission denied", MayNotRevokeOthers, "NHI4001", false),
        ("by accessor", 400, "no such luck", CheckThePath, "NHI4001", false),
        ("by accessor", 503, "Vault is sealed", Sealed, "NHI4002", true),
        ("a lease", 204, null, Revoked, null, false),
        ("a lease", 200, null, Revoked, null, false),
        ("a lease", 200, "permission denied", NoAnswer, "NHI4001", true),
        ("itself", 200, "permission denied", NoAnswer, "NHI4001", true),
        ("by accessor", 200, "permission denied", NoAnswer, "NHI4001", true),
        ("a lease", 400, "lease not found", Gone, null, false),
        ("a lease", 404, "lease expired", Gone, null, false),
        ("a lease", 403, "permission denied", MayNotRevokeLeases, "NHI4001", false),
        ("a lease", 400, "no such luck", CheckThePath, "NHI4001", false),
        ("a lease", 400, "failed to revoke entry: no route to host", "The secrets engine could not end the lease: look at what stands behind it, such as the database, and at its revocation statements.", "NHI4001", true),
        ("a lease", 503, "Vault is sealed", Sealed, "NHI4002", true),
    ];

    // Vault only warns, of a 200, that there was no such accessor.
    private static readonly (int Status, string Type, string Body, Revocation Comes)[] Warnings =
    [
        (200, "application/json", """{"warnings":["No token found with this accessor"]}""", Revocation.AlreadyGone),
        (200, "application/json", """{"warnings":["no token found","Endpoint ignored these parameters"]}""", Revocation.AlreadyGone),
        (200, "application/json", """{"warnings":["Endpoint ignored these parameters"]}""", Revocation.Revoked),
        (200, "application/json", """{"warnings":null}""", Revocation.Revoked),
        (200, "application/json", "{}", Revocation.Revoked),
        (204, "application/json", """{"warnings":["No token found"]}""", Revocation.Revoked),
    ];

    private static BearerToken LoginOf(ScriptedVault vault, string token = ScriptedVault.Token) => new(token, vault.Time.GetUtcNow().AddHours(1));

    private static RevocationRequest<VaultSecret> OfSecret(ScriptedVault vault, VaultSecret? secret, bool hasOther = false) => new()
    {
        Target = "database", Credential = secret, Handle = Lease, Backchannel = vault.Channel, Time = vault.Time,
        Subject = secret is null ? _ => new(ScriptedVault.SubjectOf(ScriptedVault.Token)) : null,
        OtherSubject = hasOther ? _ => ScriptedVault.SubjectOf(ScriptedVault.OtherToken) : null,
    };

    private static RevocationRequest<BearerToken> OfLogin(ScriptedVault vault, BearerToken? login) => new()
    {
        Target = "vault", Credential = login, Handle = "a-1", Own = login is null ? _ => new(LoginOf(vault)) : null, Backchannel = vault.Channel, Time = vault.Time,
    };

    private static async Task<Revocation> EndAsync(ScriptedVault vault, string what) => what == "a lease"
        ? await Targets.VaultSecret(ScriptedVault.Address, ScriptedVault.Path).RevokeAsync(OfSecret(vault, vault.Secret()), default)
        : await Targets.VaultLogin(ScriptedVault.Address).RevokeAsync(OfLogin(vault, what == "itself" ? LoginOf(vault) : null), default);

    [Test]
    public async Task Each_answer_is_an_end_or_an_error_that_says_what_to_do()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string what, int status, string? error, string? comes, string? within, bool isTransient) in Answers)
            {
                using var vault = new ScriptedVault(ScriptedVault.No(status, error)) { Headers = [("Retry-After", "7"), ("x-request-id", "r-1")] };
                string name = $"{what} {status} {error}";
                try
                {
                    Assert.That($"{await EndAsync(vault, what)}", Is.EqualTo(comes), name);
                }
                catch (TokenExchangeException failed)
                {
                    Assert.That((failed.Code, failed.Stage, failed.Hint, failed.IsTransient, failed.CorrelationId), Is.EqualTo(("NHI4012", ExchangeStage.Revoke, comes, isTransient, "r-1")), name);
                    Assert.That((failed.RetryAfter, (failed.InnerException as TokenExchangeException)?.Code, failed.IsLeftToHop), Is.EqualTo((status == 503 ? TimeSpan.FromSeconds(7) : (TimeSpan?)null, within, false)), name);
                    Assert.That(failed.Detail, Does.StartWith($"Host vault.test:8200 answered {status} at ").And.EndWith($": {error}."), name);
                }
            }
        }
    }

    [Test]
    public void A_page_that_somebody_else_puts_there_is_no_end([Values("itself", "by accessor", "a lease")] string what, [Values("text/html", "text/plain", "application/json")] string type)
    {
        using var vault = new ScriptedVault((200, "<html>Sign in to the guest network</html>")) { Type = type };

        TokenExchangeException failed = Assert.ThrowsAsync<TokenExchangeException>(() => EndAsync(vault, what))!;

        Assert.That((failed.Code, failed.IsTransient, failed.Hint), Is.EqualTo(("NHI4012", true, NoAnswer)));
        Assert.That(failed.Message, Does.Not.Contain("Sign in"));
    }

    [TestCase("itself", "auth/token/revoke-self", "{}")]
    [TestCase("by accessor", "auth/token/revoke-accessor", """{"accessor":"a-1"}""")]
    [TestCase("a lease", "sys/leases/revoke", """{"lease_id":"database/creds/readonly/l-1","sync":true}""")]
    public async Task Each_end_is_asked_for_once_with_the_token_at_hand(string what, string path, string body)
    {
        using var vault = new ScriptedVault((204, ""));

        await EndAsync(vault, what);

        ReceivedRequest sent = vault.Requests.Single();
        Assert.That((sent.Method, sent.Path, sent.Body, sent.Headers["X-Vault-Token"]), Is.EqualTo(("POST", $"/v1/{path}", body, ScriptedVault.Token)));
    }

    [Test]
    public async Task A_warning_that_there_was_no_such_accessor_is_heard_and_no_other()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((int status, string type, string body, Revocation comes) in Warnings)
            {
                using var vault = new ScriptedVault((status, body)) { Type = type };

                Assert.That(await EndAsync(vault, "by accessor"), Is.EqualTo(comes), $"{status} {type} {body}");
            }
        }
    }

    [TestCase("aws/sts/deploy", 204, null, Revocation.NotSupported)]
    [TestCase("aws/sts/deploy", 400, "lease not found", Revocation.NotSupported)]
    [TestCase("aws/sts/deploy", 403, "invalid token", Revocation.NotSupported)]
    [TestCase("database/creds/readonly", 400, "lease not found", Revocation.AlreadyGone)]
    public async Task What_outlives_its_lease_is_not_said_to_be_gone_with_it(string path, int status, string? error, Revocation comes)
    {
        using var vault = new ScriptedVault(ScriptedVault.No(status, error));

        Assert.That(await Targets.VaultSecret(ScriptedVault.Address, path).RevokeAsync(OfSecret(vault, vault.Secret()), default), Is.EqualTo(comes));
    }

    [TestCase(403, true, 2)]
    [TestCase(403, false, 1)]
    [TestCase(400, true, 1)]
    [TestCase(503, true, 1)]
    public void Another_login_is_asked_where_the_first_of_a_held_secret_was_denied_and_nowhere_else(int status, bool isHeld, int requests)
    {
        using var vault = new ScriptedVault(ScriptedVault.No(status, "no"));

        Assert.ThrowsAsync<TokenExchangeException>(async () => await Targets.VaultSecret(ScriptedVault.Address, ScriptedVault.Path).RevokeAsync(OfSecret(vault, isHeld ? vault.Secret() : null, hasOther: true), default));

        Assert.That(vault.Requests.Select(request => request.Headers["X-Vault-Token"]), Is.EqualTo(new[] { ScriptedVault.Token, ScriptedVault.OtherToken }.Take(requests)));
    }

    // Of a call of which a try was lost, what is said of the login says nothing of the lease.
    [TestCase(true)]
    [TestCase(false, 1)]
    [TestCase(false, 2)]
    [TestCase(false, 1, 2)]
    public void A_lease_is_left_to_its_dead_login_where_no_try_was_lost(bool isLeft, params int[] lost)
    {
        using var vault = new ScriptedVault(ScriptedVault.No(403, "invalid token")) { Repeated = lost, Headers = [("x-request-id", "r-1")] };

        TokenExchangeException failed = Assert.ThrowsAsync<TokenExchangeException>(
            async () => await Targets.VaultSecret(ScriptedVault.Address, ScriptedVault.Path).RevokeAsync(OfSecret(vault, vault.Secret(), hasOther: true), default))!;

        Assert.That((failed.Code, failed.IsLeftToHop, failed.Hint, failed.CorrelationId, vault.Requests.Count), Is.EqualTo(("NHI4012", isLeft, "The Vault token has ended or was revoked.", "r-1", 2)));
    }

    // An older server says of a dead token no more than that it is denied.
    [TestCase(true, "AlreadyGone")]
    [TestCase(false, null)]
    public async Task A_login_that_was_seen_to_renew_itself_and_may_do_nothing_any_more_is_gone(bool wasRenewed, string? end)
    {
        using var vault = new ScriptedVault((wasRenewed ? 200 : 400, """{"auth":{"client_token":"opens-the-vault","lease_duration":3600}}"""), ScriptedVault.No(403, "permission denied"));
        TokenExchanger<BearerToken> logins = Targets.VaultLogin(ScriptedVault.Address);
        BearerToken held = new(ScriptedVault.Token, vault.Time.GetUtcNow().AddMinutes(10));
        try
        {
            await logins.ExchangeAsync(vault.Request(ScriptedVault.Proof, held, "a-1"), default);
        }
        catch (TokenExchangeException) when (!wasRenewed)
        {
            // Nor is there another.
        }

        if (end is null)
            Assert.That(async () => await logins.RevokeAsync(OfLogin(vault, held), default), Throws.TypeOf<TokenExchangeException>().With.Property("Hint").EqualTo(MayNotRevokeItself));
        else
            Assert.That($"{await logins.RevokeAsync(OfLogin(vault, held), default)}", Is.EqualTo(end));
    }

    [TestCase("database/creds/readonly", true, true)]
    [TestCase("database/creds/readonly", false, false)]
    [TestCase("aws/sts/deploy", true, false)]
    [TestCase("aws/sts/deploy", false, false)]
    public void A_secret_ends_with_its_login_where_it_has_a_lease_that_it_ends_with(string path, bool hasLease, bool ends)
    {
        using var vault = new ScriptedVault((204, ""));
        VaultSecret secret = vault.Secret();
        secret.Lease.Handle = hasLease ? Lease : null;

        Assert.That(Targets.VaultSecret(ScriptedVault.Address, path).EndsWith(secret), Is.EqualTo(ends ? ScriptedVault.SubjectOf(ScriptedVault.Token).Fingerprint : null));
    }
}
