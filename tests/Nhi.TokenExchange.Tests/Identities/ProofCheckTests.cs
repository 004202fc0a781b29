using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>FAULTS 5c, rows 56 to 71, 74 and 75; S13; M7; M14.</summary>
internal sealed class ProofCheckTests
{
    private static AttestedProof Check(string compact, ActsFor actsFor = ActsFor.Proven, string audience = Proofs.Audience) =>
        ProofCheck.Check(Proofs.Token(compact), new Audience(audience), actsFor, Proofs.Now);

    private static IdentityUnavailableException Refused(string compact, ActsFor actsFor = ActsFor.Proven, string audience = Proofs.Audience)
    {
        var refused = Assert.Throws<IdentityUnavailableException>(() => Check(compact, actsFor, audience))!;
        foreach (string part in compact.Split('.').Where(part => part.Length >= 12))   // the canary: no part of the token, nor its beginning
            Assert.That(refused.ToString(), Does.Not.Contain(part[..12]));
        Assert.That(refused.Hint, Is.Not.Null.And.Not.Empty);
        return refused;
    }

    [Test]
    public void A_good_proof_says_issuer_subject_claims_and_end()
    {
        AttestedProof proof = Check(Proofs.With());
        Assert.Multiple(() =>
        {
            Assert.That(proof.Issuer, Is.EqualTo("https://token.actions.githubusercontent.com"));
            Assert.That(proof.Subject, Is.EqualTo("repo:acme@101/orders@202:ref:refs/heads/main"));
            Assert.That(proof.Claims["run_id"], Is.EqualTo("77"));
            Assert.That(proof.ExpiresAt, Is.EqualTo(Proofs.Now.AddSeconds(300)));
            Assert.That(proof.WorkloadIsAsserted, Is.False);
        });
    }

    [Test]
    public void Claims_become_text_by_path()
    {
        AttestedProof proof = Check(Proofs.With(("n", 5), ("b", true), ("list", new JsonArray("x", "y")), ("deep", new JsonObject { ["er"] = new JsonObject { ["still"] = "v" } })));
        Assert.Multiple(() =>
        {
            Assert.That(proof.Claims["n"], Is.EqualTo("5"));
            Assert.That(proof.Claims["b"], Is.EqualTo("true"));
            Assert.That(proof.Claims["list"], Is.EqualTo("""["x","y"]"""));
            Assert.That(proof.Claims["deep/er/still"], Is.EqualTo("v"));
        });
    }

    private static IEnumerable<TestCaseData> Malformed()
    {
        string good = Proofs.With();
        string[] parts = good.Split('.');
        string claims = Proofs.GitHubClaims.ToJsonString();
        TestCaseData Row(string name, string token, string says) => new TestCaseData(token, says).SetArgDisplayNames(name);
        yield return Row("58 one part", "opaque", "1 part");
        yield return Row("58 two parts", $"{parts[0]}.{parts[1]}", "2 parts");
        yield return Row("58 four parts", good + ".x", "4 parts");
        yield return Row("58 five parts", good + ".x.y", "JWE");
        yield return Row("58 empty header", $".{parts[1]}.{parts[2]}", "header is empty");
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
        yield return Row("M14 Keycloak's refresh token", Proofs.With(("typ", "Refresh")), "kind 'Refresh'");
    }

