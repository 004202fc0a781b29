namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>From the proof to the secret.</summary>
internal sealed class VaultExchangeTests
{
    [Test]
    public async Task A_login_and_a_secret_are_got_once_each_and_say_what_Vault_knows_of_them()
    {
        await using VaultJob job = await VaultJob.StartAsync();

        VaultSecret secret = await job.Database.GetAsync();
        BearerToken login = await job.Login.GetAsync();

        Assert.That(secret.Fields, Is.EquivalentTo(new[] { "username", "password" }));
        Assert.That(secret.Reveal("username"), Does.StartWith("v-jwt-readonly-"));
        Assert.That(secret.Reveal("password"), Does.StartWith(job.Emulator.Canaries.Vault));
        Assert.That(job.Emulator.Ledger.Issued.Select(issue => (issue.Fingerprint, issue.ClientId, issue.Scope)), Is.EqualTo(new[] { (login.Fingerprint, "orders", "auth/jwt/login"), (secret.Fingerprint, "orders", VaultJob.Path) }));
        Assert.That((job.Vault.OpenTokens, job.Vault.OpenLeases), Is.EqualTo((1, 1)));
        Assert.That(secret.ExpiresAt, Is.EqualTo(job.Emulator.Ledger.Issued[1].EndsAt).Within(TimeSpan.FromSeconds(30)));
    }

    [Test]
    public async Task A_Kubernetes_login_goes_to_its_own_mount_and_a_denial_there_is_of_the_proof()
    {
        await using IdentityEmulator emulator = await EmulatedJob.StartEmulatorAsync(TimeProvider.System);
        JobIdentity pod = emulator.JobIdentity(ProofShape.Kubernetes);
        emulator.Vault.AddRole("orders", pod.Subject, "k8s/eu");
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(pod.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("vault", Targets.VaultLogin(emulator.Vault.Address, "orders", o => (o.Method, o.Mount) = (VaultAuthMethod.Kubernetes, "k8s/eu")), "job")
            .Target("elsewhere", Targets.VaultLogin(emulator.Vault.Address, "orders", o => o.Method = VaultAuthMethod.Kubernetes), "job")
            .Jitter(() => 0).EndOnSignals(false));

        await job.Provider<BearerToken>("vault").GetAsync();
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("elsewhere").GetAsync().AsTask())!;

