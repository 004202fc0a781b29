using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Wrong proofs, planted one by one; both token endpoints must refuse each, for the right reason.</summary>
[TestFixture]
internal sealed class ProofRefusalTests : EmulatorFixture
{
    private const string Other = "https://issuer.invalid";

    private static IEnumerable<TestCaseData> Wrong()
    {
        yield return Case("another_audience", "audience_mismatch", c => c.Payload["aud"] = "https://other.invalid");
        yield return Case("audience_missing", "audience_mismatch", c => c.Payload.Remove("aud"));
        yield return Case("audience_is_an_object", "claim_malformed", c => c.Payload["aud"] = new JsonObject());
        yield return Case("another_subject", "subject_mismatch", c => c.Subject = "repo:octo/orders:ref:refs/heads/evil");
        yield return Case("subject_in_other_case", "subject_mismatch", c => c.Subject = c.Subject!.ToUpperInvariant());
        yield return Case("subject_with_longer_tail", "subject_mismatch", c => c.Subject += "x");
        yield return Case("subject_missing", "subject_missing", c => c.Payload.Remove("sub"));
        yield return Case("another_issuer", "issuer_unknown", c => c.Issuer = Other);
        yield return Case("issuer_with_slash", "issuer_unknown", c => c.Issuer += "/");
        yield return Case("issuer_missing", "issuer_missing", c => c.Payload.Remove("iss"));
        yield return Case("alg_none", "algorithm_not_allowed", c => c.Signature = ProofSignature.None);
        yield return Case("alg_None_in_other_case", "algorithm_not_allowed", c => c.Header["alg"] = "nOnE");
        yield return Case("HS256_with_the_public_key", "algorithm_not_allowed", c => c.Signature = ProofSignature.PublicKeyAsSecret);
        yield return Case("ES512", "algorithm_not_allowed", c => c.Algorithm = "ES512");
        yield return Case("ES384", "algorithm_not_allowed", c => c.Algorithm = "ES384");
        yield return Case("algorithm_of_another_key", "key_for_other_algorithm", c => c.Header["alg"] = "RS256");
        yield return Case("algorithm_missing", "algorithm_not_allowed", c => c.Header["alg"] = 7);
        yield return Case("another_key", "signature_bad", c => c.Signature = ProofSignature.ForeignKey);
        yield return Case("unknown_kid", "key_unknown", c => c.Header["kid"] = "../../etc/passwd");
        yield return Case("jku_header", "header_not_allowed", c => c.Header["jku"] = Other);
        yield return Case("jwk_header", "header_not_allowed", c => c.Header["jwk"] = new JsonObject());
        yield return Case("x5u_header", "header_not_allowed", c => c.Header["x5u"] = Other);
        yield return Case("crit_header", "header_not_allowed", c => c.Header["crit"] = new JsonArray("exp"));
        yield return Case("type_of_an_access_token", "type_not_allowed", c => c.Header["typ"] = "at+jwt");
        yield return Case("type_of_a_client_assertion", "type_not_allowed", c => c.Header["typ"] = "client-authentication+jwt");
        yield return Case("expiry_missing", "expiry_missing", c => c.Payload.Remove("exp"));
        yield return Case("expiry_is_text", "claim_malformed", c => c.Payload["exp"] = "4102444800");
        yield return Case("expiry_beyond_all_time", "claim_malformed", c => c.Payload["exp"] = 1e20);
        yield return Case("expired", "expired", c => c.Lives(new DateTimeOffset(2025, 12, 31, 23, 0, 0, TimeSpan.Zero), TimeSpan.FromMinutes(5)));
        yield return Case("expired_just_now", "expired", c => c.Lives(new DateTimeOffset(2025, 12, 31, 23, 54, 30, TimeSpan.Zero), TimeSpan.FromMinutes(5)));
        yield return Case("not_yet_valid", "not_yet_valid", c => c.Payload["nbf"] = (long)c.Payload["iat"]! + 31);
        yield return Case("issued_in_the_future", "issued_in_future", c => c.Payload["iat"] = (long)c.Payload["iat"]! + 31);
    }

