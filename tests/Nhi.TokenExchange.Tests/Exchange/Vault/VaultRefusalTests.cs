namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>What Vault refuses, by its status table; and what is not even asked for.</summary>
internal sealed class VaultRefusalTests
{
    [TestCase(400, "unsupported path", "NHI4001", false)]
    [TestCase(403, "permission denied", "NHI4001", false)]
    [TestCase(404, null, "NHI4001", false)]
    [TestCase(405, "unsupported operation", "NHI4001", false)]
    [TestCase(412, "required index state not present", "NHI4002", true)]
    [TestCase(429, "request path \"database/creds/readonly\": rate limit quota exceeded", "NHI4003", true)]
    [TestCase(472, null, "NHI4001", false)]
    [TestCase(473, null, "NHI4001", false)]
    [TestCase(500, "1 error occurred: failed to create user", "NHI4002", true)]
    [TestCase(502, "third party", "NHI4002", true)]
    [TestCase(503, "Vault is sealed", "NHI4002", true)]
    public async Task A_secret_that_is_refused_says_which_kind_of_refusal_it_was(int status, string? error, string code, bool isTransient)
    {
        await using VaultJob job = await VaultJob.StartAsync(new SkippingTime());
        await job.Login.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultSecret, Fault.Vault(status, error is null ? [] : [error]));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Database.GetAsync().AsTask())!;

        Assert.That((refused.Code, refused.IsTransient, refused.Target), Is.EqualTo((code, isTransient, "database")));
        Assert.That(refused.Message, Does.Contain($"answered {status} at {VaultJob.Path}"));
        Assert.That(refused.Message, Does.Contain(error is null ? "." : error[..10]));
        // Asked again where nothing was done yet, and nowhere else: each answer would be another lease.
        Assert.That(job.Requests(EmulatorEndpoint.VaultSecret), status == 429 ? Is.InRange(2, 5) : Is.EqualTo(1));
        Assert.That(job.Requests(EmulatorEndpoint.VaultLogin), Is.EqualTo(1));
    }

    [TestCase("orders", null, "NHI4011", "bound_audiences")]
    [TestCase("orders", "repo:octo/other:ref:refs/heads/main", "NHI4011", "bound_subject")]
    [TestCase("nobody", null, "NHI4001", "Check Role")]
    public async Task A_login_that_is_refused_names_what_to_compare(string role, string? subject, string code, string hint)
    {
        await using IdentityEmulator emulator = await EmulatedJob.StartEmulatorAsync(TimeProvider.System);
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        VaultRole made = emulator.Vault.AddRole("orders", subject ?? identity.Subject);
        if (subject is null)
            (made.BoundAudiences[0], _) = ("https://elsewhere.example", 0);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(identity.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("vault", Targets.VaultLogin(emulator.Vault.Address, role), "job").Jitter(() => 0).EndOnSignals(false));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("vault").GetAsync().AsTask())!;

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((code, false)));
        Assert.That(refused.Message, Does.Contain("400 at auth/jwt/login").And.Contain(hint));
        Assert.That(emulator.Ledger.Issued, Is.Empty);
    }

    [Test]
    public async Task A_standby_that_redirects_is_not_followed_and_who_it_points_to_sees_nothing()
    {
        await using var elsewhere = new ScriptedIssuer(ScriptedAnswer.Json("{}"));
        await using VaultJob job = await VaultJob.StartAsync();
        await job.Login.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultSecret, Fault.Redirect(new Uri(elsewhere.Uri, "/v1/database/creds/readonly")));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Database.GetAsync().AsTask())!;

        Assert.That((refused.Code, elsewhere.Requests.Count), Is.EqualTo(("NHI4006", 0)));
    }

    [Test]
    public async Task An_answer_that_is_a_page_or_has_no_token_is_told_as_such()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultLogin, Fault.Html());
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultLogin, Fault.Field("auth", """{"client_token":"","mfa_requirement":{}}"""));

        Assert.That(() => job.Login.GetAsync().AsTask(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI4004").And.Message.Contains("is not JSON"));
    }

    [Test]
    public async Task A_secret_that_Vault_echoes_is_taken_out_of_the_error()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        BearerToken login = await job.Login.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultSecret, Fault.Vault(400, $"token {login.Reveal()} may not"));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Database.GetAsync().AsTask())!;

        Assert.That(refused.ToString(), Does.Contain("may not").And.Not.Contain(login.Reveal()).And.Not.Contain(job.Emulator.Canaries.Vault));
    }

    [TestCase("")]
    [TestCase("/database/creds/readonly")]
    [TestCase("database/creds/readonly/")]
    [TestCase("database//readonly")]
    [TestCase("database/../sys/raw")]
    [TestCase("database/./creds")]
    [TestCase("database/%2e%2e/sys")]
    [TestCase("v1/database/creds/readonly")]
    [TestCase("/v1/database/creds/readonly")]
    [TestCase("database/creds/readonly?x=1")]
    [TestCase("database/creds/readonly#x")]
    [TestCase("database\\creds")]
    [TestCase("database/créds")]
    [TestCase("sys/raw/core")]
    [TestCase("auth/token/create")]
    public void B23_A_path_that_leads_elsewhere_is_refused_before_anything_is_sent(string path)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(() => Targets.VaultSecret(new Uri("https://vault.example"), path))!;

        Assert.That(refused.Message, Does.Contain("path").And.Contain("database/creds/readonly"));
    }

    [Test]
    public void Options_that_are_wrong_are_refused_by_name()
    {
        var server = new Uri("https://vault.example:8200");
        Assert.That(() => Targets.VaultLogin(new Uri("http://vault.example"), "r"), Throws.ArgumentException.With.Message.Contains("https"));
        Assert.That(() => Targets.VaultLogin(new Uri("https://vault.example/v1"), "r"), Throws.ArgumentException.With.Message.Contains("path"));
        Assert.That(() => Targets.VaultLogin(server, ""), Throws.ArgumentException.With.Message.Contains("role"));
        Assert.That(() => Targets.VaultLogin(server, null, o => o.Method = VaultAuthMethod.Kubernetes), Throws.ArgumentException.With.Message.Contains("role"));
        Assert.That(() => Targets.VaultLogin(server, "r", o => o.Mount = "../sys"), Throws.ArgumentException.With.Message.Contains("Mount"));
        Assert.That(() => Targets.VaultLogin(server, "r", o => o.Namespace = "acme/"), Throws.ArgumentException.With.Message.Contains("Namespace"));
        Assert.That(() => Targets.VaultLogin(server, "r", o => o.WrapLifetime = TimeSpan.FromSeconds(1)), Throws.ArgumentException.With.Message.Contains("WrapLifetime"));
        Assert.That(() => Targets.VaultSecret(server, "a/b", o => o.UsableMargin = TimeSpan.FromSeconds(-1)), Throws.ArgumentException.With.Message.Contains("UsableMargin"));
    }

    [Test]
    public void A_secret_goes_through_a_login_of_the_same_server_and_namespace_or_the_start_refuses_it()
    {
        var server = new Uri("https://vault.example");
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(TimeProvider.System))
            .Target("login", Targets.VaultLogin(server, "r", o => o.Namespace = "acme"), "job", "read")
            .Target("other", Targets.Databricks(new Uri("https://workspace.example")), "job")
            .Target("a", Targets.VaultSecret(server, "a/b"), "job")
            .Target("b", Targets.VaultSecret(server, "a/b"), t => t.Through = "other")
            .Target("c", Targets.VaultSecret(new Uri("https://vault2.example"), "a/b"), t => t.Through = "login")
            .Target("d", Targets.VaultSecret(server, "a/b"), t => t.Through = "login")))!;

        Assert.That(refused.Message, Does.Contain("Targets:a:Through: is missing").And.Contain("Targets:b:Through: names a target that is no login").And.Contain("Targets:c:Through: names a login to another server")
            .And.Contain("Targets:d:Through: names a login of another namespace").And.Contain("Targets:login:Scopes: are set"));
    }
}
