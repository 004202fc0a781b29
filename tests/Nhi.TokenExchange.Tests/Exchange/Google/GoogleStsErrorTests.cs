namespace Nhi.TokenExchange.Tests.Exchange.Google;

/// <summary>One refusal of Google's STS and the hint that is made of it, word for word; and what it is not even asked.</summary>
internal sealed class GoogleStsErrorTests
{
    private const string Usual = """{"iss":"https://issuer.test","sub":"job","aud":"orders"}""";
    private const string Quoted = """{"iss":"https://issuer.test","sub":"job","aud":"it's"}""";

    private const string Presented = "Presented were issuer 'https://issuer.test', subject 'job', audience 'orders'.";
    private const string NoJwt = "What was presented is no JWT.";
    private const string Address = "github --workload-identity-pool=jobs --location=global --project=123456789012";
    private const string Request = $"Google takes no such request: the provider has to be named with its project's number, and without quotes; the proof has to be a JWT. It was //iam.googleapis.com/{GoogleWire.Provider}";
    private const string Grant = $"The provider has to name that issuer, and that audience among its allowed audiences (none listed means https://iam.googleapis.com/{GoogleWire.Provider});"
        + " the issuer's keys have to be reachable, the proof to be alive, and google.subject to have at most 127 characters.";
    private const string Condition = $"The provider's attribute condition refuses these claims. Look at it: gcloud iam workload-identity-pools providers describe {Address} --format='value(attributeCondition)'";

    // The proof is a JWT of these claims, or opaque.
    private static readonly (int Status, string Error, string? Proof, string? Hint)[] Hints =
    [
        (400, "invalid_target", Usual, $"There is no such provider, or it or its pool is disabled or was deleted. Compare with: gcloud iam workload-identity-pools providers describe {Address}"),
        (400, "invalid_request", Usual, $"{Presented} {Request}"),
        (400, "invalid_request", null, $"{NoJwt} {Request}"),
        (400, "invalid_grant", Usual, $"{Presented} {Grant} An admin makes it so: gcloud iam workload-identity-pools providers update-oidc {Address} --issuer-uri='https://issuer.test' --allowed-audiences='orders'"),
        (400, "invalid_grant", Quoted, $"Presented were issuer 'https://issuer.test', subject 'job', audience 'it's'. {Grant}"),
        (400, "invalid_grant", null, $"{NoJwt} {Grant}"),
        (401, "unauthorized_client", Usual, $"{Presented} {Condition}"),
        (401, "unauthorized_client", null, $"{NoJwt} {Condition}"),
        (400, "invalid_scope", Usual, "Write each scope whole, such as https://www.googleapis.com/auth/devstorage.read_only."),
        (400, "unheard", Usual, null),
        (404, "unheard", Usual, "Check StsEndpoint and UniverseDomain, if they are set."),
    ];

    [Test]
    public void Each_refusal_has_the_hint_that_fits_what_was_presented()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((int status, string error, string? proof, string? hint) in Hints)
            {
                TokenExchangeException refused = new GoogleWire(WireAnswers.Json($$"""{"error":"{{error}}"}""", status)).Refused(proof: proof is null ? GoogleWire.Proof : WireSamples.Jwt(proof));
                Assert.That((refused.IssuerError, refused.Hint), Is.EqualTo((error, hint)), $"{status} {error} {proof}");
            }
        }
    }

    [Test]
    public void A_boundary_that_is_refused_is_what_to_look_at()
    {
        TokenExchangeException refused = new GoogleWire(GoogleWire.Federated(), WireAnswers.Json("""{"error":"invalid_request","error_description":"no"}""", 400)).Refused(o =>
        {
            o.Resources.Add("//storage.googleapis.com/projects/_/buckets/orders");
            o.Permissions.Add("inRole:roles/storage.objectViewer");
        });

        Assert.That((refused.Detail, refused.Hint), Is.EqualTo((
            "Host sts.googleapis.com answered 400 invalid_request: no",
            "Check Resources and Permissions: each resource has to be a bucket of Cloud Storage with uniform bucket-level access, each permission a role that can be granted on it.")));
    }

    [Test]
    public void What_Google_has_no_word_for_is_not_asked()
    {
        const string Neither = "A tenant or the claims of a challenge were asked for; this issuer knows neither.";
        const string Without = "Ask without tenant and claims, or use an exchanger that knows them.";
        using (Assert.EnterMultipleScope())
        {
            Refuses(channel => GoogleWire.Request(channel, tenant: "acme"), "NHI4016", Neither, Without);
            Refuses(channel => GoogleWire.Request(channel, claims: "{}"), "NHI4017", Neither, Without);
            Refuses(channel => GoogleWire.Request(channel, actor: new SubjectToken("words-of-an-actor", SubjectTokenType.Jwt)), "NHI4008", "The target names an actor; Google's STS takes none.", "Leave the actor out.");
        }

        static void Refuses(Func<HttpMessageInvoker, ExchangeRequest> request, string code, string said, string hint)
        {
            var google = new GoogleWire();
            TokenExchangeException refused = google.Refused(request: request);
            Assert.That((refused.Code, refused.Stage, refused.Detail, refused.Hint, google.Asked.Count), Is.EqualTo((code, ExchangeStage.Exchange, said, hint, 0)));
        }
    }
}