    [TestCaseSource(nameof(Wrong))]
    public async Task The_authorization_server_refuses(string reason, Action<ProofClaims> plant)
    {
        Expect(await ExchangeAsync(Job.Mint(Audience, plant)), EmulatorEndpoint.AuthorizationToken, reason);
    }

    [TestCaseSource(nameof(Wrong))]
    public async Task The_databricks_workspace_refuses(string reason, Action<ProofClaims> plant)
    {
        Expect(await DatabricksAsync(DatabricksProof(plant)), EmulatorEndpoint.DatabricksToken, reason);
    }

    [Test]
    public async Task The_databricks_workspace_refuses_PS256_that_the_authorization_server_takes()
    {
        Assert.That((await ExchangeAsync(Job.Mint(Audience, c => c.Algorithm = "PS256"))).Status, Is.EqualTo(HttpStatusCode.OK));
        Expect(await DatabricksAsync(DatabricksProof(c => c.Algorithm = "PS256")), EmulatorEndpoint.DatabricksToken, "algorithm_not_allowed");
    }

    [TestCase("RS256")]
    [TestCase("PS256")]
    [TestCase("ES256")]
    public async Task The_authorization_server_takes_each_listed_algorithm(string algorithm) =>
        Assert.That((await ExchangeAsync(Job.Mint(Audience, c => c.Algorithm = algorithm))).Status, Is.EqualTo(HttpStatusCode.OK));

    [Test]
    public async Task A_changed_payload_is_refused()
    {
        string[] parts = Job.Mint(Audience).Split('.');
        JsonObject payload = JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!.AsObject();
        payload["run_id"] = "1";
        Expect(await ExchangeAsync($"{parts[0]}.{Encode(payload.ToJsonString())}.{parts[2]}"), EmulatorEndpoint.AuthorizationToken, "signature_bad");
    }

    [TestCase("{\"sub\":\"a\",\"sub\":\"b\"}")]
    [TestCase("[]")]
    [TestCase("not json")]
    public async Task A_payload_that_is_ambiguous_or_no_object_is_refused(string payload)
    {
        string[] parts = Job.Mint(Audience).Split('.');
        Expect(await ExchangeAsync($"{parts[0]}.{Encode(payload)}.{parts[2]}"), EmulatorEndpoint.AuthorizationToken, "not_a_jws");
    }

    [Test]
    public async Task Two_and_five_parts_are_refused()
    {
        string proof = Job.Mint(Audience);
        Expect(await ExchangeAsync(proof[..proof.LastIndexOf('.')]), EmulatorEndpoint.AuthorizationToken, "not_a_jws");
        Expect(await ExchangeAsync(proof + ".a.b"), EmulatorEndpoint.AuthorizationToken, "not_a_jws");
    }

