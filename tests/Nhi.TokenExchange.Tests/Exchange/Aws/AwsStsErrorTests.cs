using System.Net;
using Nhi.TokenExchange.Tests.Http;

namespace Nhi.TokenExchange.Tests.Exchange.Aws;

/// <summary>One refusal of STS and the error that is made of it: each of its parts, and each hint word for word. No back channel is between them, so nothing is asked twice.</summary>
internal sealed class AwsStsErrorTests
{
    private const string Opaque = "words-that-prove-a-job";   // no text that looks like a token: what is taken out of a message is what was sent
    private const string Usual = """{"iss":"https://issuer.test","sub":"job","aud":"sts.amazonaws.com"}""";

    private const string NoKeys = "STS did not get the keys of the proof's issuer in time. Its discovery document and its keys must be reachable from the internet";
    private const string Presented = "Presented were issuer 'https://issuer.test', subject 'job', audience 'sts.amazonaws.com'.";
    private const string Provider = "An IAM OIDC provider of account 123456789012 has to name that issuer as its URL, and that audience among its client ids.";
    private const string Trust = "There has to be a role orders-loader in account 123456789012, whose trust policy allows sts:AssumeRoleWithWebIdentity";
    private const string Conditions = " to the provider of that issuer, under conditions that hold for that subject and that audience, character by character. What was made seconds ago may not be known everywhere yet.";
    private const string Command = """ An admin makes it so (this replaces the whole trust policy): aws iam update-assume-role-policy --role-name orders-loader --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/""";
    private const string OfUsual = ""","Condition":{"StringEquals":{"issuer.test:aud":"sts.amazonaws.com","issuer.test:sub":"job"}}}]}'""";
    private const string Throttled = "AWS limits how often it is asked; ask less often.";

