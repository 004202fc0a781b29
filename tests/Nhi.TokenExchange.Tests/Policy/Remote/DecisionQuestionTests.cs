using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests.Policy.Remote;

/// <summary>What is asked: a question has all that shapes the decision, in one form, and nothing that changes from one proof to the next.</summary>
internal sealed class DecisionQuestionTests
{
    private static readonly Dictionary<string, string> Claims = new() { ["iss"] = "https://platform.example", ["sub"] = "job:orders", ["aud"] = "https://issuer.example/", ["repository"] = "acme/orders", ["email"] = "ann@acme.example", ["jti"] = "1", ["exp"] = "1767225600" };

    [Test]
    public void The_whole_question_stands_in_its_places()
    {
        AccessRequest request = Questions.Of(claims: Claims, attested: JobFacts.Pipeline | JobFacts.Run);

        string json = Write(request);

        const string wish = """{"scopes":["read","write"],"max_lifetime_seconds":3600,"is_refresh":false,"answers_claims_challenge":false,"is_platform_issued":false,"is_reusable_after_job":true,"is_visible_to_operators":true,"is_tied_to_human":true}""";
        const string job = """{"pipeline":"orders-nightly","run":"7","dataset":"orders","purpose":"load","attested":["pipeline","run"]}""";
        var expected = JsonNode.Parse($$"""
            { "subject": { "type": "workload", "id": "https://platform.example|job:orders",
                           "properties": { "issuer": "https://platform.example", "subject": "job:orders", "is_person": false,
                                           "claims": { "iss": "https://platform.example", "sub": "job:orders", "aud": "https://issuer.example/", "repository": "acme/orders" }, "job": {{job}} } },
              "action": { "name": "exchange", "properties": {{wish}} },
              "resource": { "type": "target", "id": "warehouse", "properties": { "issuer": "https://issuer.example/", "scopes": ["read","write"], "max_lifetime_seconds": 3600, "is_refresh": false, "answers_claims_challenge": false, "is_platform_issued": false, "is_reusable_after_job": true, "is_visible_to_operators": true, "is_tied_to_human": true } },
              "context": { "job": {{job}} } }
            """);
        Assert.That(JsonNode.DeepEquals(JsonNode.Parse(json), expected), Is.True, json);
    }

    [Test]
    public void Resources_and_authorization_details_stand_with_the_scopes()
    {
        JsonNode question = JsonNode.Parse(Write(With(resource: "https://warehouse.example/orders", details: """[{"type":"sql"}]""")))!;

        foreach (string place in new[] { "action", "resource" })
        {
            Assert.That(question[place]!["properties"]!["resources"]!.ToJsonString(), Is.EqualTo("""["https://warehouse.example/orders"]"""), place);
            Assert.That(question[place]!["properties"]!["authorization_details"]!.ToJsonString(), Is.EqualTo("""[{"type":"sql"}]"""), place);
        }
    }

    [Test]
    public void What_is_configured_of_the_claims_is_sent_and_nothing_else()
    {
        JsonNode claims = JsonNode.Parse(Write(Questions.Of(claims: Claims), "email", "nowhere", "email"))!["subject"]!["properties"]!["claims"]!;

        Assert.That(claims.ToJsonString(), Is.EqualTo("""{"email":"ann@acme.example"}"""));
    }

    [Test]
    public void Everything_that_differs_makes_another_question_and_the_time_and_the_proof_do_not()
    {
        AccessRequest[] different =
        [
            Questions.Of(claims: Claims), Questions.Of(claims: Claims, target: "lake"), Questions.Of(claims: Claims, subject: "job:other"), Questions.Of(claims: new Dictionary<string, string>(Claims) { ["repository"] = "acme/Orders" }),
            Questions.Of(claims: Claims, attested: JobFacts.Run), Questions.Of(claims: Claims, job: new JobContext { Pipeline = "orders-nightly", Run = "8" }),
            With(issuer: "https://other.example/"), With(scopes: ScopeSet.Of("read")), With(life: TimeSpan.FromMinutes(5)), With(tenant: "t"), With(challenge: true), With(actor: "a"), With(person: true), With(platform: true), With(exposed: "reusable"), With(exposed: "visible"), With(exposed: "human"), With(exposed: "nothing"), With(resource: "a"), With(details: """[{"type":"sql"}]"""),
        ];
        AccessRequest again = Questions.Of(new ManualTimeProvider(), claims: new Dictionary<string, string>(Claims) { ["jti"] = "2", ["exp"] = "1767229200" });

        string[] keys = [.. different.Select(request => DecisionCache.KeyOf(Encoding.UTF8.GetBytes(Write(request))))];
        Assert.That(keys, Is.Unique);
        Assert.That(DecisionCache.KeyOf(Encoding.UTF8.GetBytes(Write(again))), Is.EqualTo(keys[0]));
    }

    [Test]
    public void Two_subjects_never_have_one_id_and_an_opaque_proof_has_one_of_its_own()
    {
        Assert.That(IdOf("job|a"), Is.EqualTo("https://platform.example|job|a"));
        Assert.That(IdOf(""), Is.EqualTo("https://platform.example|"));
        Assert.That((string?)JsonNode.Parse(Write(With(opaque: true)))!["subject"]!["id"], Is.EqualTo("opaque"));

        static string? IdOf(string subject) => (string?)JsonNode.Parse(Write(Questions.Of(subject: subject)))!["subject"]!["id"];
    }

    private static AccessRequest With(string issuer = "https://issuer.example/", ScopeSet? scopes = null, TimeSpan? life = null, string? tenant = null, bool challenge = false, string? actor = null, bool person = false, bool platform = false, bool opaque = false, string? resource = null, string? details = null, string? exposed = null) => new()
    {
        Target = "warehouse", At = TimeProvider.System.GetUtcNow(), Job = Questions.Of().Job, TargetIssuer = issuer, SubjectIssuer = opaque ? "" : "https://platform.example", Subject = opaque ? "" : "job:orders", Claims = Claims,
        Scopes = scopes ?? ScopeSet.Of("read", "write"), MaxLifetime = life ?? TimeSpan.FromHours(1), Tenant = tenant, AnswersClaimsChallenge = challenge, ActorIssuer = actor, ActorSubject = actor, IsAPersons = person, IsPlatformIssued = platform,
        Resources = resource is null ? [] : [resource], AuthorizationDetails = details,
        Exposure = new CredentialExposure(Answer("reusable", exposed), Answer("visible", exposed), Answer("human", exposed)),
    };

    private static ExposureAnswer Answer(string question, string? exposed) => exposed is null || exposed == question ? ExposureAnswer.Yes("test") : ExposureAnswer.No("test");

    private static string Write(AccessRequest request, params string[] claims) =>
        Encoding.UTF8.GetString(DecisionQuestion.Of(request, claims.Length > 0 ? claims : WorkloadClaims.Default, isRefresh: false));
}
