using Azure;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Secrets;

namespace Nhi.TokenExchange.Tests;

/// <summary>A static key in Azure Key Vault, read with a token of Entra ID that the job's proof was exchanged for; and the emulated vault, seen by Key Vault's own client.</summary>
internal sealed class KeyVaultStaticKeyTests
{
    private const string Scope = "https://vault.azure.net/.default";

    private static readonly DateTimeOffset Until = TimeProvider.System.GetUtcNow().AddDays(60);

    private sealed record Job(IdentityEmulator Emulator, EntraApplication Application, JobSession Session, Recorded Audit) : IAsyncDisposable
    {
        public string? Opened { get; set; }

        public async Task<string> OpenAsync()
        {
            using Stream opened = await Session.OpenAsync<Stream>("mail");
            return Opened!;
        }

        public async ValueTask DisposeAsync()
        {
            await Session.DisposeAsync();
            await Emulator.DisposeAsync();
        }
    }

    private static async Task<Job> StartAsync(Action<KeyVaultStaticKeyOptions>? configure = null, string scope = Scope, Action<EmulatedKeyVault>? fill = null)
    {
        IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = o.EntraAlgorithm = "ES256");
        JobIdentity github = emulator.JobIdentity(ProofShape.GitHub);
        EntraApplication application = emulator.Entra.AddApplication().Trust(github);
        fill?.Invoke(emulator.KeyVault);
        var audit = new Recorded();
        Job job = null!;
        JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(github.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("entra", Targets.Entra(emulator.Entra.TenantId, application.ClientId, o => o.AuthorityHost = emulator.Entra.Authority), "job", scope)
            .Target("mail", Targets.KeyVaultStaticKey(emulator.KeyVault.Address, "mail-api", "Mail team", Until, configure), t => t.Through = "entra")
            .Opener<Stream>("mail", (key, _) =>
            {
                job.Opened = key;
                return new(new MemoryStream());
            })
            .Policy(PolicyDocument.Parse("""{ "version": 1, "revision": 1, "rules": [ { "name": "entra", "effect": "permit", "when": { "target": "entra" } }, { "name": "key", "effect": "permit", "when": { "target": "mail", "static": true } } ] }"""))
            .Audit(audit).Jitter(() => 0).TrustRoots([emulator.Certificate]).EndOnSignals(false));
        return job = new Job(emulator, application, session, audit);
    }

    private static string NewKey() => $"key{Guid.NewGuid():N}";

    [Test]
    public async Task The_newest_version_is_read_with_a_token_for_Key_Vault_and_the_audit_says_which_it_was()
    {
        await using Job job = await StartAsync();
        string key = NewKey();
        job.Emulator.KeyVault.Set("mail-api", NewKey());
        KeyVaultEntry newest = job.Emulator.KeyVault.Set("mail-api", key);

        Assert.That(await job.OpenAsync(), Is.EqualTo(key));
        StaticKeyUse use = job.Audit.Of(AuditEventKind.Issued).Single(one => one.Target == "mail").StaticKey!;
        Assert.That((use.Version, use.Owner, use.Secret), Is.EqualTo((newest.Version, "Mail team", $"{job.Emulator.KeyVault.Address}secrets/mail-api")));
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(report.Leases.Select(lease => (lease.Target, lease.End)), Is.EqualTo([("entra", LeaseEnd.CannotBeRevoked), ("mail", LeaseEnd.LivesOn)]));
    }

    [Test]
    public async Task A_version_that_is_named_is_the_one_that_is_read()
    {
        string key = NewKey(), version = "";
        await using Job job = await StartAsync(o => o.Version = version, fill: vault =>
        {
            version = vault.Set("mail-api", key).Version;
            vault.Set("mail-api", NewKey());
        });
        Assert.That(await job.OpenAsync(), Is.EqualTo(key));

        await using Job gone = await StartAsync(o => o.Version = "0123456789abcdef0123456789abcdef", fill: vault => vault.Set("mail-api", NewKey()));
        Assert.That(Refused(gone).Message, Does.Contain("404 SecretNotFound"));
        await using Job other = await StartAsync(o => o.Version = version);
        other.Emulator.Faults.Always(EmulatorEndpoint.KeyVault, Fault.Body("""{"value":"k","id":"https://localhost/secrets/mail-api/fedcba9876543210fedcba9876543210"}"""));
        Assert.That(Refused(other).Message, Does.Contain("is of another version than the one that was asked for"), "a gateway answered");
    }

    [Test]
    public async Task What_the_vault_says_against_it_is_told_with_what_to_do()
    {
        await using Job job = await StartAsync();
        TokenExchangeException none = Refused(job);
        Assert.That(none.Code, Is.EqualTo("NHI4001"));
        Assert.That(none.Message, Does.Contain("404 SecretNotFound").And.Contain("Check the name of the secret"));

        await using Job reader = await StartAsync();
        reader.Emulator.KeyVault.Set("mail-api", NewKey());
        reader.Emulator.KeyVault.Readers.Add(Guid.NewGuid().ToString());
        Assert.That(Refused(reader).Message, Does.Contain("403 Forbidden, ForbiddenByRbac").And.Contain("Key Vault Secrets User"));

        await using Job disabled = await StartAsync();
        disabled.Emulator.KeyVault.Set("mail-api", NewKey()).Enabled = false;
        Assert.That(Refused(disabled).Message, Does.Contain("403 Forbidden, SecretDisabled").And.Contain("let its owner enable it"));

        await using Job throttled = await StartAsync();
        throttled.Emulator.Faults.Always(EmulatorEndpoint.KeyVault, Fault.Status(429, ("Retry-After", "31")));
        TokenExchangeException wait = Refused(throttled);
        Assert.That((wait.Code, wait.IsTransient, wait.RetryAfter >= TimeSpan.FromSeconds(31)), Is.EqualTo(("NHI4003", true, true)));
    }

    [Test]
    public async Task A_token_for_another_resource_is_not_shown_to_the_vault()
    {
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => StartAsync(scope: "https://storage.azure.com/.default"))!;
        Assert.That(refused.Message, Does.Contain("Targets:mail:Through: names a target that says nowhere that its token is for Key Vault").And.Contain(Scope));

        await using Job slashed = await StartAsync(scope: "https://vault.azure.net//.default");
        slashed.Emulator.KeyVault.Set("mail-api", NewKey());
        Assert.That(slashed.Emulator.Ledger.Requests.Of(EmulatorEndpoint.KeyVault), Is.Zero);
    }

    [TestCase("https://vault.azure.net", true)]
    [TestCase("https://vault.azure.net/", true)]
    [TestCase("https://storage.azure.com", false)]
    public async Task A_managed_identity_reads_it_if_its_resource_is_Key_Vault(string resource, bool isTaken)
    {
        Task<JobSession> starting = JobSession.StartAsync(b => b
            .Identity("machine", IdentitySources.ManagedIdentity(), ActsFor.Workload)
            .Target("entra", Targets.ManagedIdentity(resource), "machine")
            .Target("mail", Targets.KeyVaultStaticKey(new Uri("https://acme-legacy.vault.azure.net"), "mail-api", "Mail team", Until), t => t.Through = "entra")
            .Opener<Stream>("mail", (_, _) => new(Stream.Null)).Policy(PolicyDocument.Parse("""{ "version": 1, "revision": 1, "rules": [ { "name": "key", "effect": "permit", "when": { "target": "mail", "static": true } } ] }""")).EndOnSignals(false));
        if (isTaken)
            await using (await starting)
                return;
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => starting)!.Message, Does.Contain("Targets:mail:Through: names a target that says nowhere"));
    }

    [TestCase(-2, -1, "has expired at ")]
    [TestCase(1, 2, "is not to be used before ")]
    public async Task A_secret_out_of_its_own_time_is_not_handed_out_though_the_vault_gives_it(int from, int to, string said)
    {
        await using Job job = await StartAsync();
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        KeyVaultEntry entry = job.Emulator.KeyVault.Set("mail-api", NewKey());
        (entry.NotBefore, entry.ExpiresAt) = (now.AddHours(from), now.AddHours(to));

        TokenExchangeException refused = Refused(job);
        Assert.That(refused.Code, Is.EqualTo("NHI5003"));
        Assert.That(refused.Message, Does.Contain(said).And.Contain("Mail team"));
        Assert.That(job.Opened, Is.Null);
    }

    [Test]
    public async Task A_secret_that_expires_soon_is_handed_out_until_then()
    {
        await using Job job = await StartAsync();
        KeyVaultEntry entry = job.Emulator.KeyVault.Set("mail-api", NewKey());
        entry.ExpiresAt = TimeProvider.System.GetUtcNow().AddMinutes(10);
        await job.OpenAsync();

        DateTimeOffset? end = job.Audit.Of(AuditEventKind.Issued).Single(one => one.Target == "mail").UnusableFrom;
        Assert.That(end, Is.EqualTo(entry.ExpiresAt).Within(TimeSpan.FromSeconds(2)), "both count whole seconds");
    }

    [TestCase("""{"value":"k","id":"https://localhost/secrets/other/0123456789abcdef0123456789abcdef"}""", "is of another secret")]
    [TestCase("""{"value":"k","id":"https://localhost/secrets/mail-api/newest"}""", "names no version of the secret")]
    [TestCase("""{"value":"k","id":"https://localhost/secrets/mail-api/0123456789abcdef0123456789abcdef/more"}""", "names no version of the secret")]
    [TestCase("""{"value":7,"id":"https://localhost/secrets/mail-api/1"}""", "has 'value' that is no string")]
    [TestCase("""{"id":"https://localhost/secrets/mail-api/1"}""", "has no value")]
    [TestCase("""{"value":"k","id":"https://localhost/secrets/mail-api/1","attributes":{"enabled":true,"exp":99999999999999}}""", "has attributes with an instant out of range")]
    public async Task An_answer_of_another_shape_is_malformed(string body, string said)
    {
        await using Job job = await StartAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.KeyVault, Fault.Body(body));

        TokenExchangeException refused = Refused(job);
        Assert.That(refused.Code, Is.EqualTo("NHI4004"));
        Assert.That(refused.Message, Does.Contain(said));
    }

    [Test]
    public void A_vault_elsewhere_than_at_Azure_is_not_shown_a_token() =>
        Assert.That(() => Targets.KeyVaultStaticKey(new Uri("https://acme.vault.azure.net.evil.example"), "mail-api", "Mail team", Until), Throws.ArgumentException.With.Message.Contains("is not an address of Key Vault"));

    [Test]
    public async Task Key_Vaults_own_client_understands_the_emulated_vault()
    {
        await using Job job = await StartAsync();
        KeyVaultEntry entry = job.Emulator.KeyVault.Set("answer", "42");
        (entry.NotBefore, entry.ExpiresAt, entry.ContentType) = (DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100), "text/plain");
        var client = new SecretClient(
            job.Emulator.KeyVault.Address, job.Session.Provider<BearerToken>("entra").AsTokenCredential(Scope),
            new SecretClientOptions(SecretClientOptions.ServiceVersion.V7_4) { Transport = new HttpClientTransport(job.Emulator.CreateHandler()), Retry = { MaxRetries = 0 }, DisableChallengeResourceVerification = true });

        KeyVaultSecret secret = (await client.GetSecretAsync("answer")).Value;

        Assert.That((secret.Value, secret.Name, secret.Properties.Version, secret.Properties.Enabled, secret.Properties.ContentType), Is.EqualTo(("42", "answer", entry.Version, (bool?)true, "text/plain")));
        Assert.That((secret.Properties.NotBefore, secret.Properties.ExpiresOn), Is.EqualTo((entry.NotBefore, entry.ExpiresAt)));
        Assert.That((await client.GetSecretAsync("answer", entry.Version)).Value.Value, Is.EqualTo("42"));
        Assert.That(Assert.ThrowsAsync<RequestFailedException>(() => client.GetSecretAsync("question"))!.ErrorCode, Is.EqualTo("SecretNotFound"));
        entry.Enabled = false;
        RequestFailedException disabled = Assert.ThrowsAsync<RequestFailedException>(() => client.GetSecretAsync("answer"))!;
        Assert.That((disabled.Status, disabled.ErrorCode), Is.EqualTo((403, "Forbidden")));
    }

    private static TokenExchangeException Refused(Job job) => Assert.ThrowsAsync<TokenExchangeException>(() => job.OpenAsync())!;
}
