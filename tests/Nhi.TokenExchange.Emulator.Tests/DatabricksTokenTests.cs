using System.Net;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Nhi.TokenExchange;

/// <summary>The token endpoints of workspace and account: federation in both dialects, and the narrowing of their own tokens.</summary>
[TestFixture]
internal sealed class DatabricksTokenTests : EmulatorFixture
{
    private const string Details = """[{"type":"unity_catalog_privileges","object_type":"TABLE","object_full_path":"main.shop.orders","privileges":["SELECT"]}]""";

    [Test]
    public async Task The_older_dialect_names_the_principal_in_a_field_of_its_own()
    {
        RawAnswer answer = await AssertAsync(DatabricksProof(), ("identity_federation_client_id", AppId), ("scope", "sql"));
        Assert.That((answer.Status, answer.Text("scope")), Is.EqualTo((HttpStatusCode.OK, "sql")), answer.Body);
        Assert.That(Emulator.Ledger.Issued.Single().Subject, Is.EqualTo(AppId));
        // Under the other dialect's name it counts for nothing: that is account-wide, and no policy is.
        Expect(await AssertAsync(DatabricksProof(), ("client_id", AppId), ("scope", "sql")), "invalid_request", "issuer_unknown");
    }

    [Test]
    public async Task The_account_has_an_endpoint_a_document_and_an_issuer_of_its_own()
    {
        RawAnswer document = await Raw.GetAsync(new Uri(Emulator.Databricks.Host, $"/oidc/accounts/{Emulator.Databricks.AccountId}/.well-known/oauth-authorization-server"));
        Assert.That(document.Text("token_endpoint"), Is.EqualTo(Emulator.Databricks.AccountTokenEndpoint.OriginalString));
        RawAnswer answer = await Raw.PostAsync(
            Emulator.Databricks.AccountTokenEndpoint, ("grant_type", RawClient.Exchange), ("client_id", AppId), ("subject_token", Job.Mint(Emulator.Databricks.AccountId)), ("subject_token_type", RawClient.JwtType), ("scope", "sql"));
        var token = new JsonWebToken(answer.Token);
        Assert.That(token.Issuer, Is.EqualTo(document.Text("issuer")));
        Assert.That(token.Audiences, Is.EqualTo([Emulator.Databricks.AccountId, Emulator.Databricks.Host.OriginalString.TrimEnd('/')]));
        Assert.That((await Raw.PostAsync(new Uri(Emulator.Databricks.Host, $"/oidc/accounts/{Guid.NewGuid()}/v1/token"))).Status, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task Details_are_granted_in_answer_and_token_or_in_neither([Values] bool stated)
    {
        Emulator.Databricks.StatesAuthorizationDetails = stated;
        RawAnswer answer = await DatabricksAsync(DatabricksProof(), ("authorization_details", Details));
        Assert.That(answer.Json.TryGetProperty("authorization_details", out JsonElement said) && said.GetRawText() == Details, Is.EqualTo(stated));
        Assert.That(new JsonWebToken(answer.Token).TryGetPayloadValue("authorization_details", out JsonElement _), Is.EqualTo(stated));
        Assert.That(Emulator.Ledger.Issued.Single().AuthorizationDetails, Is.EqualTo(Details));
    }

    [TestCase("{}")]
    [TestCase("[]")]
    [TestCase("[1]")]
    [TestCase("[{\"type\":1}]")]
    [TestCase("[{\"type\":\"other\"}]")]
    [TestCase("[{\"type\":\"unity_catalog_privileges\",\"type\":\"unity_catalog_privileges\"}]")]
    [TestCase("[")]
    public async Task Details_of_another_form_are_refused(string details) =>
        Expect(await DatabricksAsync(DatabricksProof(), ("authorization_details", details)), "invalid_authorization_details", "details_malformed");

    [Test]
    public async Task A_narrowed_token_has_less_of_everything()
    {
        string wide = (await DatabricksAsync(DatabricksProof(), ("authorization_details", ""))).Token;
        Clock.Advance(TimeSpan.FromMinutes(20));
        RawAnswer narrow = await AssertAsync(wide, ("authorization_details", Details));
        Assert.That((narrow.Status, narrow.Text("scope"), narrow.Text("expires_in")), Is.EqualTo((HttpStatusCode.OK, "sql", "2400")), narrow.Body);
        Expect(await AssertAsync(wide, ("scope", "all-apis")), "invalid_scope", "scope_not_allowed");
        Expect(await AssertAsync(narrow.Token, ("authorization_details", Details)), "invalid_grant", "narrowed_already");
        Expect(await AssertAsync(wide, ("identity_federation_client_id", AppId)), "invalid_request", "client_not_for_narrowing");
        Clock.Advance(TimeSpan.FromMinutes(40));
        Expect(await AssertAsync(wide, ("authorization_details", Details)), "invalid_grant", "expired");
    }

    [Test]
    public async Task All_apis_is_narrowed_to_what_the_principal_may()
    {
        string wide = (await Raw.PostAsync(Emulator.Databricks.TokenEndpoint, ("grant_type", RawClient.Exchange), ("client_id", AppId), ("subject_token", DatabricksProof()), ("subject_token_type", RawClient.JwtType), ("scope", "all-apis"))).Token;
        Assert.That((await AssertAsync(wide, ("scope", "sql"))).Text("scope"), Is.EqualTo("sql"));
        Expect(await AssertAsync(wide, ("scope", "unity-catalog")), "invalid_scope", "scope_not_allowed");
    }

    [Test]
    public async Task A_workspaces_token_is_not_taken_at_the_account()
    {
        string token = (await DatabricksAsync(DatabricksProof())).Token;
        Expect(await Raw.PostAsync(Emulator.Databricks.AccountTokenEndpoint, ("grant_type", RawClient.JwtBearer), ("assertion", token)), "invalid_grant", "other_level");
    }

    private Task<RawAnswer> AssertAsync(string assertion, params IEnumerable<(string Name, string Value)> more) =>
        Raw.PostAsync(Emulator.Databricks.TokenEndpoint, [("grant_type", RawClient.JwtBearer), ("assertion", assertion), .. more]);

    private void Expect(RawAnswer answer, string error, string reason)
    {
        Assert.That((answer.Status, answer.Error), Is.EqualTo((HttpStatusCode.BadRequest, error)), answer.Body);
        Assert.That(Emulator.Ledger.Refusals[^1].Reason, Is.EqualTo(reason));
    }
}
