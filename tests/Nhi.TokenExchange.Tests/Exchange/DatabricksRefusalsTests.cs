namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What a refusal of a Databricks token endpoint is told with: whole sentences, and commands only of what may stand in one.</summary>
internal sealed class DatabricksRefusalsTests
{
    private const string AppId = "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10";
    private const string Ann = """{"iss":"https://idp.example","sub":"ann","aud":"acc-1"}""";
    private const string PresentedAnn = "Presented were issuer 'https://idp.example', subject 'ann', audience 'acc-1'.";
    private const string Own = "What was presented is a token of this very host, to be narrowed. It has to be alive, and to have all scopes that are asked for; name no ClientId for a narrowing.";

    private const string PrincipalRule = $" A federation policy of service principal {AppId} has to list that issuer, that subject and that audience exactly; ClientId is its application id.";
    private const string AccountRule =
        " A federation policy of the account has to list that issuer and that audience exactly, and the claim that it maps (sub, unless it says another) has to name a user or the application id of a service principal.";

    private const string PrincipalCommand =
        """ An account admin makes it so: databricks account service-principal-federation-policy create NUMERIC_ID --json '{"oidc_policy":{"issuer":"https://idp.example","audiences":["acc-1"],"subject":"ann"}}'"""
        + $" where NUMERIC_ID is the id in: databricks account service-principals list --filter 'applicationId eq \"{AppId}\"'";

    private const string AccountCommand =
        """ An account admin makes it so: databricks account federation-policy create --json '{"oidc_policy":{"issuer":"https://idp.example","audiences":["acc-1"],"subject_claim":"sub"}}'""";

    private static readonly Uri Host = new("https://workspace.example");

    private static IEnumerable<TestCaseData> OfProofs()
    {
        foreach (string error in new[] { "invalid_request", "invalid_grant", "unauthorized_client", "access_denied", "invalid_token" })
        {
            yield return new TestCaseData(error, AppId, Ann, PresentedAnn + PrincipalRule + PrincipalCommand);
            yield return new TestCaseData(error, null, Ann, PresentedAnn + AccountRule + AccountCommand);
        }
        // What has no audience can be put into no command.
        const string none = """{"iss":"https://idp.example","sub":"ann"}""", presented = "Presented were issuer 'https://idp.example', subject 'ann', audience ''.";
        yield return new TestCaseData("invalid_grant", AppId, none, presented + PrincipalRule);
        yield return new TestCaseData("invalid_grant", null, none, presented + AccountRule);
        yield return new TestCaseData("invalid_grant", null, """{"iss":"https://workspace.example/oidc","sub":"ann"}""", Own);
        yield return new TestCaseData("invalid_grant", AppId, """{"iss":"https://workspace.example/oidc","sub":"ann"}""", Own);
        foreach (string other in new[] { "https://other.example", "https://workspace.example:8443", "workspace.example" })
            yield return new TestCaseData("invalid_grant", null, $$"""{"iss":"{{other}}","sub":"ann"}""", $"Presented were issuer '{other}', subject 'ann', audience ''." + AccountRule);
    }

    [TestCaseSource(nameof(OfProofs))]
    public void A_refused_proof_is_shown_with_what_has_to_list_it(string error, string? clientId, string claims, string hint) =>
        Assert.That(HintFor(error, clientId, DatabricksDialect.TokenExchange, WireSamples.Jwt(claims)), Is.EqualTo(hint));

    [TestCase("invalid_client", AppId, DatabricksDialect.TokenExchange, $"Correct ClientId, {AppId}: it has to be the application id (a GUID) of a service principal of this workspace or account, which Settings, Identity and access, Service principals shows.")]
    [TestCase("invalid_client", null, DatabricksDialect.TokenExchange, null)]
    [TestCase("invalid_scope", null, DatabricksDialect.TokenExchange, "Ask for scopes of the Databricks API that this principal may have, such as sql; the REST reference names the scope of each method.")]
    [TestCase("unsupported_grant_type", null, DatabricksDialect.TokenExchange, "This host does not take the dialect TokenExchange. Set Dialect to JwtBearer, or check that it is a Databricks host with OAuth.")]
    [TestCase("unsupported_grant_type", null, DatabricksDialect.JwtBearer, "This host does not take the dialect JwtBearer. Set Dialect to TokenExchange, or check that it is a Databricks host with OAuth.")]
    [TestCase("invalid_authorization_details", null, DatabricksDialect.JwtBearer, "The workspace does not take these AuthorizationDetails. Check type, object and actions.")]
    [TestCase("invalid_target", AppId, DatabricksDialect.TokenExchange, null)]
    public void A_refusal_of_something_else_says_what_to_correct(string error, string? clientId, DatabricksDialect dialect, string? hint) =>
        Assert.That(HintFor(error, clientId, dialect, WireSamples.Jwt(Ann)), Is.EqualTo(hint));

    [TestCase("sc://acme/orders/load", " Azure DevOps has two forms of one subject: sc://organisation/project/connection with its older issuer, /eid1/…/sc/… with Entra ID's; presented is the first.")]
    [TestCase("ann", "")]
    public void The_other_form_of_a_subject_stands_in_a_sentence_of_its_own(string subject, string said) =>
        Assert.That(PresentedProof.Read(new SubjectToken(WireSamples.Jwt($$"""{"iss":"https://idp.example","sub":"{{subject}}"}"""), SubjectTokenType.AccessToken))!.OtherForm, Is.EqualTo(said));

    [Test]
    public void Of_an_opaque_proof_nothing_can_be_shown() => Assert.That(HintFor("invalid_grant", AppId, DatabricksDialect.TokenExchange, "opaque"), Is.Null);

    private static string? HintFor(string error, string? clientId, DatabricksDialect dialect, string proof) =>
        new DatabricksRefusals(Host, clientId, dialect).HintFor(error, new SubjectToken(proof, SubjectTokenType.AccessToken));
}
