using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>B56 to B74, through a whole job: a proof that can't be right never reaches the issuer, and is told by part, claim and remedy. B57, B66 to B69, B71 and B75 are beside what they test.</summary>
internal sealed class BadProofTests
{
    [TestCase("", "it is empty")]
    [TestCase("\n", "it is empty")]
    [TestCase("\r\n", "it is empty")]
    [TestCase("\uFEFF", "it is empty")]
    [TestCase("   ", "white space")]
    [TestCase("\n\n", "white space")]
    public async Task B56_A_file_without_a_proof_is_named(string content, string says)
    {
        string path = Path.Join(Directory.CreateTempSubdirectory("nhi-proof-").FullName, "token");
        await File.WriteAllTextAsync(path, content);
        try
        {
            IdentityUnavailableException refused = await RefusedAsync(IdentitySources.OidcFile(path));

            Assert.That(refused.Code, Is.EqualTo(ErrorCodes.ProofMalformed));
            Assert.That(refused.Message, Does.Contain(path).And.Contain(says));
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    [TestCaseSource(nameof(RowsOf), new object[] { "58 " })]
    public Task B58_What_has_not_three_parts_is_no_signed_JWT(string proof, string says) => AssertMalformedAsync(proof, says);

    [TestCaseSource(nameof(RowsOf), new object[] { "59 " })]
    public Task B59_What_is_not_base64url_is_told_by_part_and_position(string proof, string says) => AssertMalformedAsync(proof, says);

    [TestCaseSource(nameof(RowsOf), new object[] { "60 " })]
    public Task B60_A_header_that_can_not_be_read_in_one_way_is_refused(string proof, string says) => AssertMalformedAsync(proof, says);

    [TestCaseSource(nameof(RowsOf), new object[] { "61 " })]
    public Task B61_An_algorithm_that_anybody_could_sign_with_is_refused_by_name(string proof, string says) => AssertMalformedAsync(proof, says);

    [TestCaseSource(nameof(RowsOf), new object[] { "62 " })]
    public Task B62_A_key_id_that_is_none_is_refused(string proof, string says) => AssertMalformedAsync(proof, says);

    [TestCase("""{"alg":"RS256"}""")]
    [TestCase("""{"alg":"RS256","kid":"../../etc/passwd"}""")]
    public async Task B62_A_key_id_is_for_the_issuer_to_look_up_and_opens_nothing_here(string header)
    {
        await using AnsweredJob job = await StartAsync(Source(Proofs.Compact(Proofs.GitHubClaims.ToJsonString(), header)));

        Assert.That(await job.Warehouse.GetAsync(), Is.Not.Null);
        Assert.That(job.Wire.Asked, Has.Count.EqualTo(1));
    }

    [TestCaseSource(nameof(RowsOf), new object[] { "63 " })]
    public Task B63_A_header_that_brings_its_own_key_is_refused_by_name(string proof, string says) => AssertMalformedAsync(proof, says);

    [TestCaseSource(nameof(RowsOf), new object[] { "64 " })]
    public Task B64_A_token_of_another_kind_is_refused_by_name(string proof, string says) => AssertMalformedAsync(proof, says);

    [TestCaseSource(nameof(RowsOf), new object[] { "65 " })]
    public Task B65_An_end_that_is_no_instant_is_refused_by_claim(string proof, string says) => AssertMalformedAsync(proof, says);

    [TestCaseSource(nameof(RowsOf), new object[] { "68 " })]
    public Task B68_An_audience_that_is_no_text_is_refused_by_claim(string proof, string says) => AssertMalformedAsync(proof, says);

    [TestCaseSource(nameof(RowsOf), new object[] { "70 " })]
    public Task B70_A_subject_that_can_not_be_shown_is_refused_by_claim(string proof, string says) => AssertMalformedAsync(proof, says);

    [TestCaseSource(nameof(RowsOf), new object[] { "74 " })]
    public Task B74_Claims_that_can_be_read_in_no_way_or_two_are_refused(string proof, string says) => AssertMalformedAsync(proof, says);

    private static Task<AnsweredJob> StartAsync(IWorkloadIdentitySource source) =>
        AnsweredJob.StartAsync(_ => AnsweringWire.Json(AnsweredJob.Answer()), o => o.SubjectAudience = Proofs.Audience, source);

    private static IWorkloadIdentitySource Source(string proof) => IdentitySources.From((_, _) => new(Proofs.Token(proof)));

    private static async Task AssertMalformedAsync(string proof, string says)
    {
        IdentityUnavailableException refused = await RefusedAsync(Source(proof), proof);

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.ProofMalformed, false)));
        Assert.That(refused.Message, Does.Contain(says));
    }

    /// <summary>The issuer is not asked; what to do is said; no beginning of a part of the proof is said anywhere.</summary>
    private static async Task<IdentityUnavailableException> RefusedAsync(IWorkloadIdentitySource source, string proof = "")
    {
        await using AnsweredJob job = await StartAsync(source);
        var refused = (IdentityUnavailableException)await job.FailureAsync();

        Assert.That((refused.Stage, job.Wire.Asked.Count), Is.EqualTo((ExchangeStage.Attest, 0)));
        Assert.That(refused.Hint, Is.Not.Null.And.Not.Empty);
        string said = job.Said(refused);
        foreach (string part in proof.Split('.').Where(part => part.Length >= 12))
            Assert.That(said, Does.Not.Contain(part[..12]));
        return refused;
    }

    private static IEnumerable<TestCaseData> RowsOf(string number) =>
        Rows().Where(row => row.Name.StartsWith(number, StringComparison.Ordinal)).Select(row => new TestCaseData(row.Proof, row.Says).SetArgDisplayNames(row.Name[number.Length..]));

    private static IEnumerable<(string Name, string Proof, string Says)> Rows()
    {
        string good = Proofs.With();
        string[] parts = good.Split('.');
        string claims = Proofs.GitHubClaims.ToJsonString();
        (string, string, string) Row(string name, string token, string says) => (name, token, says);
        yield return Row("58 one part", "opaque", "1 part");
        yield return Row("58 two parts", $"{parts[0]}.{parts[1]}", "2 parts");
        yield return Row("58 four parts", good + ".x", "4 parts");
        yield return Row("58 five parts", good + ".x.y", "JWE");
        yield return Row("58 empty header", $".{parts[1]}.{parts[2]}", "header is empty");
        yield return Row("59 other letters", $"{parts[0]}.{parts[1]}.{parts[2]}"[..^1] + "*", "signature has a character at position");
        yield return Row("59 padding", $"{parts[0]}=.{parts[1]}.{parts[2]}", "header has a character at position");
        yield return Row("59 plus", $"{parts[0]}.+{parts[1]}.{parts[2]}", "payload has a character at position 0");
        yield return Row("59 slash", $"{parts[0]}.{parts[1]}.{parts[2]}/", "signature has a character at position");
        yield return Row("59 length", $"{parts[0]}.{parts[1]}.abcde", "signature has 5 characters");
        yield return Row("59 unused bits", $"{parts[0]}.{parts[1]}.AB", "signature does not end as base64url");
        yield return Row("60 header not JSON", $"{Proofs.Part("hello")}.{parts[1]}.{parts[2]}", "header is not JSON");
        yield return Row("60 header array", $"{Proofs.Part("[]")}.{parts[1]}.{parts[2]}", "header is not a JSON object");
        yield return Row("60 duplicate alg", Proofs.Compact(claims, """{"alg":"RS256","alg":"RS256"}"""), "header has a name twice");
        yield return Row("60 duplicate alg by escape", Proofs.Compact(claims, """{"alg":"RS256","\u0061lg":"none"}"""), "header has a name twice");
        foreach (string alg in (string[])["none", "NONE", "nOnE", "HS256", "HS512", "RS257", "rs256", ""])
            yield return Row($"61 alg {alg}", Proofs.Compact(claims, $$"""{"alg":"{{alg}}"}"""), "is not allowed");
        yield return Row("61 alg missing", Proofs.Compact(claims, """{"typ":"JWT"}"""), "'alg' is missing");
        yield return Row("61 alg number", Proofs.Compact(claims, """{"alg":5}"""), "not a text");
        yield return Row("62 kid number", Proofs.Compact(claims, """{"alg":"RS256","kid":5}"""), "'kid'");
        yield return Row("62 kid 10 KiB", Proofs.Compact(claims, $$"""{"alg":"RS256","kid":"{{new string('k', 10_240)}}"}"""), "'kid'");
        foreach (string name in (string[])["jku", "x5u", "jwk", "crit"])
            yield return Row($"63 {name}", Proofs.Compact(claims, $$"""{"alg":"RS256","{{name}}":"https://evil.example"}"""), $"'{name}'");
        foreach (string typ in (string[])["dpop+jwt", "refresh+jwt", "logout+jwt", "secevent+jwt"])
            yield return Row($"64 typ {typ}", Proofs.Compact(claims, $$"""{"alg":"RS256","typ":"{{typ}}"}"""), $"typ '{typ}'");
        foreach (string exp in (string[])["\"300\"", "1e20", "-1", "-0.5", "9007199254740993", "99999999999999999999", "1e400", "true", "[1]"])
            yield return Row($"65 exp {exp}", Proofs.Compact(claims.Replace($"\"exp\":{Proofs.Now.ToUnixTimeSeconds() + 300}", $"\"exp\":{exp}", StringComparison.Ordinal)), "'exp'");
        yield return Row("65 exp missing", Proofs.With(("exp", null)), "no 'exp'");
        yield return Row("65 nbf text", Proofs.With(("nbf", "x")), "'nbf'");
        yield return Row("68 aud object", Proofs.With(("aud", new JsonObject())), "'aud'");
        yield return Row("68 aud list of numbers", Proofs.With(("aud", new JsonArray(1))), "'aud'");
        yield return Row("70 sub missing", Proofs.With(("sub", null)), "no 'sub'");
        yield return Row("70 sub empty", Proofs.With(("sub", "")), "'sub'");
        yield return Row("70 sub number", Proofs.With(("sub", 5)), "'sub'");
        yield return Row("70 sub 10 KiB", Proofs.With(("sub", new string('s', 10_240))), "'sub'");
        yield return Row("70 sub control", Proofs.With(("sub", "repo:a\nb")), "invisible");
        yield return Row("70 sub zero width", Proofs.With(("sub", "repo:a\u200bb")), "invisible");
        yield return Row("70 sub turned", Proofs.With(("sub", "repo:a\u202eb")), "invisible");
        yield return Row("70 iss missing", Proofs.With(("iss", null)), "no 'iss'");
        yield return Row("74 nested", Proofs.Compact(string.Concat(Enumerable.Repeat("{\"a\":", 6_000)) + "1" + new string('}', 6_000)), "nested more than 16 deep");
        yield return Row("74 duplicate sub", Proofs.Compact(claims[..^1] + ",\"sub\":\"other\"}"), "payload has a name twice");
        yield return Row("74 lone surrogate in value", Proofs.Compact(claims[..^1] + ""","x":"\ud800"}"""), "surrogate");
        yield return Row("74 lone surrogate in name", Proofs.Compact(claims[..^1] + ""","\ud800":"x"}"""), "surrogate");
        yield return Row("74 not UTF-8", $"{parts[0]}.{System.Buffers.Text.Base64Url.EncodeToString([.. "{\"a\":\""u8, 0xff, .. "\"}"u8])}.{parts[2]}", "not UTF-8");
        yield return Row("74 text behind", Proofs.Compact(claims + " x"), "payload is not JSON");
        yield return Row("74 path said twice", Proofs.Compact(claims[..^1] + ",\"a/b\":1,\"a\":{\"b\":2}}"), "same path");
        yield return Row("64 Keycloak's refresh token", Proofs.With(("typ", "Refresh")), "kind 'Refresh'");
    }
}
