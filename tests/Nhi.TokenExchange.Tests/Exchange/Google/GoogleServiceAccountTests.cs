namespace Nhi.TokenExchange.Tests.Exchange.Google;

/// <summary>What IAM is asked for a service account's token, what is read of its answer, and each refusal word for word.</summary>
internal sealed class GoogleServiceAccountTests
{
    private const string Account = GoogleJob.Account;
    private const string Gate = "gate@my-project.iam.gserviceaccount.com";
    private const string Host = "iamcredentials.googleapis.com";
    private const string ReadOnly = "https://www.googleapis.com/auth/devstorage.read_only";
    private const string Usual = """{"iss":"https://issuer.test","sub":"job","aud":"orders"}""";

    private const string Role = "by the role roles/iam.workloadIdentityUser.";
    private const string Chain = $"With Delegates the first of them, {Gate}, has to let the workload in, and each one has to have roles/iam.serviceAccountTokenCreator on the next.";
    private const string Recent = "What was granted minutes ago may not be known everywhere yet.";
    private const string Command = "An admin makes it so, where the pool maps google.subject to sub: gcloud iam service-accounts add-iam-policy-binding";
    private const string Member = "--role=roles/iam.workloadIdentityUser --member='principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/jobs/subject/job'";

    // The proof is a JWT of these claims, or opaque.
    private static readonly (bool Delegates, string? Proof, string Hint)[] TrustHints =
    [
        (false, null, $"Let the workload act as {Account}, {Role} {Recent}"),
        (false, Usual, $"Let the workload act as {Account}, {Role} {Recent} {Command} {Account} {Member}"),
        (false, """{"iss":"https://issuer.test","sub":"it's","aud":"orders"}""", $"Let the workload act as {Account}, {Role} {Recent}"),
        (true, null, $"Let the workload act as {Gate}, {Role} {Chain} {Recent}"),
        (true, Usual, $"Let the workload act as {Gate}, {Role} {Chain} {Recent} {Command} {Gate} {Member}"),
    ];

    private static readonly (string Body, string Said)[] Flawed =
    [
        ("\"expireTime\":null", "has an expireTime '' that is no instant"),
        ("\"expireTime\":\"soon\"", "has an expireTime 'soon' that is no instant"),
        ($"\"expireTime\":\"{GoogleWire.Account}\"", "has an expireTime '[redacted]' that is no instant"),
        ($"\"expireTime\":\"{GoogleWire.Workload}\"", "has an expireTime '[redacted]' that is no instant"),
        ("\"expireTime\":1767225600", "has 'expireTime' that is no string"),
    ];

    [Test]
    public async Task It_is_asked_with_the_workloads_own_token_for_the_targets_scopes_and_life()
    {
        var google = new GoogleWire(GoogleWire.Federated(), GoogleWire.Acting(headers: ("x-request-id", "of-iam")));

        Issued<BearerToken> issued = await google.AskAsync(o => o.ServiceAccount = Account);

        ReceivedRequest sts = google.Asked[0], iam = google.Asked[1];
        Assert.That((sts.Method, sts.Path, sts.Field("scope"), sts.Headers["Authorization"]), Is.EqualTo(("POST", "https://sts.googleapis.com/v1/token", "https://www.googleapis.com/auth/iam", "")));
        Assert.That((iam.Method, iam.Path), Is.EqualTo(("POST", $"https://{Host}/v1/projects/-/serviceAccounts/{Account}:generateAccessToken")));
        Assert.That((iam.Headers["Authorization"], iam.Headers["Content-Type"]), Is.EqualTo(($"Bearer {GoogleWire.Workload}", "application/json")));
        Assert.That(iam.Body, Is.EqualTo("""{"scope":["https://www.googleapis.com/auth/cloud-platform"],"lifetime":"3600s"}"""));
        Assert.That((google.Asked.Count, issued.Credential.Reveal(), issued.CorrelationId, issued.Flaw), Is.EqualTo((2, GoogleWire.Account, "of-iam", (TokenExchangeException?)null)));
    }

    [TestCase(90.9, "90s")]
    [TestCase(1, "1s")]
    [TestCase(0.5, "1s")]
    public async Task Delegates_scopes_and_a_life_in_whole_seconds_stand_in_what_is_asked(double seconds, string life)
    {
        var google = new GoogleWire(GoogleWire.Federated(), GoogleWire.Acting());

        await google.AskAsync(
            o =>
            {
                o.UniverseDomain = "apis-tpc.example";
                o.ServiceAccount = Account;
                o.Delegates.Add(Gate);
                o.Delegates.Add("next@my-project.iam.gserviceaccount.com");
            },
            request: channel => GoogleWire.Request(channel, life: TimeSpan.FromSeconds(seconds), scopes: $"{ReadOnly} email"));

        Assert.That(google.Asked.Select(asked => asked.Path), Is.EqualTo(new[] { "https://sts.apis-tpc.example/v1/token", $"https://iamcredentials.apis-tpc.example/v1/projects/-/serviceAccounts/{Account}:generateAccessToken" }));
        Assert.That(google.Asked[1].Body, Is.EqualTo(
            $$"""{"delegates":["projects/-/serviceAccounts/{{Gate}}","projects/-/serviceAccounts/next@my-project.iam.gserviceaccount.com"],"scope":["email","{{ReadOnly}}"],"lifetime":"{{life}}"}"""));
    }

