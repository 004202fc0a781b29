using System.Net;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>The emulated Vault, asked with nothing but HttpClient.</summary>
[TestFixture]
internal sealed class VaultTests : EmulatorFixture
{
    private const string Path = "database/creds/readonly";

    private VaultRole _role = null!;

    private VaultSecretRole _secret = null!;

    [SetUp]
    public void AddRole()
    {
        _role = Emulator.Vault.AddRole("orders", Job.Subject);
        _secret = Emulator.Vault.AddSecret(Path);
    }

    private async Task<RawAnswer> AskAsync(HttpMethod method, string path, string? token = null, string? body = null, params (string Name, string Value)[] headers)
    {
        using StringContent? content = body is null ? null : new StringContent(body);
        return await Raw.SendAsync(method, new Uri(Emulator.Vault.Address, $"/v1/{path}"), content, token is null ? headers : [("X-Vault-Token", token), .. headers]);
    }

    private Task<RawAnswer> PostAsync(string path, string? token, string body) => AskAsync(HttpMethod.Post, path, token, body);

    private Task<RawAnswer> LoginAsync(Action<ProofClaims>? change = null, string? audience = null) =>
        PostAsync("auth/jwt/login", null, $$"""{"role":"orders","jwt":"{{Job.Mint(audience ?? Emulator.Vault.Address.GetLeftPart(UriPartial.Authority), change)}}"}""");

    private async Task<string> TokenAsync() => (await LoginAsync()).Json.GetProperty("auth").GetProperty("client_token").GetString()!;

    private static string Errors(RawAnswer answer) => string.Join('|', answer.Json.GetProperty("errors").EnumerateArray().Select(error => error.GetString()));

