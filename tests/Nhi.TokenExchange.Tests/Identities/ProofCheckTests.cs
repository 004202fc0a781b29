using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>One look at a proof before it is sent. What can not be read: Faults/BadProofTests.</summary>
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

    [Test]
    public void B75_A_proof_of_more_than_64_KiB_can_not_be_made() =>
        Assert.That(() => Proofs.Token(Proofs.With(("pad", new string('x', 66_000)))), Throws.ArgumentException.With.Message.Contains("65536"));

    [TestCase(29, false)]
    [TestCase(30, true)]
    [TestCase(-1, false)]
    public void B66_With_less_than_30_s_left_it_is_not_presented(int secondsLeft, bool taken)
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
    public void B66_A_clock_may_be_60_s_ahead(string claim, int ahead, bool taken)
    {
        string token = Proofs.With((claim, Proofs.Now.ToUnixTimeSeconds() + ahead));
        if (taken)
            Assert.That(Check(token), Is.Not.Null);
        else
            Assert.That(Refused(token), Has.Property("Code").EqualTo(ErrorCodes.ProofNotYetValid).And.Property("Message").Contains("leeway 60 s"));
    }

    [TestCase(24 * 3600, true)]
    [TestCase((365 * 24 * 3600), false)]
    public void B67_What_lives_longer_than_a_day_is_a_static_secret(int life, bool taken)
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
    public void B68_A_proof_for_another_audience_is_refused_and_both_are_shown(JsonNode? audience, string says)
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

    [TestCase("""["https://issuer.example/"]""", "https://issuer.example/", Description = "as Kubernetes writes it")]
    [TestCase("""["https://issuer.example/","other"]""", """["https://issuer.example/","other"]""")]
    public void A_list_of_one_audience_is_that_audience_to_a_policy(string aud, string claim) =>
        Assert.That(JwtReader.Read(Proofs.With(("aud", JsonNode.Parse(aud)))).Claims["aud"], Is.EqualTo(claim));
}
