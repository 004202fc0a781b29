using System.Net;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

[TestFixture]
internal sealed class RevocationAndIntrospectionTests : EmulatorFixture
{
    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private OwnKey _key = null!;

    [SetUp]
    public void RegisterAuditor()
    {
        _key = new OwnKey();
        Emulator.Authorization.AddClient("auditor", Job.Subject, "dataset:orders").Jwks = _key.Jwks;
    }

    [TearDown]
    public void ForgetKey() => _key.Dispose();

    [Test]
    public async Task A_revoked_token_is_dead_at_once()
    {
        string token = await TokenAsync();
        RawAnswer answer = await RevokeAsync("job", token, ("token_type_hint", "refresh_token"));
        Assert.That((answer.Status, answer.Body), Is.EqualTo((HttpStatusCode.OK, "")));
        Assert.That((await RowsAsync(token)).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(Emulator.Ledger.Issued.Single().RevokedAt, Is.EqualTo(Clock.GetUtcNow()));
        Assert.That(Emulator.Ledger.IsAlive(Ledger.FingerprintOf(token)), Is.False);
    }

    [Test]
    public async Task Revoking_twice_keeps_the_first_instant_and_unknown_tokens_get_200()
    {
        string token = await TokenAsync();
        DateTimeOffset first = Clock.GetUtcNow();
        await RevokeAsync("job", token);
        Clock.Advance(TimeSpan.FromSeconds(5));
        Assert.That((await RevokeAsync("job", token)).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await RevokeAsync("job", "made-up")).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(Emulator.Ledger.Issued.Single().RevokedAt, Is.EqualTo(first));
    }

    [Test]
    public async Task Another_clients_token_lives_on_though_the_answer_is_200()
    {
        Emulator.Authorization.AddClient("other", null);
        string token = await TokenAsync();
        Assert.That((await RevokeAsync("other", token)).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await RowsAsync(token)).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task Revocation_needs_a_known_client_and_a_token()
    {
        Assert.That((await RevokeAsync("nobody", "x")).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That((await Raw.PostAsync(Emulator.Authorization.RevocationEndpoint, ("client_id", "job"))).Error, Is.EqualTo("invalid_request"));
    }

    [Test]
    public async Task A_resource_server_sees_tokens_for_its_audience_only()
    {
        string token = await TokenAsync();
        string warehouse = Emulator.Authorization.AddResourceServer(Emulator.Warehouse.Address.OriginalString);
        string lake = Emulator.Authorization.AddResourceServer("lake");
        RawAnswer seen = await IntrospectAsync(token, warehouse);
        Assert.That(seen.Text("active"), Is.EqualTo("True"), seen.Body);
        Assert.That((seen.Text("scope"), seen.Text("client_id"), seen.Text("sub")), Is.EqualTo(("dataset:orders", "job", Job.Subject)));
        Assert.That((await IntrospectAsync(token, lake)).Body, Is.EqualTo("{\"active\":false}"));
    }

    [Test]
    public async Task Revoked_expired_unknown_and_foreign_tokens_are_inactive_and_nothing_else()
    {
        string caller = Emulator.Authorization.AddResourceServer(Emulator.Warehouse.Address.OriginalString);
        string revoked = await TokenAsync();
        await RevokeAsync("job", revoked);
        string expired = await TokenAsync();
        string databricks = (await DatabricksAsync(DatabricksProof())).Token;
        Clock.Advance(TimeSpan.FromHours(1));
        foreach (string token in new[] { revoked, expired, "made-up", databricks })
            Assert.That((await IntrospectAsync(token, caller)).Body, Is.EqualTo("{\"active\":false}"));
    }

    [Test]
    public async Task Introspection_refuses_callers_that_prove_nothing()
    {
        string token = await TokenAsync();
        Assert.That((await IntrospectAsync(token, "made-up")).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That((await Raw.PostAsync(Emulator.Authorization.IntrospectionEndpoint, ("client_id", "job"), ("token", token))).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
    }

    [Test]
    public async Task A_client_with_private_key_jwt_exchanges_and_introspects_its_own_tokens_only()
    {
        RawAnswer answer = await AsAuditorAsync(Assertion());
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        Task<RawAnswer> Look(string token) => Raw.PostAsync(Emulator.Authorization.IntrospectionEndpoint,
            ("client_assertion_type", AssertionType), ("client_assertion", Assertion()), ("token", token));
        Assert.That((await Look(answer.Token)).Text("active"), Is.EqualTo("True"));
        Assert.That((await Look(await TokenAsync())).Text("active"), Is.EqualTo("False"));
    }

    private static IEnumerable<TestCaseData> WrongAssertions()
    {
        yield return Case("another_audience", "audience_mismatch", p => p["aud"] = "https://other.invalid");
        yield return Case("second_audience", "audience_mismatch", p => p["aud"] = new JsonArray((string)p["aud"]!, "https://other.invalid"));
        yield return Case("token_endpoint_as_audience", "audience_mismatch", p => p["aud"] = $"{p["aud"]}/token");
        yield return Case("other_issuer", "client_mismatch", p => p["iss"] = "job");
        yield return Case("client_without_keys", "client_unknown", p =>
        {
            p["iss"] = "job";
            p["sub"] = "job";
        });
        yield return Case("jti_missing", "jti_missing", p => p.Remove("jti"));
        yield return Case("expiry_missing", "expiry_missing", p => p.Remove("exp"));
        yield return Case("expired", "expired", p => p["exp"] = (long)p["iat"]! - 31);
    }

    [TestCaseSource(nameof(WrongAssertions))]
    public async Task A_wrong_client_assertion_is_refused(string reason, Action<JsonObject> plant) => Expect(await AsAuditorAsync(Assertion(plant)), reason);

    [Test]
    public async Task A_client_assertion_is_used_once_and_by_its_own_key()
    {
        string assertion = Assertion();
        Assert.That((await AsAuditorAsync(assertion)).Status, Is.EqualTo(HttpStatusCode.OK));
        Expect(await AsAuditorAsync(assertion), "replayed");
        using var thief = new OwnKey();
        Expect(await AsAuditorAsync(thief.ClientAssertion("auditor", Audience, Clock.GetUtcNow())), "signature_bad");
    }

    [Test]
    public async Task A_client_with_keys_may_not_come_with_its_name_alone()
    {
        RawAnswer answer = await Raw.PostAsync(Emulator.Authorization.TokenEndpoint, ("grant_type", RawClient.Exchange), ("client_id", "auditor"));
        Expect(answer, "client_not_authenticated");
    }

    private static TestCaseData Case(string name, string reason, Action<JsonObject> plant) => new TestCaseData(reason, plant).SetArgDisplayNames(name);

    private string Assertion(Action<JsonObject>? change = null) => _key.ClientAssertion("auditor", Audience, Clock.GetUtcNow(), change);

    private Task<RawAnswer> AsAuditorAsync(string assertion) => Raw.PostAsync(Emulator.Authorization.TokenEndpoint,
        ("grant_type", RawClient.Exchange), ("client_assertion_type", AssertionType), ("client_assertion", assertion), ("subject_token", Job.Mint(Audience)), ("subject_token_type", RawClient.JwtType));

    private Task<RawAnswer> RevokeAsync(string client, string token, params IEnumerable<(string, string)> more) =>
        Raw.PostAsync(Emulator.Authorization.RevocationEndpoint, [("client_id", client), ("token", token), .. more]);

    private async Task<RawAnswer> IntrospectAsync(string token, string bearer)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Emulator.Authorization.IntrospectionEndpoint) { Content = new FormUrlEncodedContent([KeyValuePair.Create("token", token)]) };
        request.Headers.Authorization = new("Bearer", bearer);
        using HttpResponseMessage response = await Raw.Http.SendAsync(request);
        return await RawAnswer.ReadAsync(response);
    }

    private void Expect(RawAnswer answer, string reason)
    {
        Assert.That((answer.Status, answer.Error), Is.EqualTo((HttpStatusCode.Unauthorized, "invalid_client")), answer.Body);
        Assert.That(Emulator.Ledger.Refusals[^1].Reason, Is.EqualTo(reason), answer.Body);
    }
}