    [Test]
    public async Task A_login_is_verified_claim_by_claim()
    {
        _role.BoundClaims["repository"] = "octo/orders";
        Assert.That((await LoginAsync()).Status, Is.EqualTo(HttpStatusCode.OK));
        RawAnswer audience = await LoginAsync(audience: "https://elsewhere.example");
        RawAnswer signature = await LoginAsync(proof => proof.Signature = ProofSignature.ForeignKey);
        _role.BoundClaims["repository"] = "octo/other";
        RawAnswer claim = await LoginAsync();
        _role.BoundAudiences.Clear();
        RawAnswer unbound = await LoginAsync();

        Assert.That(new[] { audience, signature, claim, unbound }.Select(answer => answer.Status), Has.All.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(Errors(claim), Does.Contain("claim \"repository\" does not match"));
        Assert.That(Errors(unbound), Does.Contain("audience claim found in JWT but no audiences bound to the role"));
        Assert.That(Emulator.Ledger.Refusals.Select(refusal => refusal.Reason), Is.EqualTo(new[] { "audience_mismatch", "signature_bad", "claim_mismatch", "audience_unbound" }));
        Assert.That(Emulator.Vault.OpenTokens, Is.EqualTo(1));
    }

    [Test]
    public async Task A_token_takes_its_leases_its_children_and_their_leases_along()
    {
        string parent = await TokenAsync();
        string child = (await PostAsync("auth/token/create", parent, """{"ttl":"10m"}""")).Json.GetProperty("auth").GetProperty("client_token").GetString()!;
        string batch = (await PostAsync("auth/token/create", parent, """{"ttl":"10m","type":"batch"}""")).Json.GetProperty("auth").GetProperty("client_token").GetString()!;
        string orphan = (await PostAsync("auth/token/create", parent, """{"ttl":"10m","no_parent":true}""")).Json.GetProperty("auth").GetProperty("client_token").GetString()!;
        foreach (string token in new[] { parent, child, batch, orphan })
            Assert.That((await AskAsync(HttpMethod.Get, Path, token)).Status, Is.EqualTo(HttpStatusCode.OK));

        Assert.That((await PostAsync("auth/token/revoke-self", parent, "{}")).Status, Is.EqualTo(HttpStatusCode.NoContent));

        Assert.That((Emulator.Vault.OpenTokens, Emulator.Vault.OpenLeases), Is.EqualTo((1, 1)), "the orphan's");
        RawAnswer dead = await AskAsync(HttpMethod.Get, Path, child);
        Assert.That((dead.Status, Errors(dead)), Is.EqualTo((HttpStatusCode.Forbidden, "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n")));
    }

    [Test]
    public async Task Leases_end_after_the_answer_that_their_token_has_ended()
    {
        string token = await TokenAsync();
        Assert.That((await AskAsync(HttpMethod.Get, Path, token)).Status, Is.EqualTo(HttpStatusCode.OK));
        LedgerIssue lease = Emulator.Ledger.Issued.Single(issue => issue.Scope == Path);

        Assert.That((await PostAsync("auth/token/revoke-self", token, "{}")).Status, Is.EqualTo(HttpStatusCode.NoContent));

        Assert.That(Emulator.Ledger.IsAlive(lease.Fingerprint), Is.True, "queued");
        Emulator.Vault.EndQueuedLeases();
        Assert.That(Emulator.Ledger.IsAlive(lease.Fingerprint), Is.False);
    }

    [Test]
    public async Task A_lease_that_its_engine_cannot_end_is_tried_again_and_given_up_and_a_sync_call_ends_it_later()
    {
        _secret.CannotEnd = true;
        string token = await TokenAsync(), other = await TokenAsync();
        string lease = (await AskAsync(HttpMethod.Get, Path, token)).Text("lease_id")!;
        string body = $$"""{"lease_id":"{{lease}}","sync":true}""";
        RawAnswer failed = await PostAsync("sys/leases/revoke", token, body);
        Assert.That((failed.Status, Errors(failed)), Is.EqualTo((HttpStatusCode.BadRequest, "failed to revoke entry: resp: (*logical.Response)(nil) err: the secrets engine could not end it")));

        await PostAsync("auth/token/revoke-self", token, "{}");
        for (int tries = 1; tries <= 6; tries++)
            Assert.That((Emulator.Vault.IrrevocableLeases, tries), Is.EqualTo((tries == 6 ? 1 : 0, tries)), "each look is a try");
        _secret.CannotEnd = false;

        Assert.That(Emulator.Vault.OpenLeases, Is.EqualTo(1), "nobody tries any more");
        Assert.That((await PostAsync("sys/leases/revoke", other, body)).Status, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That((Emulator.Vault.OpenLeases, Emulator.Vault.IrrevocableLeases), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task A_lease_that_is_revoked_without_sync_ends_after_the_answer()
    {
        string token = await TokenAsync();
        string lease = (await AskAsync(HttpMethod.Get, Path, token)).Text("lease_id")!;

        Assert.That((await PostAsync("sys/leases/revoke", token, $$"""{"lease_id":"{{lease}}"}""")).Status, Is.EqualTo(HttpStatusCode.Accepted));

        Assert.That(Emulator.Ledger.Issued.Single(issue => issue.Handle == lease).RevokedAt, Is.Null);
        Assert.That(Emulator.Vault.OpenLeases, Is.Zero);
    }

    [Test]
    public async Task A_lease_is_renewed_from_now_and_never_beyond_its_maximum_and_ends_with_its_token()
    {
        _secret.MaxTtl = TimeSpan.FromHours(2);
        string token = await TokenAsync();
        string lease = (await AskAsync(HttpMethod.Get, Path, token)).Text("lease_id")!;
        Clock.Advance(TimeSpan.FromMinutes(30));
        RawAnswer renewed = await PostAsync("sys/leases/renew", token, $$"""{"lease_id":"{{lease}}","increment":3600}""");
        Clock.Advance(TimeSpan.FromMinutes(20));
        RawAnswer capped = await PostAsync("sys/leases/renew", token, $$"""{"lease_id":"{{lease}}","increment":36000}""");

        Assert.That((renewed.Text("lease_duration"), capped.Text("lease_duration")), Is.EqualTo(("3600", "4200")));
        Assert.That(capped.Json.GetProperty("warnings").GetArrayLength(), Is.EqualTo(1));
        Clock.Advance(TimeSpan.FromMinutes(11));
        Assert.That((Emulator.Vault.OpenTokens, Emulator.Vault.OpenLeases), Is.EqualTo((0, 0)), "the token reached its end, and the lease went with it");
    }

    [Test]
    public async Task A_life_is_said_in_whole_seconds_and_never_as_longer_than_it_is()
    {
        _secret.MaxTtl = TimeSpan.FromHours(1);
        string token = await TokenAsync();
        string lease = (await AskAsync(HttpMethod.Get, Path, token)).Text("lease_id")!;
        Clock.Advance(TimeSpan.FromSeconds(10.2));   // 3,589.8 s are left

        RawAnswer capped = await PostAsync("sys/leases/renew", token, $$"""{"lease_id":"{{lease}}","increment":3600}""");
        RawAnswer looked = await PostAsync("sys/leases/lookup", token, $$"""{"lease_id":"{{lease}}"}""");

        Assert.That((capped.Text("lease_duration"), looked.Json.GetProperty("data").GetProperty("ttl").GetInt64()), Is.EqualTo(("3589", 3589)));
    }

    [Test]
    public async Task Batch_tokens_are_neither_renewed_nor_revoked()
    {
        _role.GivesBatchTokens = true;
        RawAnswer login = await LoginAsync();
        string token = login.Json.GetProperty("auth").GetProperty("client_token").GetString()!;

        Assert.That(login.Json.GetProperty("auth").GetProperty("accessor").GetString(), Is.Empty);
        Assert.That(Errors(await PostAsync("auth/token/renew-self", token, "{}")), Is.EqualTo("batch tokens cannot be renewed"));
        Assert.That(Errors(await PostAsync("auth/token/revoke-self", token, "{}")), Is.EqualTo("batch tokens cannot be revoked"));
        Assert.That(Emulator.Vault.OpenTokens, Is.EqualTo(1));
    }

    [Test]
    public async Task Policies_uses_and_accessors_are_kept()
    {
        _role.Paths.Clear();
        _role.Paths.Add("database/creds/*");
        _role.TokenNumUses = 2;
        RawAnswer login = await LoginAsync();
        JsonElement auth = login.Json.GetProperty("auth");
        string token = auth.GetProperty("client_token").GetString()!;

        Assert.That((await PostAsync("sys/leases/revoke", token, """{"lease_id":"x"}""")).Status, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That((await AskAsync(HttpMethod.Get, Path, token)).Status, Is.EqualTo(HttpStatusCode.OK), "the second and last use");
        Assert.That((await AskAsync(HttpMethod.Get, Path, token)).Status, Is.EqualTo(HttpStatusCode.Forbidden));
        RawAnswer unknown = await PostAsync("auth/token/revoke-accessor", Emulator.Vault.RootToken, $$"""{"accessor":"{{auth.GetProperty("accessor").GetString()}}"}""");
        Assert.That((unknown.Status, unknown.Json.GetProperty("warnings")[0].GetString()), Is.EqualTo((HttpStatusCode.OK, "No token found with this accessor")));
    }

    [TestCase(VaultSecretShape.Database, false, "GET")]
    [TestCase(VaultSecretShape.Azure, false, "GET")]
    [TestCase(VaultSecretShape.KeyValue, false, "GET")]
    [TestCase(VaultSecretShape.Aws, false, "GET,POST")]
    [TestCase(VaultSecretShape.GoogleToken, false, "GET,POST")]
    [TestCase(VaultSecretShape.Database, true, "POST")]
    public async Task A_secret_is_made_by_the_verbs_of_its_engine(VaultSecretShape shape, bool takesPostOnly, string verbs)
    {
        Emulator.Vault.AddSecret("engine/creds/one", shape).TakesPostOnly = takesPostOnly;
        string token = await TokenAsync();
        foreach (string verb in new[] { "GET", "POST", "DELETE" })
        {
            RawAnswer answer = await AskAsync(new HttpMethod(verb), "engine/creds/one", token);
            Assert.That(answer.Status, Is.EqualTo(verbs.Split(',').Contains(verb) ? HttpStatusCode.OK : HttpStatusCode.MethodNotAllowed), verb);
        }
    }

    [Test]
    public async Task Header_and_prefix_of_a_namespace_concatenate()
    {
        Emulator.Vault.AddSecret(Path, ns: "acme/eu");

        Assert.That((await AskAsync(HttpMethod.Get, $"acme/eu/{Path}", Emulator.Vault.RootToken)).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await AskAsync(HttpMethod.Get, $"eu/{Path}", Emulator.Vault.RootToken, null, ("X-Vault-Namespace", "acme/"))).Status, Is.EqualTo(HttpStatusCode.OK));
        RawAnswer elsewhere = await AskAsync(HttpMethod.Get, Path, Emulator.Vault.RootToken, null, ("X-Vault-Namespace", "acme"));
        Assert.That((elsewhere.Status, elsewhere.Body), Is.EqualTo((HttpStatusCode.NotFound, """{"errors":[]}""")));
    }

    [Test]
    public async Task What_the_ledger_prints_of_Vault_holds_no_secret()
    {
        string token = await TokenAsync();
        await AskAsync(HttpMethod.Get, Path, token);
        string printed = string.Join('\n', Emulator.Ledger.Issued) + string.Join('\n', Emulator.Ledger.Refusals);

        Assert.That(token, Does.Contain(Emulator.Canaries.Vault));
        Assert.That(printed, Does.Not.Contain(Emulator.Canaries.Vault));
    }
}