    [TestCaseSource(nameof(Malformed))]
    public void What_can_be_read_in_no_way_or_two_is_refused(string token, string says)
    {
        IdentityUnavailableException refused = Refused(token, ActsFor.Workload);
        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.ProofMalformed));
        Assert.That(refused.Message, Does.Contain(says));
        Assert.That(refused.IsTransient, Is.False);
    }

    [Test]
    public void A_proof_of_more_than_64_KiB_can_not_be_made_row_75() =>
        Assert.That(() => Proofs.Token(Proofs.With(("pad", new string('x', 66_000)))), Throws.ArgumentException.With.Message.Contains("65536"));

    [TestCase(29, false)]
    [TestCase(30, true)]
    [TestCase(-1, false)]
    public void With_less_than_30_s_left_it_is_not_presented_row_66(int secondsLeft, bool taken)
    {
        string token = Proofs.With(("exp", Proofs.Now.ToUnixTimeSeconds() + secondsLeft), ("iat", Proofs.Now.ToUnixTimeSeconds() - 300));
        if (taken)
        {
            Assert.That(Check(token).ExpiresAt, Is.EqualTo(Proofs.Now.AddSeconds(secondsLeft)));
            return;
        }
        IdentityUnavailableException refused = Refused(token);
        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.ProofExpired));
        Assert.That(refused.Message, Does.Contain("less than 30 s").And.Contain("2026-01-01T00:00:00"));
    }

    [TestCase("0")]
    [TestCase("0.9")]
    [TestCase("1.5")]
    public void An_end_in_1970_has_passed(string exp)
    {
        string claims = Proofs.GitHubClaims.ToJsonString();
        string token = Proofs.Compact(claims.Replace($"\"exp\":{Proofs.Now.ToUnixTimeSeconds() + 300}", $"\"exp\":{exp}", StringComparison.Ordinal));
        Assert.That(Refused(token), Has.Property("Code").EqualTo(ErrorCodes.ProofExpired).And.Message.Contains("1970-01-01T00:00:0"));
    }

    [Test]
    public void A_beginning_of_zero_is_1970_as_old_Keycloaks_write_it() =>
        Assert.That(Check(Proofs.With(("nbf", 0))).ExpiresAt, Is.EqualTo(Proofs.Now.AddSeconds(300)));

    [TestCase(".75")]
    [TestCase(".9999999999999999999999999")]
    [TestCase("e0")]
    [TestCase("5e-1")]
    public void A_fraction_of_a_second_is_cut_off(string tail)
    {
        string end = $"\"exp\":{Proofs.Now.ToUnixTimeSeconds() + 300}";
        string claims = Proofs.GitHubClaims.ToJsonString().Replace(end, end + tail, StringComparison.Ordinal);
        Assert.That(Check(Proofs.Compact(claims)).ExpiresAt, Is.EqualTo(Proofs.Now.AddSeconds(300)));
    }

    [Test]
    public void The_end_said_beside_the_token_counts_if_it_is_earlier()
    {
        var token = new SubjectToken(Proofs.With(), SubjectTokenType.Jwt, Proofs.Now.AddSeconds(100));
        Assert.That(ProofCheck.Check(token, new Audience(Proofs.Audience), ActsFor.Proven, Proofs.Now).ExpiresAt, Is.EqualTo(Proofs.Now.AddSeconds(100)));
    }

    [TestCase("nbf", 60, true)]
    [TestCase("nbf", 61, false)]
    [TestCase("iat", 60, true)]
    [TestCase("iat", 61, false)]
    public void A_clock_may_be_60_s_ahead_row_66(string claim, int ahead, bool taken)
    {
        string token = Proofs.With((claim, Proofs.Now.ToUnixTimeSeconds() + ahead));
        if (taken)
            Assert.That(Check(token), Is.Not.Null);
        else
            Assert.That(Refused(token), Has.Property("Code").EqualTo(ErrorCodes.ProofNotYetValid).And.Property("Message").Contains("leeway 60 s"));
    }

    [TestCase(24 * 3600, true)]
    [TestCase((365 * 24 * 3600), false)]
    public void What_lives_longer_than_a_day_is_a_static_secret_row_67(int life, bool taken)
    {
        string token = Proofs.With(("exp", Proofs.Now.ToUnixTimeSeconds() + life));
        if (taken)
            Assert.That(Check(token), Is.Not.Null);
        else
            Assert.That(Refused(token), Has.Property("Code").EqualTo(ErrorCodes.ProofLivesTooLong).And.Property("Message").Contains("87000 s"));
    }

    private static IEnumerable<TestCaseData> OtherAudiences()
    {
        yield return new TestCaseData(null, "no 'aud'").SetArgDisplayNames("missing");
        yield return new TestCaseData(new JsonArray(), "no 'aud'").SetArgDisplayNames("empty list");
        yield return new TestCaseData(JsonValue.Create(""), "audience ''").SetArgDisplayNames("empty text");
        yield return new TestCaseData(JsonValue.Create("https://kubernetes.default.svc"), "'https://kubernetes.default.svc'; expected 'https://sts.example'").SetArgDisplayNames("other");
        yield return new TestCaseData(JsonValue.Create("https://sts.example/"), "character 20: '/' where the end").SetArgDisplayNames("slash");
        yield return new TestCaseData(JsonValue.Create("https://STS.example"), "character 9: 'S' where 's'").SetArgDisplayNames("case");
        yield return new TestCaseData(JsonValue.Create("http://sts.example"), "for audience 'http://sts.example'").SetArgDisplayNames("scheme");
        yield return new TestCaseData(new JsonArray(Proofs.Audience, "https://other.example"), "2 audiences").SetArgDisplayNames("two");
        yield return new TestCaseData(new JsonArray(Proofs.Audience, Proofs.Audience), "2 audiences").SetArgDisplayNames("twice the same");
    }

    [TestCaseSource(nameof(OtherAudiences))]
    public void A_proof_for_another_audience_is_refused_and_both_are_shown_row_68(JsonNode? audience, string says)
    {
        IdentityUnavailableException refused = Refused(Proofs.With(("aud", audience?.DeepClone())));
        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.ProofForAnotherAudience));
        Assert.That(refused.Message, Does.Contain(says));
    }

    [Test]
    public void A_list_of_one_audience_is_that_audience() => Assert.That(Check(Proofs.With(("aud", new JsonArray(Proofs.Audience)))), Is.Not.Null);

    [Test]
    public void An_exchanger_that_names_no_audience_gets_no_proof() =>
        Assert.That(() => ProofCheck.Check(Proofs.Token(Proofs.With()), default, ActsFor.Proven, Proofs.Now), Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.ProofForAnotherAudience));

    [TestCase("urn:ietf:params:oauth:token-type:access_token")]
    [TestCase("urn:ietf:params:aws:token-type:aws4_request")]
    public void An_opaque_proof_needs_the_word_of_the_configuration(string urn)
    {
        var token = new SubjectToken("opaque-0123456789", new SubjectTokenType(urn), Proofs.Now.AddMinutes(5));
        Assert.That(() => ProofCheck.Check(token, default, ActsFor.Proven, Proofs.Now), Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.ProofNotKnownToBeAWorkloads));
        AttestedProof proof = ProofCheck.Check(token, default, ActsFor.Workload, Proofs.Now);
        Assert.That((proof.WorkloadIsAsserted, proof.Issuer, proof.ExpiresAt), Is.EqualTo((true, "", Proofs.Now.AddMinutes(5))));
        Assert.That(() => ProofCheck.Check(token, default, ActsFor.Workload, Proofs.Now.AddMinutes(5)), Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.ProofExpired));
    }

    // M14: kinds × slots.
    [TestCase("urn:ietf:params:oauth:token-type:refresh_token")]
    [TestCase("urn:ietf:params:oauth:token-type:saml2")]
    public void A_JWT_in_the_place_of_another_kind_is_refused_M14(string urn) =>
        Assert.That(() => ProofCheck.Check(new SubjectToken(Proofs.With(), new SubjectTokenType(urn)), new Audience(Proofs.Audience), ActsFor.Workload, Proofs.Now),
            Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.ProofMalformed));

    [Test]
    public void An_access_token_in_the_place_of_an_ID_token_is_refused_M14() =>
        Assert.That(() => ProofCheck.Check(new SubjectToken(Proofs.Compact(Proofs.GitHubClaims.ToJsonString(), """{"alg":"RS256","typ":"at+jwt"}"""), SubjectTokenType.IdToken), new Audience(Proofs.Audience), ActsFor.Workload, Proofs.Now),
            Throws.TypeOf<IdentityUnavailableException>().With.Message.Contains("access token"));

    [Test]
    public void An_access_token_that_is_a_JWT_is_checked_like_one() =>
        Assert.That(() => ProofCheck.Check(new SubjectToken(Proofs.With(("aud", "https://other.example")), SubjectTokenType.AccessToken), new Audience(Proofs.Audience), ActsFor.Workload, Proofs.Now),
            Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo(ErrorCodes.ProofForAnotherAudience));

    [Test]
    public void Ten_thousand_damaged_tokens_are_refused_or_read_but_nothing_else_happens()
    {
        string good = Proofs.With(("deep", new JsonObject { ["x"] = 1 }));
        var random = new Random(20260101);
        for (int i = 0; i < 10_000; i++)
        {
            char[] damaged = good.ToCharArray();
            for (int hits = random.Next(1, 4); hits > 0; hits--)
                damaged[random.Next(damaged.Length)] = (char)random.Next('!', '~' + 1);
            try
            {
                _ = Check(new string(damaged), ActsFor.Workload);
            }
            catch (IdentityUnavailableException refused)
            {
                Assert.That(refused.Message, Does.Not.Contain(good[..20]));
            }
        }
    }
}
