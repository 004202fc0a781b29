using System.Net;

namespace Nhi.TokenExchange;

/// <summary>Managed identity, Entra and Databricks, one after the other.</summary>
[TestFixture]
internal sealed class ChainTests : AzureFixture
{
    private const string DatabricksId = "5a5a0000-0000-4000-8000-00000000beef";

    [Test]
    public async Task A_user_assigned_identity_is_the_credential_of_an_application()
    {
        Application.Trust(Emulator.ManagedIdentity.AddUserAssigned("orders"));
        string assertion = (await ImdsAsync($"resource={ExchangeAudience}&client_id={Emulator.ManagedIdentity.UserAssigned[0].ClientId}")).Token;
        RawAnswer answer = await AskAsync(assertion);
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        Assert.That(Claim(answer.Token, "oid"), Is.EqualTo(Application.ObjectId));
    }

    [Test]
    public async Task It_is_one_in_another_tenant_too_where_the_application_was_consented()
    {
        string other = Emulator.Entra.AddTenant();
        Application.IsMultiTenant = true;
        Application.ConsentIn(other);
        Application.Trust(Emulator.ManagedIdentity.AddUserAssigned());
        string assertion = (await ImdsAsync($"resource={ExchangeAudience}&client_id={Emulator.ManagedIdentity.UserAssigned[0].ClientId}")).Token;
        Assert.That(Claim((await AskAsync(assertion, other)).Token, "tid"), Is.EqualTo(other));
    }

    [Test]
    public async Task A_managed_identity_that_may_not_be_a_credential_is_refused()
    {
        ManagedIdentity identity = Emulator.ManagedIdentity.AddUserAssigned();
        Application.Trust(identity).Trust(Emulator.ManagedIdentity.SystemAssigned);
        await ExpectAsync((await ImdsAsync($"resource={ExchangeAudience}")).Token, "AADSTS70021");
        await ExpectAsync((await ImdsAsync($"resource={ExchangeAudience}&client_id={Emulator.ManagedIdentity.AddUserAssigned().ClientId}")).Token, "AADSTS700213");
        // The token of a classic API has another issuer; the exchange audience is the only one that counts.
        await ExpectAsync((await ImdsAsync($"resource={Emulator.AzureResource.Resource}&client_id={identity.ClientId}")).Token, "AADSTS700211");
        Emulator.Entra.AddResource("api://other", tokenVersion: 2);
        await ExpectAsync((await ImdsAsync($"resource=api://other&client_id={identity.ClientId}")).Token, "AADSTS700212");
    }

    [Test]
    public async Task A_person_s_token_is_no_credential()
    {
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("resource", ExchangeAudience)]);
        string token = (await Raw.SendAsync(HttpMethod.Post, Emulator.ManagedIdentity.EndpointOf(ManagedIdentityHost.CloudShell), form, ("Metadata", "true"))).Token;
        Application.FederatedCredentials.Add(new FederatedIdentityCredential { Issuer = Emulator.Entra.IssuerOf(), Subject = Claim(token, "sub")! });
        await ExpectAsync(token, "AADSTS700229");
    }

    [Test]
    public async Task A_job_goes_from_managed_identity_over_entra_to_databricks()
    {
        Application.Trust(Emulator.ManagedIdentity.AddUserAssigned());
        EntraResource api = Emulator.Entra.AddResource("api://databricks-federation", tokenVersion: 2);
        Emulator.Databricks.AddServicePrincipal(DatabricksId, subject: null).Policies.Add(new FederationPolicy { Issuer = Emulator.Entra.IssuerOf(), Subject = Application.ObjectId, Audiences = [api.ApplicationId] });
        string assertion = (await ImdsAsync($"resource={ExchangeAudience}&client_id={Emulator.ManagedIdentity.UserAssigned[0].ClientId}")).Token;
        string subject = (await AskAsync(assertion, changed: ("scope", "api://databricks-federation/.default"))).Token;
        RawAnswer token = await DatabricksAsync(subject);
        Assert.That(token.Status, Is.EqualTo(HttpStatusCode.OK), token.Body);
        Assert.That((await Raw.GetAsync(new Uri(Emulator.Warehouse.Address, "/api/datasets/orders/rows?count=1"), token.Token)).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(Emulator.Ledger.Issued, Has.Count.EqualTo(3));
        // Another Entra token, and the managed identity's own, are not the one that the policy names.
        Assert.That((await DatabricksAsync(await TokenAsync())).Status, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That((await DatabricksAsync(assertion)).Status, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    private Task<RawAnswer> DatabricksAsync(string subject) => Raw.PostAsync(Emulator.Databricks.TokenEndpoint,
        ("grant_type", RawClient.Exchange), ("client_id", DatabricksId), ("subject_token", subject), ("subject_token_type", RawClient.JwtType), ("scope", "sql"));

    private async Task ExpectAsync(string assertion, string reason)
    {
        RawAnswer answer = await AskAsync(assertion);
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.Unauthorized), answer.Body);
        Assert.That(Emulator.Ledger.Refusals[^1].Reason, Is.EqualTo(reason), answer.Body);
    }
}
