using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Wrong requests at Entra's token endpoint, planted one by one; each has its AADSTS number, error, status and body.</summary>
[TestFixture]
internal sealed class EntraRefusalTests : AzureFixture
{
    private static IEnumerable<TestCaseData> Assertions()
    {
        yield return Case("another_issuer", 700211, c => c.Issuer = "https://issuer.invalid");
        yield return Case("issuer_with_slash", 700211, c => c.Issuer += "/");
        yield return Case("issuer_in_other_case", 700211, c => c.Issuer = c.Issuer!.ToUpperInvariant());
        yield return Case("issuer_missing", 700211, c => c.Payload.Remove("iss"));
        yield return Case("another_subject", 700213, c => c.Subject = "repo:octo/orders:ref:refs/heads/evil");
        yield return Case("subject_with_space", 700213, c => c.Subject += " ");
        yield return Case("subject_missing", 700213, c => c.Payload.Remove("sub"));
        yield return Case("subject_in_other_case", 7002138, c => c.Subject = c.Subject!.ToUpperInvariant());
        yield return Case("another_audience", 700212, c => c.Payload["aud"] = "https://other.invalid");
        yield return Case("audience_of_another_cloud", 700212, c => c.Payload["aud"] = "api://AzureADTokenExchangeUSGov");
        yield return Case("audience_in_other_case", 700212, c => c.Payload["aud"] = "api://azureadtokenexchange");
        yield return Case("audience_missing", 700212, c => c.Payload.Remove("aud"));
        yield return Case("another_key", 700027, c => c.Signature = ProofSignature.ForeignKey);
        yield return Case("unknown_kid", 700027, c => c.Header["kid"] = "k-none");
        yield return Case("no_signature", 700027, c => c.Signature = ProofSignature.None);
        yield return Case("public_key_as_secret", 700027, c => c.Signature = ProofSignature.PublicKeyAsSecret);
        yield return Case("expired", 700024, c => c.Lives(new DateTimeOffset(2025, 12, 31, 23, 0, 0, TimeSpan.Zero), TimeSpan.FromMinutes(5)));
        yield return Case("not_yet_valid", 700024, c => c.Payload["nbf"] = (long)c.Payload["iat"]! + 31);
        yield return Case("expiry_missing", 50027, c => c.Payload.Remove("exp"));
        yield return Case("jku_header", 50027, c => c.Header["jku"] = "https://issuer.invalid");
        yield return Case("type_of_an_access_token", 50027, c => c.Header["typ"] = "at+jwt");
    }