    [Test]
    public async Task A_proof_the_test_signed_itself_is_refused_until_its_keys_are_trusted()
    {
        using var own = new OwnKey();
        DateTimeOffset now = Clock.GetUtcNow();
        string proof = own.Sign(new JsonObject { ["iss"] = Other, ["sub"] = "robot", ["aud"] = Audience, ["exp"] = now.AddMinutes(1).ToUnixTimeSeconds() });
        Expect(await ExchangeAsync(proof), EmulatorEndpoint.AuthorizationToken, "issuer_unknown");
        Client.Policies.Add(new FederationPolicy { Issuer = Other, Subject = "robot", JwksJson = own.Jwks });
        Assert.That((await ExchangeAsync(proof)).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task The_key_of_one_policy_does_not_speak_for_the_subject_of_another(bool keyOfRobotFirst)
    {
        using var robots = new OwnKey();
        using var others = new OwnKey();
        FederationPolicy robot = new() { Issuer = Other, Subject = "robot", JwksJson = robots.Jwks };
        FederationPolicy crane = new() { Issuer = Other, Subject = "crane", JwksJson = others.Jwks };
        foreach (FederationPolicy policy in keyOfRobotFirst ? [robot, crane] : (FederationPolicy[])[crane, robot])
            Client.Policies.Add(policy);
        Assert.That((await ExchangeAsync(Sign(robots, "robot"))).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await ExchangeAsync(Sign(others, "crane"))).Status, Is.EqualTo(HttpStatusCode.OK));
        Expect(await ExchangeAsync(Sign(robots, "crane")), EmulatorEndpoint.AuthorizationToken, "subject_mismatch");
        Expect(await ExchangeAsync(Sign(others, "robot")), EmulatorEndpoint.AuthorizationToken, "subject_mismatch");
        using var foreign = new OwnKey();
        Expect(await ExchangeAsync(Sign(foreign, "robot")), EmulatorEndpoint.AuthorizationToken, "signature_bad");

        string Sign(OwnKey key, string subject) =>
            key.Sign(new JsonObject { ["iss"] = Other, ["sub"] = subject, ["aud"] = Audience, ["exp"] = Clock.GetUtcNow().AddMinutes(1).ToUnixTimeSeconds() });
    }

    [Test]
    public async Task A_replayed_proof_is_refused_where_one_use_is_set_and_only_there()
    {
        string proof = Job.Mint(Audience);
        Assert.That((await ExchangeAsync(proof)).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await ExchangeAsync(proof)).Status, Is.EqualTo(HttpStatusCode.OK));
        Emulator.Authorization.OneUseSubjectTokens = true;
        Assert.That((await ExchangeAsync(proof)).Status, Is.EqualTo(HttpStatusCode.OK));
        Expect(await ExchangeAsync(proof), EmulatorEndpoint.AuthorizationToken, "replayed");
    }

    [Test]
    public async Task A_replayed_assertion_of_the_jwt_bearer_grant_is_refused_with_invalid_grant()
    {
        (string, string)[] form = [("grant_type", RawClient.JwtBearer), ("client_id", "job"), ("assertion", Job.Mint(Audience))];
        Assert.That((await Raw.PostAsync(Emulator.Authorization.TokenEndpoint, form)).Status, Is.EqualTo(HttpStatusCode.OK));
        Expect(await Raw.PostAsync(Emulator.Authorization.TokenEndpoint, form), EmulatorEndpoint.AuthorizationToken, "replayed", "invalid_grant");
    }

    [Test]
    public async Task After_rotation_the_old_key_counts_only_as_long_as_it_is_published()
    {
        string old = Job.Mint(Audience);
        Emulator.RotateKeys(keepOld: true);
        Assert.That((await ExchangeAsync(old)).Status, Is.EqualTo(HttpStatusCode.OK));
        Emulator.RotateKeys(keepOld: false);
        Expect(await ExchangeAsync(old), EmulatorEndpoint.AuthorizationToken, "key_unknown");
        Assert.That((await ExchangeAsync(Job.Mint(Audience))).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task The_leeway_is_thirty_seconds_and_no_more()
    {
        string proof = Job.Mint(Audience);
        Clock.Advance(TimeSpan.FromSeconds(329));
        Assert.That((await ExchangeAsync(proof)).Status, Is.EqualTo(HttpStatusCode.OK));
        Clock.Advance(TimeSpan.FromSeconds(1));
        Expect(await ExchangeAsync(proof), EmulatorEndpoint.AuthorizationToken, "expired");
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private static TestCaseData Case(string name, string reason, Action<ProofClaims> plant) => new TestCaseData(reason, plant).SetArgDisplayNames(name);

    private void Expect(RawAnswer answer, EmulatorEndpoint endpoint, string reason, string error = "invalid_request")
    {
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.BadRequest), answer.Body);
        Assert.That(answer.Error, Is.EqualTo(error), answer.Body);
        Assert.That(answer.Text("error_description"), Is.Not.Empty);
        Assert.That(answer.Header("Cache-Control"), Is.EqualTo("no-store"));
        LedgerRefusal refusal = Emulator.Ledger.Refusals[^1];
        Assert.That((refusal.Endpoint, refusal.Reason, refusal.RequestId), Is.EqualTo((endpoint, reason, answer.Header("x-request-id"))));
    }
}