    // The proof is a JWT of these claims, or opaque.
    private static readonly (string Code, string Message, string? Proof, string? Hint)[] Hints =
    [
        ("ExpiredTokenException", "", Usual, "The proof had ended when STS looked at it. Compare the clocks, and let the platform give proofs that live longer."),
        ("ExpiredToken", "", Usual, "The proof had ended when STS looked at it. Compare the clocks, and let the platform give proofs that live longer."),
        ("IDPCommunicationError", "", Usual, $"{NoKeys}, at https://issuer.test/.well-known/openid-configuration."),
        ("IDPCommunicationError", "", null, $"{NoKeys}."),
        ("InvalidIdentityToken", "Couldn't retrieve Verification Key", Usual, $"{NoKeys}, at https://issuer.test/.well-known/openid-configuration."),
        ("InvalidIdentityToken", "", null, "What was presented is no JWT. STS takes ID tokens of an OpenID Connect issuer."),
        ("InvalidIdentityToken", "No provider", Usual, $"{Presented} {Provider} If it does, look at the issuer's keys and the clocks. An admin makes it: aws iam create-open-id-connect-provider --url 'https://issuer.test' --client-id-list 'sts.amazonaws.com'"),
        ("InvalidIdentityToken", "Incorrect token Audience", Usual, $"{Presented} {Provider} Or set SubjectAudience to one that it has. If it does, look at the issuer's keys and the clocks."
            + " An admin adds the audience: aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn 'arn:aws:iam::123456789012:oidc-provider/issuer.test' --client-id 'sts.amazonaws.com'"),
        ("InvalidIdentityToken", "Incorrect token audience", """{"iss":"https://issuer.test","sub":"job","aud":"it's"}""",
            $"Presented were issuer 'https://issuer.test', subject 'job', audience 'it's'. {Provider} Or set SubjectAudience to one that it has. If it does, look at the issuer's keys and the clocks."),
        ("AccessDenied", "", null, "The trust policy of role orders-loader does not let this proof in, or there is no such role."),
        ("AccessDenied", "", Usual, $"{Presented} {Trust}{Conditions}{Command}issuer.test\"}},\"Action\":\"sts:AssumeRoleWithWebIdentity\"{OfUsual}"),
        ("AccessDeniedException", "", Usual, $"{Presented} {Trust}{Conditions}{Command}issuer.test\"}},\"Action\":\"sts:AssumeRoleWithWebIdentity\"{OfUsual}"),
        ("AccessDenied", "", Usual[..^1] + ""","https://aws.amazon.com/tags":{"principal_tags":{"dataset":["orders"]}}}""",
            $"{Presented} {Trust} and sts:TagSession (the proof has session tags){Conditions}{Command}issuer.test\"}},\"Action\":[\"sts:AssumeRoleWithWebIdentity\",\"sts:TagSession\"]{OfUsual}"),
        ("AccessDenied", "", Usual[..^1] + ""","https://aws.amazon.com/source_identity":"alice"}""",
            $"{Presented} {Trust} and sts:SetSourceIdentity (the proof names a source identity){Conditions}{Command}issuer.test\"}},\"Action\":[\"sts:AssumeRoleWithWebIdentity\",\"sts:SetSourceIdentity\"]{OfUsual}"),
        ("AccessDenied", "", Usual[..^1] + ""","https://aws.amazon.com/tags":{"principal_tags":{"dataset":["orders"]}},"https://aws.amazon.com/source_identity":"alice"}""",
            $"{Presented} {Trust} and sts:TagSession (the proof has session tags) and sts:SetSourceIdentity (the proof names a source identity){Conditions}"
            + $"{Command}issuer.test\"}},\"Action\":[\"sts:AssumeRoleWithWebIdentity\",\"sts:TagSession\",\"sts:SetSourceIdentity\"]{OfUsual}"),
        ("AccessDenied", "", """{"iss":"http://127.0.0.1:8080","sub":"job","aud":"a"}""", $"Presented were issuer 'http://127.0.0.1:8080', subject 'job', audience 'a'. {Trust}{Conditions}"
            + Command + """http://127.0.0.1:8080"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"http://127.0.0.1:8080:aud":"a","http://127.0.0.1:8080:sub":"job"}}}]}'"""),
        ("AccessDenied", "", """{"iss":"https://issuer.test","sub":"it's","aud":"a"}""", $"Presented were issuer 'https://issuer.test', subject 'it's', audience 'a'. {Trust}{Conditions}"),
        ("IDPRejectedClaim", "", Usual, "The proof's issuer itself says that it is not, or no longer, good."),
        ("MalformedPolicyDocument", "", Usual, "STS can't read the session policy. Check the actions (Scopes) and the ARNs (Resources) of the target, or SessionPolicy."),
        ("PackedPolicyTooLarge", "", Usual, "The session policy, PolicyArns and the session tags of the proof are too large together. Name fewer resources, or patterns of them, or put the policy into IAM and name it in PolicyArns."),
        ("RegionDisabledException", "", Usual, "The account has STS switched off in eu-central-1. Activate it (IAM console, Account settings, STS endpoints), or set Region to one where it is active."),
        ("ValidationError", "The requested DurationSeconds", Usual, "The role's maximum session duration is shorter than the target's MaxLifetime. Lower MaxLifetime, or: aws iam update-role --role-name orders-loader --max-session-duration SECONDS"),
        ("ValidationError", "", Usual, "STS refuses a parameter. Check RoleArn, SessionName, PolicyArns, and that the proof is a JWT."),
        ("Throttling", "", Usual, Throttled),
        ("ThrottlingException", "", Usual, Throttled),
        ("RequestLimitExceeded", "", Usual, Throttled),
        ("TooManyRequestsException", "", Usual, Throttled),
        ("", "", Usual, "The answer is none of AWS STS: check Endpoint, if it is set; a proxy may have answered."),
        ("Unheard", "", Usual, null),
    ];

    [Test]
    public void Each_refusal_has_the_hint_that_fits_what_was_presented()
    {
        using (Assert.EnterMultipleScope())
        {
            foreach ((string code, string message, string? proof, string? hint) in Hints)
                Assert.That(Refused(400, Body(code, message), proof is null ? Opaque : WireSamples.Jwt(proof)).Hint, Is.EqualTo(hint), $"{code} {message}");
        }
    }