    private static IEnumerable<TestCaseData> Forms()
    {
        yield return Form("grant_missing", 900144, "invalid_request", 400, ("grant_type", null));
        yield return Form("another_grant", 70003, "unsupported_grant_type", 400, ("grant_type", "password"));
        yield return Form("client_missing", 900144, "invalid_request", 400, ("client_id", null));
        yield return Form("client_unknown", 700016, "unauthorized_client", 400, ("client_id", "5a5a0000-0000-4000-8000-00000000dead"));
        yield return Form("scope_missing", 900144, "invalid_request", 400, ("scope", null));
        yield return Form("scope_without_default", 1002012, "invalid_scope", 400, ("scope", "https://resource.emulator.example/read"));
        yield return Form("scope_of_two_resources", 700022, "invalid_scope", 400, ("scope", "https://vault.azure.net/.default https://storage.azure.com/.default"));
        yield return Form("scope_without_resource", 700023, "invalid_scope", 400, ("scope", "openid profile"));
        yield return Form("default_beside_another_scope", 70011, "invalid_scope", 400, ("scope", "https://vault.azure.net/.default openid"));
        yield return Form("resource_unknown", 500011, "invalid_resource", 400, ("scope", "https://nowhere.invalid/.default"));
        yield return Form("assertion_missing", 7000218, "invalid_client", 401, ("client_assertion", null));
        yield return Form("assertion_type_missing", 900144, "invalid_request", 400, ("client_assertion_type", null));
        yield return Form("assertion_type_wrong", 9002313, "invalid_request", 400, ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"));
        yield return Form("assertion_is_noise", 50027, "invalid_client", 401, ("client_assertion", "a.b.c"));
        yield return Form("a_secret_was_sent", 7000215, "invalid_client", 401, ("client_secret", "anything"));
        yield return Form("claims_are_no_object", 9002313, "invalid_request", 400, ("claims", "[]"));
        yield return Form("claims_are_no_json", 9002313, "invalid_request", 400, ("claims", "{"));
    }

    [TestCaseSource(nameof(Assertions))]
    public async Task A_wrong_assertion_is_refused(int code, Action<ProofClaims> plant) =>
        Expect(await AskAsync(Job.Mint(ExchangeAudience, plant)), code, "invalid_client", 401);

    [TestCaseSource(nameof(Forms))]
    public async Task A_wrong_form_is_refused(int code, string error, int status, string name, string? value) =>
        Expect(await AskAsync(changed: (name, value)), code, error, status);

    [Test]
    public async Task Tenants_that_are_none_are_refused()
    {
        Expect(await AskAsync(tenant: Guid.NewGuid().ToString()), 90002, "invalid_request", 400);
        Expect(await AskAsync(tenant: "common"), 50194, "invalid_request", 400);
        Expect(await AskAsync(tenant: "organizations"), 50194, "invalid_request", 400);
        Expect(await AskAsync(tenant: "consumers"), 9001023, "invalid_request", 400);
        Application.IsMultiTenant = true;
        Expect(await AskAsync(tenant: "common"), 9001023, "invalid_request", 400);
    }

    [Test]
    public async Task An_application_counts_only_where_it_was_consented()
    {
        string other = Emulator.Entra.AddTenant();
        Expect(await AskAsync(tenant: other), 700016, "unauthorized_client", 400);
        string principal = Application.ConsentIn(other);
        Expect(await AskAsync(tenant: other), 700016, "unauthorized_client", 400);
        Application.IsMultiTenant = true;
        RawAnswer answer = await AskAsync(tenant: other);
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        Assert.That((Claim(answer.Token, "tid"), Claim(answer.Token, "oid")), Is.EqualTo((other, principal)));
    }

    [Test]
    public async Task A_disabled_or_blocked_application_is_refused()
    {
        Application.BlockedByConditionalAccess = true;
        RawAnswer blocked = await AskAsync();
        Expect(blocked, 53003, "invalid_grant", 400);
        Assert.That(blocked.Text("suberror"), Is.EqualTo("message_only"));
        Assert.That(JsonDocument.Parse(blocked.Text("claims")!).RootElement.GetProperty("access_token").GetProperty("capolids").GetProperty("essential").GetBoolean(), Is.True);
        Application.IsDisabled = true;
        Expect(await AskAsync(), 7000112, "unauthorized_client", 400);
    }

    [Test]
    public async Task An_application_without_a_credential_trusts_nobody()
    {
        Application.FederatedCredentials.Clear();
        RawAnswer answer = await AskAsync();
        Expect(answer, 70021, "invalid_client", 401);
        Assert.That(answer.Text("error_description"), Does.Contain($"Assertion Subject: '{Job.Subject}'"));
    }

    [Test]
    public async Task A_new_credential_is_known_only_after_its_propagation()
    {
        Application.FederatedCredentials.Clear();
        Emulator.Entra.PropagationDelay = TimeSpan.FromMinutes(2);
        Application.Trust(Job);
        Expect(await AskAsync(), 70021, "invalid_client", 401);
        Clock.Advance(TimeSpan.FromSeconds(119));
        Expect(await AskAsync(), 70021, "invalid_client", 401);
        Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await AskAsync()).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task The_credential_names_the_audience_exactly()
    {
        Application.FederatedCredentials.Clear();
        Application.FederatedCredentials.Add(new FederatedIdentityCredential { Issuer = Emulator.Issuer.OriginalString, Subject = Job.Subject, Audience = "https://own.invalid" });
        Expect(await AskAsync(), 700212, "invalid_client", 401);
        Assert.That((await AskAsync(Job.Mint("https://own.invalid"))).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Keys_of_a_foreign_issuer_come_from_the_credential()
    {
        using var own = new OwnKey();
        using var foreign = new OwnKey();
        Application.FederatedCredentials.Add(new FederatedIdentityCredential { Issuer = "https://issuer.invalid", Subject = "robot", JwksJson = own.Jwks });
        Assert.That((await AskAsync(Sign(own))).Status, Is.EqualTo(HttpStatusCode.OK));
        Expect(await AskAsync(Sign(foreign)), 700027, "invalid_client", 401);

        string Sign(OwnKey key) => key.Sign(new JsonObject { ["iss"] = "https://issuer.invalid", ["sub"] = "robot", ["aud"] = ExchangeAudience, ["exp"] = Clock.GetUtcNow().AddMinutes(1).ToUnixTimeSeconds() });
    }

    [Test]
    public async Task An_assertion_signed_by_the_application_itself_needs_a_certificate_that_is_not_there()
    {
        using var own = new OwnKey();
        string assertion = own.Sign(new JsonObject { ["iss"] = Application.ClientId, ["sub"] = Application.ClientId, ["aud"] = TokenEndpoint().OriginalString, ["exp"] = Clock.GetUtcNow().AddMinutes(1).ToUnixTimeSeconds() });
        Expect(await AskAsync(assertion), 700027, "invalid_client", 401);
    }

    [Test]
    public async Task After_rotation_without_the_old_key_an_old_assertion_is_refused()
    {
        string old = Job.Mint(ExchangeAudience);
        Emulator.RotateKeys(keepOld: false);
        Expect(await AskAsync(old), 700027, "invalid_client", 401);
        Assert.That((await AskAsync()).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_request_loop_is_ended_where_a_limit_is_set()
    {
        Emulator.Entra.LoopLimit = 2;
        await TokenAsync();
        await TokenAsync();
        Expect(await AskAsync(), 50196, "invalid_grant", 400);
        await TokenAsync(("scope", "https://vault.azure.net/.default"));
        Clock.Advance(TimeSpan.FromMinutes(5));
        await TokenAsync();
    }

    [Test]
    public async Task Another_cloud_s_host_is_no_place_for_a_confidential_client()
    {
        RawAnswer answer = await Raw.PostAsync(new Uri($"https://login.microsoftonline.us/{Emulator.Entra.TenantId}/oauth2/v2.0/token"),
            ("grant_type", "client_credentials"), ("client_id", Application.ClientId), ("scope", Scope), ("client_assertion_type", AssertionType), ("client_assertion", Job.Mint(ExchangeAudience)));
        Expect(answer, 900382, "invalid_request", 400);
    }

    [Test]
    public async Task Repeated_parameters_and_other_methods_are_refused()
    {
        Expect(await Raw.PostAsync(TokenEndpoint(), ("grant_type", "client_credentials"), ("grant_type", "client_credentials")), 9002313, "invalid_request", 400);
        Expect(await Raw.GetAsync(TokenEndpoint()), 900561, "invalid_request", 400);
    }

    [Test]
    public void Credentials_have_the_limits_of_the_real_ones()
    {
        IList<FederatedIdentityCredential> credentials = Application.FederatedCredentials;
        Assert.That(() => Application.Trust(Job), Throws.ArgumentException.With.Message.Contains("unique"));
        Assert.That(() => credentials.Add(new FederatedIdentityCredential { Issuer = "https://issuer.invalid", Subject = new string('s', 601) }), Throws.ArgumentException);
        Assert.That(() => credentials.Add(new FederatedIdentityCredential { Issuer = "", Subject = "s" }), Throws.ArgumentException);
        for (int number = 1; number < 20; number++)
            credentials.Add(new FederatedIdentityCredential { Issuer = "https://issuer.invalid", Subject = $"{number}" });
        Assert.That(() => credentials.Add(new FederatedIdentityCredential { Issuer = "https://issuer.invalid", Subject = "20" }), Throws.ArgumentException.With.Message.Contains("20"));
        credentials[0] = credentials[0] with { Audience = "https://own.invalid" };
        Assert.That(() => credentials[0] = credentials[1], Throws.ArgumentException);
    }

    private static TestCaseData Case(string name, int code, Action<ProofClaims> plant) => new TestCaseData(code, plant).SetArgDisplayNames(name);

    private static TestCaseData Form(string name, int code, string error, int status, (string Name, string? Value) field) =>
        new TestCaseData(code, error, status, field.Name, field.Value).SetArgDisplayNames(name);

    private void Expect(RawAnswer answer, int code, string error, int status)
    {
        Assert.That(((int)answer.Status, answer.Error), Is.EqualTo((status, error)), answer.Body);
        Assert.That(answer.Json.GetProperty("error_codes").EnumerateArray().Select(one => one.GetInt32()), Is.EqualTo(new[] { code }), answer.Body);
        string trace = answer.Text("trace_id")!;
        Assert.That(answer.Text("error_description"), Does.StartWith($"AADSTS{code}: ").And.Contain($"Trace ID: {trace} Correlation ID: {answer.Text("correlation_id")} Timestamp: {answer.Text("timestamp")}"));
        Assert.That(answer.Text("timestamp"), Is.EqualTo(Clock.GetUtcNow().ToString("u")));
        Assert.That(answer.Text("error_uri"), Does.EndWith($"error?code={code}"));
        Assert.That(answer.Header("x-ms-request-id"), Is.EqualTo(trace));
        LedgerRefusal refusal = Emulator.Ledger.Refusals[^1];
        Assert.That((refusal.Endpoint, refusal.Error, refusal.Reason, refusal.RequestId), Is.EqualTo((EmulatorEndpoint.EntraToken, error, $"AADSTS{code}", trace)));
    }
}