        Assert.That(emulator.Ledger.Issued.Single().Scope, Is.EqualTo("auth/k8s/eu/login"));
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo(("NHI4001", false)));
        Assert.That(refused.Message, Does.Contain("404 at auth/kubernetes/login").And.Contain("no handler for route").And.Contain("Namespace"));
    }

    [Test]
    public async Task Namespaces_are_said_by_header_and_one_job_reaches_nothing_of_another()
    {
        await using VaultJob job = await VaultJob.StartAsync(ns: "acme/eu", login: o => o.Namespace = "acme/eu", secret: o => o.Namespace = "acme/eu");

        await job.Database.GetAsync();
        await job.Session.CompleteAsync();

        Assert.That((job.Vault.OpenTokens, job.Vault.OpenLeases), Is.EqualTo((0, 0)));
        Assert.That(job.Emulator.Ledger.Issued, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_secret_of_a_namespace_below_is_got_with_the_login_above_it()
    {
        await using VaultJob job = await VaultJob.StartAsync(ns: "acme", login: o => o.Namespace = "acme", secret: o => o.Namespace = "acme/eu");
        job.Vault.AddSecret(VaultJob.Path, ns: "acme/eu");

        Assert.That((await job.Database.GetAsync()).Fields, Has.Member("password"));
    }

    [Test]
    public async Task A_path_that_no_policy_permits_is_a_denial_and_no_reason_for_another_login()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        job.Role.Paths.Clear();

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Database.GetAsync().AsTask())!;

        Assert.That((refused.Code, job.Requests(EmulatorEndpoint.VaultLogin), job.Vault.OpenLeases), Is.EqualTo(("NHI4001", 1, 0)));
    }

    [Test]
    public async Task An_AWS_secret_is_made_by_POST_where_that_is_the_verb()
    {
        await using VaultJob job = await VaultJob.StartAsync(path: "aws/sts/deploy", shape: VaultSecretShape.Aws, secret: o => o.Method = VaultSecretMethod.Post);
        job.SecretRole.TakesPostOnly = true;

        VaultSecret secret = await job.Database.GetAsync();

        Assert.That(secret.Fields, Is.EquivalentTo(new[] { "access_key", "secret_key", "security_token", "arn" }));
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(report.Leases.Single(lease => lease.Target == "database").End, Is.EqualTo(LeaseEnd.CannotBeRevoked), "the lease is over, and what STS gave is not");
        Assert.That(job.Vault.OpenLeases, Is.Zero);
    }

    [Test]
    public async Task A_token_of_Google_has_no_lease_and_ends_when_it_says_itself()
    {
        await using VaultJob job = await VaultJob.StartAsync(path: "gcp/roleset/orders/token", shape: VaultSecretShape.GoogleToken);

        VaultSecret secret = await job.Database.GetAsync();
        JobReport report = await job.Session.CompleteAsync();

        Assert.That(secret.ExpiresAt.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture), Is.EqualTo(secret.Reveal("expires_at_seconds")));
        Assert.That(report.Leases.Single(lease => lease.Target == "database").End, Is.EqualTo(LeaseEnd.CannotBeRevoked));
    }

    [Test]
    public async Task What_has_no_lease_and_no_end_is_a_static_secret_and_is_refused()
    {
        await using VaultJob job = await VaultJob.StartAsync(path: "secret/orders", shape: VaultSecretShape.KeyValue);

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Database.GetAsync().AsTask())!;

        Assert.That(refused.Code, Is.EqualTo("NHI5007"));
        Assert.That(refused.Message, Does.Contain("secret/orders").And.Contain("static secret"));
    }

    [Test]
    public void A_field_that_is_not_there_is_said_with_those_that_are()
    {
        var secret = new VaultSecret("""{"username":"u","ttl":60,"flag":true,"none":null,"list":[1,2]}""", DateTimeOffset.MaxValue);

        Assert.That((secret.Reveal("ttl"), secret.Reveal("flag"), secret.Reveal("list")), Is.EqualTo(("60", "true", "[1,2]")));
        Assert.That(secret.TryReveal("none", out _), Is.False);
        Assert.That(() => secret.Reveal("password"), Throws.TypeOf<KeyNotFoundException>().With.Message.Contains("it has: username, ttl, flag, list"));
    }

    [Test]
    public async Task A_token_of_few_uses_is_ended_and_refused()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        job.Role.TokenNumUses = 3;

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Login.GetAsync().AsTask())!;

        Assert.That((refused.Code, job.Vault.OpenTokens), Is.EqualTo(("NHI5002", 0)));
        Assert.That(refused.Message, Does.Contain("token_num_uses"));
    }

    [Test]
    public async Task A_secret_dies_with_its_login_and_is_handed_out_no_longer_than_that()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        job.Role.TokenTtl = TimeSpan.FromMinutes(10);

        VaultSecret secret = await job.Database.GetAsync();
        BearerToken login = await job.Login.GetAsync();

        Assert.That(secret.ExpiresAt, Is.GreaterThan(login.ExpiresAt));
        Assert.That(secret.UnusableFrom, Is.LessThanOrEqualTo(login.UnusableFrom));
    }

    [Test]
    public async Task A_login_that_ended_at_the_server_is_got_anew_once()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        BearerToken dead = await job.Login.GetAsync();
        await job.OperateAsync(HttpMethod.Post, "auth/token/revoke", $$"""{"token":"{{dead.Reveal()}}"}""");

        VaultSecret secret = await job.Database.GetAsync();

        Assert.That(job.Requests(EmulatorEndpoint.VaultLogin), Is.EqualTo(2));
        Assert.That(job.Emulator.Ledger.IsAlive(secret.Fingerprint), Is.True);
        Assert.That(await job.Login.GetAsync(), Is.Not.SameAs(dead));
    }

    [Test]
    public async Task A_lost_answer_of_a_secret_is_not_asked_for_again_by_itself()
    {
        await using VaultJob job = await VaultJob.StartAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultSecret, Fault.ResetAfterWork());

        TokenExchangeException lost = Assert.ThrowsAsync<TokenExchangeException>(() => job.Database.GetAsync().AsTask())!;

        Assert.That((lost.Code, lost.IsTransient, job.Requests(EmulatorEndpoint.VaultSecret), job.Vault.OpenLeases), Is.EqualTo(("NHI4002", true, 1, 1)));
        job.Emulator.Faults.Clear();
        await job.Session.CompleteAsync();
        Assert.That(job.Vault.OpenLeases, Is.Zero, "the login takes along what nobody got");
    }
}