    [TestCase("Throttling", 400, "NHI4003", true)]
    [TestCase("ThrottlingException", 400, "NHI4003", true)]
    [TestCase("RequestLimitExceeded", 400, "NHI4003", true)]
    [TestCase("TooManyRequestsException", 400, "NHI4003", true)]
    [TestCase("Unheard", 429, "NHI4003", true)]
    [TestCase("IDPCommunicationError", 400, "NHI4002", true)]
    [TestCase("ServiceUnavailable", 400, "NHI4002", true)]
    [TestCase("InternalFailure", 400, "NHI4002", true)]
    [TestCase("Unheard", 408, "NHI4002", true)]
    [TestCase("Unheard", 499, "NHI4001", false)]
    [TestCase("Unheard", 500, "NHI4002", true)]
    [TestCase("Unheard", 503, "NHI4002", true)]
    [TestCase("", 500, "NHI4002", true)]
    [TestCase("", 403, "NHI4001", false)]
    [TestCase("ExpiredTokenException", 400, "NHI4011", false)]
    [TestCase("ExpiredToken", 400, "NHI4011", false)]
    [TestCase("InvalidIdentityToken", 400, "NHI4011", false)]
    [TestCase("AccessDenied", 403, "NHI4014", false)]
    [TestCase("AccessDeniedException", 403, "NHI4014", false)]
    public void Code_and_status_say_whose_turn_it_is_and_only_what_passes_has_a_wait(string code, int status, string expected, bool isTransient)
    {
        TokenExchangeException refused = Refused(status, Body(code), headers: ("Retry-After", "7"));

        Assert.That((refused.Code, refused.Stage, refused.IsTransient, refused.RetryAfter), Is.EqualTo((expected, ExchangeStage.Exchange, isTransient, isTransient ? TimeSpan.FromSeconds(7) : (TimeSpan?)null)));
    }

    [TestCase("", "", "Host sts.test answered 403")]
    [TestCase("Unheard", "", "Host sts.test answered 403 Unheard")]
    [TestCase("", "no such thing", "Host sts.test answered 403: no such thing")]
    [TestCase("Unheard", "no such thing", "Host sts.test answered 403 Unheard: no such thing")]
    [TestCase("Unheard", "no " + Opaque + " here", "Host sts.test answered 403 Unheard: no [redacted] here")]
    [TestCase(Opaque, "", "Host sts.test answered 403 [redacted]")]
    public void An_error_says_what_STS_said_and_no_more(string code, string message, string said) =>
        Assert.That(Refused(403, Body(code, message)).Detail, Is.EqualTo(said));

    [TestCase("of-the-header", "of-the-body", "of-the-header")]
    [TestCase("of-the-header", null, "of-the-header")]
    [TestCase(null, "of-the-body", "of-the-body")]
    [TestCase(null, Opaque, "[redacted]")]
    [TestCase(null, null, null)]
    public async Task The_id_that_STS_keeps_a_request_under_is_that_of_the_header_or_else_of_the_body(string? header, string? body, string? id)
    {
        (string, string)[] headers = header is null ? [] : [("x-amzn-requestid", header)];
        TokenExchangeException refused = Refused(403, Body("AccessDenied", id: body), headers: headers);
        Issued<AwsSessionCredentials> issued = await AwsStsAnswerTests.AskAsync(
            Sts(200, AwsStsAnswerTests.Answer().Replace("6f0c8d1e-0000-4000-8000-000000000001", body, StringComparison.Ordinal), headers), channel => WireSamples.RequestWith(Opaque, channel));

        Assert.That((refused.CorrelationId, issued.CorrelationId), Is.EqualTo((id, id)));
    }

    private static string Body(string code, string message = "", string? id = null) =>
        $"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error>{(id is null ? "" : $"<RequestId>{id}</RequestId>")}</ErrorResponse>";

    private static Wire Sts(int status, string body, (string Name, string Value)[] headers) => new(_ =>
    {
        HttpResponseMessage answer = Wire.Answer((HttpStatusCode)status, body);
        foreach ((string name, string value) in headers)
            answer.Headers.TryAddWithoutValidation(name, value);
        return answer;
    });

    private static TokenExchangeException Refused(int status, string body, string proof = Opaque, params (string Name, string Value)[] headers) =>
        Assert.ThrowsAsync<TokenExchangeException>(() => AwsStsAnswerTests.AskAsync(Sts(status, body, headers), channel => WireSamples.RequestWith(proof, channel)))!;
}
