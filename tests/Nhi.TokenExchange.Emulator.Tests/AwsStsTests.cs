using System.Globalization;
using System.Net;
using System.Xml.Linq;

namespace Nhi.TokenExchange;

/// <summary>The emulated STS, asked with nothing but HttpClient.</summary>
[TestFixture]
internal sealed class AwsStsTests : EmulatorFixture
{
    private static readonly XNamespace Sts = "https://sts.amazonaws.com/doc/2011-06-15/";

    private AwsRole _role = null!;

    [SetUp]
    public void AddRole() => _role = Emulator.Aws.AddRole("orders", Job.Subject);

    private Task<RawAnswer> AssumeAsync(string? proof = null, string? role = null, string name = "orders-17", params (string Name, string Value)[] more) => Raw.PostAsync(Emulator.Aws.Endpoint, [
        ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"), ("RoleArn", role ?? _role.Arn), ("RoleSessionName", name), ("WebIdentityToken", proof ?? Job.Mint("sts.amazonaws.com")), .. more]);

    private static string? Of(RawAnswer answer, string element) => XDocument.Parse(answer.Body).Descendants(Sts + element).SingleOrDefault()?.Value;

    [Test]
    public async Task A_verified_proof_gets_a_session_of_the_role()
    {
        RawAnswer answer = await AssumeAsync(more: [("DurationSeconds", "900"), ("Policy", """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}""")]);

        Assert.That((answer.Status, answer.ContentType?.MediaType), Is.EqualTo((HttpStatusCode.OK, "text/xml")));
        Assert.That(XDocument.Parse(answer.Body).Root!.Name, Is.EqualTo(Sts + "AssumeRoleWithWebIdentityResponse"));
        Assert.That((Of(answer, "Arn"), Of(answer, "Audience"), Of(answer, "SubjectFromWebIdentityToken")), Is.EqualTo(("arn:aws:sts::123456789012:assumed-role/orders/orders-17", "sts.amazonaws.com", Job.Subject)));
        Assert.That(Of(answer, "Expiration"), Is.EqualTo(Clock.GetUtcNow().AddMinutes(15).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)));
        Assert.That(Of(answer, "SecretAccessKey"), Has.Length.EqualTo(40).And.StartsWith(Emulator.Canaries.Aws));
        Assert.That((Of(answer, "RequestId"), Of(answer, "PackedPolicySize")), Is.EqualTo((answer.Header("x-amzn-RequestId"), "5")));
        LedgerIssue issue = Emulator.Ledger.Issued.Single();
        Assert.That((issue.Fingerprint, issue.ClientId, issue.EndsAt), Is.EqualTo((Ledger.FingerprintOf(Of(answer, "SessionToken")!), _role.Arn, Clock.GetUtcNow().AddMinutes(15))));
        Assert.That(issue.SessionPolicy, Does.StartWith("{\"Version\""));
    }

    [Test]
    public async Task Each_check_has_its_own_code()
    {
        var answers = new List<(RawAnswer Answer, string Code, string Reason)>
        {
            (await AssumeAsync(Job.Mint("elsewhere")), "InvalidIdentityToken", "audience_mismatch"),
            (await AssumeAsync(Job.Mint("sts.amazonaws.com", proof => proof.Signature = ProofSignature.ForeignKey)), "InvalidIdentityToken", "signature_bad"),
            (await AssumeAsync(Job.Mint("sts.amazonaws.com", proof => proof.Signature = ProofSignature.None)), "InvalidIdentityToken", "algorithm_not_allowed"),
            (await AssumeAsync(Job.Mint("sts.amazonaws.com", proof => proof.Issuer = "https://other.example")), "InvalidIdentityToken", "issuer_unknown"),
            (await AssumeAsync("opaque"), "InvalidIdentityToken", "not_a_jws"),
            (await AssumeAsync(Job.Mint("sts.amazonaws.com", proof => proof.Lives(Clock.GetUtcNow().AddHours(-2), TimeSpan.FromHours(1)))), "ExpiredTokenException", "expired"),
            (await AssumeAsync(Job.Mint("sts.amazonaws.com", proof => proof.Subject = "repo:octo/other")), "AccessDenied", "subject_mismatch"),
            (await AssumeAsync(role: "arn:aws:iam::123456789012:role/nobody"), "AccessDenied", "role_unknown"),
            (await AssumeAsync(name: "a b"), "ValidationError", "session_name"),
            (await AssumeAsync(more: [("DurationSeconds", "899")]), "ValidationError", "duration"),
            (await AssumeAsync(more: [("DurationSeconds", "3601")]), "ValidationError", "duration"),
            (await AssumeAsync(more: [("Policy", "{}")]), "MalformedPolicyDocument", "policy_malformed"),
            (await AssumeAsync(more: [("Policy", new string('x', 2049))]), "ValidationError", "policy_too_long"),
            (await AssumeAsync(more: [.. Enumerable.Range(1, 10).Select(n => ($"PolicyArns.member.{n}.arn", $"arn:aws:iam::123456789012:policy/{new string('p', 200)}"))]), "PackedPolicyTooLarge", "packed"),
        };

        Assert.That(answers.Select(one => Of(one.Answer, "Code")), Is.EqualTo(answers.Select(one => one.Code)));
        Assert.That(Emulator.Ledger.Refusals.Select(refusal => refusal.Reason), Is.EqualTo(answers.Select(one => one.Reason)));
        Assert.That(answers.Select(one => one.Answer.Status), Is.EqualTo(answers.Select(one => one.Code == "AccessDenied" ? HttpStatusCode.Forbidden : HttpStatusCode.BadRequest)));
        Assert.That(Emulator.Ledger.Issued, Is.Empty);
    }

    [Test]
    public async Task A_trust_policy_compares_its_conditions_and_the_sessions_name()
    {
        _role.Conditions["repository"] = "octo/orders";
        _role.SessionName = "orders-17";
        Assert.That((await AssumeAsync()).Status, Is.EqualTo(HttpStatusCode.OK));
        _role.SessionName = "orders-18";
        Assert.That(Of(await AssumeAsync(), "Code"), Is.EqualTo("AccessDenied"));
        _role.SessionName = null;
        _role.Conditions["repository"] = "octo/other";
        Assert.That(Of(await AssumeAsync(), "Code"), Is.EqualTo("AccessDenied"));
        Assert.That(Emulator.Ledger.Refusals.Select(refusal => refusal.Reason), Is.EqualTo(new[] { "session_name_mismatch", "claim_mismatch" }));
    }

    [Test]
    public async Task What_is_unsigned_has_no_identity_and_other_actions_there_are_none()
    {
        RawAnswer identity = await Raw.PostAsync(Emulator.Aws.Endpoint, ("Action", "GetCallerIdentity"), ("Version", "2011-06-15"));
        RawAnswer other = await Raw.PostAsync(Emulator.Aws.Endpoint, ("Action", "AssumeRole"), ("Version", "2011-06-15"));

        Assert.That((identity.Status, Of(identity, "Code"), Of(other, "Code")), Is.EqualTo((HttpStatusCode.Forbidden, "MissingAuthenticationToken", "InvalidAction")));
        Assert.That(Emulator.Ledger.Uses.Single().Verdict, Is.EqualTo(UseVerdict.Missing));
    }
}