    [TestCase("2026-01-01T00:50:00Z", 50)]
    [TestCase("2026-01-01T00:50:00", 50)]
    [TestCase("2026-01-01T02:50:00+02:00", 50)]
    [TestCase("2026-01-01T01:00:00Z", 60)]
    [TestCase("2026-01-01T01:00:01Z", 60)]
    public async Task A_token_ends_when_IAM_says_and_no_later_than_was_asked_for(string expires, double minutes)
    {
        Issued<BearerToken> issued = await new GoogleWire(GoogleWire.Federated(), GoogleWire.Acting(expires)).AskAsync(o => o.ServiceAccount = Account);

        Assert.That((issued.Credential.ExpiresAt, issued.EndIsAssumed, issued.Flaw), Is.EqualTo((GoogleWire.Now.AddMinutes(minutes), false, (TokenExchangeException?)null)));
    }

    [Test]
    public async Task A_token_whose_end_can_not_be_read_is_given_with_its_flaw_to_be_told_of()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string body, string said) in Flawed)
            {
                Issued<BearerToken> issued = await ActAsync($$"""{"accessToken":"{{GoogleWire.Account}}",{{body}}}""");
                Assert.That((issued.Credential.Reveal(), issued.Credential.ExpiresAt, issued.EndIsAssumed, issued.CorrelationId), Is.EqualTo((GoogleWire.Account, GoogleWire.Now.AddHours(1), true, "of-iam")), body);
                AssertMalformed(issued.Flaw!, said);
            }
            Issued<BearerToken> twice = await ActAsync($$"""{"accessToken":"{{GoogleWire.Account}}","expireTime":"2026-01-01T00:50:00Z","accessToken":"another"}""");
            Assert.That((twice.Credential.Reveal(), twice.Credential.ExpiresAt, twice.EndIsAssumed), Is.EqualTo((GoogleWire.Account, GoogleWire.Now.AddMinutes(50), false)));
            AssertMalformed(twice.Flaw!, "has 'accessToken' twice");
            Issued<BearerToken> named = await ActAsync("""{"words-that-open":1,"words-that-open":2,"accessToken":"words-that-open","expireTime":"2026-01-01T00:50:00Z"}""");
            AssertMalformed(named.Flaw!, "has '[redacted]' twice");
        }
    }

    [TestCase("""{"expireTime":"2026-01-01T00:50:00Z"}""", "has no accessToken")]
    [TestCase("""{"accessToken":"","expireTime":"2026-01-01T00:50:00Z"}""", "has no accessToken")]
    [TestCase("""{"accessToken":7,"expireTime":"2026-01-01T00:50:00Z"}""", "has 'accessToken' that is no string")]
    [TestCase($$"""{"{{GoogleWire.Workload}}":1,"{{GoogleWire.Workload}}":2}""", "has '[redacted]' twice")]
    [TestCase("[]", "is not a JSON object")]
    [TestCase("""{"accessToken":"words of it","expireTime":"2026-01-01T00:50:00Z"}""", "has an accessToken that can't be sent: The token has a character at position 5 of 11 that RFC 6750 §2.1 does not allow")]
    public void An_answer_without_a_token_that_can_be_sent_is_malformed(string body, string said) =>
        AssertMalformed(Assert.ThrowsAsync<TokenExchangeException>(() => ActAsync(body))!, said);

    [Test]
    public void A_page_is_no_answer_though_it_reads_like_one() =>
        AssertMalformed(
            new GoogleWire(GoogleWire.Federated(), WireAnswers.Of($$"""{"accessToken":"{{GoogleWire.Account}}","expireTime":"2026-01-01T00:50:00Z"}""", "text/html", headers: ("x-request-id", "of-iam"))).Refused(o => o.ServiceAccount = Account),
            "is not well-formed JSON, or is nested too deep");

    [TestCase(400, "NHI4001", false, "Check the scopes, and MaxLifetime of the target: more than an hour is given only where the organization's policy constraints/iam.allowServiceAccountCredentialLifetimeExtension lists the service account.")]
    [TestCase(401, "NHI4001", false, "Google does not take the workload's own token. Check UniverseDomain and IamEndpoint, if they are set.")]
    [TestCase(404, "NHI4001", false, "There is no such service account: correct ServiceAccount, or Delegates.")]
    [TestCase(408, "NHI4002", true, null)]
    [TestCase(409, "NHI4001", false, null)]
    [TestCase(429, "NHI4003", true, null)]
    [TestCase(499, "NHI4001", false, null)]
    [TestCase(500, "NHI4002", true, null)]
    [TestCase(503, "NHI4002", true, null)]
    public void A_status_says_whose_turn_it_is_and_only_what_passes_has_a_wait(int status, string code, bool isTransient, string? hint)
    {
        TokenExchangeException refused = Refused(WireAnswers.Json(Body("no"), status, ("Retry-After", "7")));

        Assert.That((refused.Code, refused.Stage, refused.IsTransient, refused.RetryAfter, refused.Hint), Is.EqualTo((code, ExchangeStage.Exchange, isTransient, isTransient ? TimeSpan.FromSeconds(7) : (TimeSpan?)null, hint)));
        Assert.That(refused.Detail, Is.EqualTo($"Host {Host} answered {status} PERMISSION_DENIED for service account {Account}: no"));
    }

    [TestCase("API has not been used, or it is Disabled.", "application/json", " PERMISSION_DENIED", ": API has not been used, or it is Disabled.")]
    [TestCase("", "application/json", " PERMISSION_DENIED", "")]
    [TestCase("no", "text/html", " unknown", "")]
    [TestCase($"no {GoogleWire.Workload} here", "application/json", " PERMISSION_DENIED", ": no [redacted] here")]
    [TestCase($"no {GoogleWire.Proof} here", "application/json", " PERMISSION_DENIED", ": no [redacted] here")]
    public void An_error_says_what_IAM_said_and_no_more(string message, string type, string error, string said)
    {
        TokenExchangeException refused = Refused(WireAnswers.Of(Body(message), type, 403));

        Assert.That((refused.Code, refused.IsTransient, refused.Detail), Is.EqualTo(("NHI4014", false, $"Host {Host} answered 403{error} for service account {Account}{said}")));
        Assert.That(refused.Hint, Is.EqualTo(said.Contains("Disabled", StringComparison.Ordinal)
            ? "Enable the API in the project of the service account: gcloud services enable iamcredentials.googleapis.com"
            : TrustHints[0].Hint));
    }

    [Test]
    public void Who_is_not_let_in_is_shown_with_the_command_that_lets_it_in_where_it_can_say_no_other()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((bool delegates, string? proof, string hint) in TrustHints)
                Assert.That(Refused(WireAnswers.Json(Body("no"), 403), proof is null ? GoogleWire.Proof : WireSamples.Jwt(proof), delegates).Hint, Is.EqualTo(hint), $"{delegates} {proof}");
        }
    }

    [TestCase("of-the-header", "of-the-body", "of-the-header")]
    [TestCase("of-the-header", null, "of-the-header")]
    [TestCase(null, "of-the-body", "of-the-body")]
    [TestCase(null, null, null)]
    public void The_id_that_a_refusal_is_kept_under_is_that_of_the_header_or_else_of_the_body(string? header, string? body, string? id)
    {
        (string, string)[] headers = header is null ? [] : [("x-request-id", header)];

        Assert.That(Refused(WireAnswers.Json(body is null ? Body("no") : Body("no")[..^1] + $",\"correlation_id\":\"{body}\"}}", 403, headers)).CorrelationId, Is.EqualTo(id));
    }

    private static string Body(string message) => $$$"""{"error":{"code":403,"message":"{{{message}}}","status":"PERMISSION_DENIED"}}""";

    private static Task<Issued<BearerToken>> ActAsync(string body) =>
        new GoogleWire(GoogleWire.Federated(), WireAnswers.Json(body, 200, ("x-request-id", "of-iam"))).AskAsync(o => o.ServiceAccount = Account);

    private static TokenExchangeException Refused(HttpResponseMessage answer, string proof = GoogleWire.Proof, bool delegates = false) => new GoogleWire(GoogleWire.Federated(), answer).Refused(
        o =>
        {
            o.ServiceAccount = Account;
            if (delegates)
                o.Delegates.Add(Gate);
        },
        proof);

    private static void AssertMalformed(TokenExchangeException refused, string said) => Assert.That(
        (refused.Code, refused.Stage, refused.Detail, refused.Hint, refused.IsTransient, refused.CorrelationId),
        Is.EqualTo(("NHI4004", ExchangeStage.Exchange, $"The answer of host {Host} {said}.", "Check IamEndpoint, if it is set; a proxy may have answered.", true, "of-iam")));
}
