using System.Net;

namespace Nhi.TokenExchange;

/// <summary>Right proofs in wrong requests.</summary>
[TestFixture]
internal sealed class RequestRefusalTests : EmulatorFixture
{
    [Test]
    public async Task A_repeated_parameter_is_refused() =>
        Expect(await ExchangeAsync(Job.Mint(Audience), ("scope", "dataset:orders"), ("scope", "dataset:orders")), "invalid_request", "parameter_repeated");

    [Test]
    public async Task Audience_and_resource_may_be_repeated()
    {
        Client.Targets.Add("lake");
        RawAnswer answer = await ExchangeAsync(Job.Mint(Audience), ("audience", "warehouse"), ("audience", "lake"));
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        Assert.That(Emulator.Ledger.Issued.Single().Audience, Is.EqualTo(new[] { "warehouse", "lake" }));
    }

    [Test]
    public async Task An_actor_type_without_actor_token_is_refused() =>
        Expect(await ExchangeAsync(Job.Mint(Audience), ("actor_token_type", RawClient.JwtType)), "invalid_request", "actor_type_without_token");

    [Test]
    public async Task An_actor_token_without_type_is_refused() =>
        Expect(await ExchangeAsync(Job.Mint(Audience), ("actor_token", Job.Mint(Audience))), "invalid_request", "actor_type_missing");

    [Test]
    public async Task An_actor_nobody_trusts_is_refused() =>
        Expect(await ExchangeAsync(Job.Mint(Audience), ("actor_token", Job.Mint(Audience)), ("actor_token_type", RawClient.JwtType)), "invalid_request", "issuer_unknown");

    [Test]
    public async Task An_actor_other_than_may_act_says_is_refused()
    {
        JobIdentity agent = Emulator.JobIdentity(ProofShape.Kubernetes);
        Client.Actors.Add(new FederationPolicy { Subject = agent.Subject });
        string proof = Job.Mint(Audience, c => c.Payload["may_act"] = new System.Text.Json.Nodes.JsonObject { ["sub"] = "somebody" });
        Expect(await ExchangeAsync(proof, ("actor_token", agent.Mint(Audience)), ("actor_token_type", RawClient.JwtType)), "invalid_request", "actor_not_allowed");
    }

    [Test]
    public async Task An_unknown_grant_is_refused() =>
        Expect(await PostAsync(("grant_type", "password"), ("client_id", "job")), "unsupported_grant_type", "grant_unknown");

    [TestCase("grant_type")]
    [TestCase("subject_token")]
    [TestCase("subject_token_type")]
    public async Task A_missing_parameter_is_refused(string missing)
    {
        (string Name, string)[] form = [("grant_type", RawClient.Exchange), ("client_id", "job"), ("subject_token", Job.Mint(Audience)), ("subject_token_type", RawClient.JwtType)];
        Expect(await PostAsync([.. form.Where(field => field.Name != missing)]), "invalid_request", "parameter_missing");
    }

    [Test]
    public async Task A_subject_token_type_the_server_does_not_take_is_refused() =>
        Expect(await PostAsync(("grant_type", RawClient.Exchange), ("client_id", "job"), ("subject_token", "x"), ("subject_token_type", "urn:ietf:params:oauth:token-type:saml2")), "invalid_request", "subject_type_unknown");

    [Test]
    public async Task A_requested_type_the_server_does_not_issue_is_refused() =>
        Expect(await ExchangeAsync(Job.Mint(Audience), ("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token")), "invalid_request", "requested_type_unknown");

    [TestCase("dataset:orders dataset:payroll", "scope_not_allowed")]
    [TestCase("sql", "scope_not_allowed")]
    [TestCase("DATASET:ORDERS", "scope_not_allowed")]
    [TestCase("dataset:orders  dataset:orders", "scope_malformed")]
    [TestCase("dataset:\"orders\"", "scope_malformed")]
    public async Task A_scope_outside_the_clients_is_refused(string scope, string reason) =>
        Expect(await ExchangeAsync(Job.Mint(Audience), ("scope", scope)), "invalid_scope", reason);

    [TestCase("audience", "payroll", "target_unknown")]
    [TestCase("resource", "https://payroll.invalid/", "target_unknown")]
    [TestCase("resource", "/relative", "resource_malformed")]
    [TestCase("resource", "https://payroll.invalid/#part", "resource_malformed")]
    public async Task An_unknown_target_is_refused(string field, string value, string reason) =>
        Expect(await ExchangeAsync(Job.Mint(Audience), (field, value)), "invalid_target", reason);

    [Test]
    public async Task An_unknown_client_is_refused() =>
        Expect(await PostAsync(("grant_type", RawClient.Exchange), ("client_id", "nobody")), "invalid_client", "client_unknown", HttpStatusCode.Unauthorized);

    [Test]
    public async Task No_client_is_refused() =>
        Expect(await PostAsync(("grant_type", RawClient.Exchange)), "invalid_client", "client_missing", HttpStatusCode.Unauthorized);

    [Test]
    public async Task A_client_secret_is_refused() =>
        Expect(await ExchangeAsync(Job.Mint(Audience), ("client_secret", "x")), "invalid_client", "client_method", HttpStatusCode.Unauthorized);

    [Test]
    public async Task A_client_without_the_grant_is_refused()
    {
        Client.MayExchange = false;
        Client.MayUseJwtBearer = false;
        Expect(await ExchangeAsync(Job.Mint(Audience)), "unauthorized_client", "grant_not_allowed");
        Expect(await PostAsync(("grant_type", RawClient.JwtBearer), ("client_id", "job"), ("assertion", Job.Mint(Audience))), "unauthorized_client", "grant_not_allowed");
    }

    [Test]
    public async Task Another_clients_proof_is_refused()
    {
        Emulator.Authorization.AddClient("other", "repo:octo/other:ref:refs/heads/main", "dataset:orders");
        Expect(await PostAsync(("grant_type", RawClient.Exchange), ("client_id", "other"), ("subject_token", Job.Mint(Audience)), ("subject_token_type", RawClient.JwtType)), "invalid_request", "subject_mismatch");
    }

    [Test]
    public async Task A_revoked_subject_token_is_refused()
    {
        string token = await TokenAsync();
        await Raw.PostAsync(Emulator.Authorization.RevocationEndpoint, ("client_id", "job"), ("token", token));
        Expect(await HopAsync(token), "invalid_request", "subject_token_revoked");
    }

    [Test]
    public async Task A_dead_subject_token_and_a_foreign_one_are_refused()
    {
        string token = await TokenAsync();
        Clock.Advance(TimeSpan.FromHours(1));
        Expect(await HopAsync(token), "invalid_request", "subject_token_expired");
        Expect(await HopAsync((await DatabricksAsync(DatabricksProof())).Token), "invalid_request", "subject_token_unknown");
        Expect(await HopAsync("made-up"), "invalid_request", "subject_token_unknown");
    }

    [Test]
    public async Task Parameters_in_the_address_and_bodies_that_are_no_form_are_refused()
    {
        Expect(await Raw.PostAsync(new Uri(Emulator.Authorization.TokenEndpoint + "?client_id=job"), ("grant_type", RawClient.Exchange)), "invalid_request", "parameters_in_address");
        using var content = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
        using HttpResponseMessage response = await Raw.Http.PostAsync(Emulator.Authorization.TokenEndpoint, content);
        Expect(await RawAnswer.ReadAsync(response), "invalid_request", "not_a_form");
        Expect(await Raw.GetAsync(Emulator.Authorization.TokenEndpoint), "invalid_request", "method", HttpStatusCode.MethodNotAllowed);
    }

    [Test]
    public async Task The_databricks_workspace_demands_a_scope_and_its_own_form()
    {
        (string Name, string)[] form = [("grant_type", RawClient.Exchange), ("client_id", AppId), ("subject_token", DatabricksProof()), ("subject_token_type", RawClient.JwtType)];
        Expect(await Raw.PostAsync(Emulator.Databricks.TokenEndpoint, form), "invalid_request", "parameter_missing");
        Expect(await Raw.PostAsync(Emulator.Databricks.TokenEndpoint, [.. form, ("scope", "clusters")]), "invalid_scope", "scope_not_allowed");
        Expect(await Raw.PostAsync(Emulator.Databricks.TokenEndpoint, [.. form.Skip(2), ("grant_type", RawClient.Exchange), ("scope", "sql")]), "invalid_request", "issuer_unknown");
        Expect(await Raw.PostAsync(Emulator.Databricks.TokenEndpoint, [.. form.Skip(2), ("grant_type", RawClient.Exchange), ("client_id", Guid.NewGuid().ToString()), ("scope", "sql")]), "invalid_client", "client_unknown", HttpStatusCode.Unauthorized);
        Expect(await Raw.PostAsync(Emulator.Databricks.TokenEndpoint, [.. form.Skip(1), ("grant_type", "client_credentials"), ("scope", "sql")]), "unsupported_grant_type", "grant_unknown");
        Expect(await Raw.PostAsync(Emulator.Databricks.TokenEndpoint, [.. form.Skip(1), ("grant_type", RawClient.JwtBearer), ("scope", "sql")]), "invalid_request", "parameter_missing");
    }

    private Task<RawAnswer> PostAsync(params IEnumerable<(string, string)> form) => Raw.PostAsync(Emulator.Authorization.TokenEndpoint, form);

    private Task<RawAnswer> HopAsync(string token) =>
        PostAsync(("grant_type", RawClient.Exchange), ("client_id", "job"), ("subject_token", token), ("subject_token_type", RawClient.AccessTokenType));

    private void Expect(RawAnswer answer, string error, string reason, HttpStatusCode status = HttpStatusCode.BadRequest)
    {
        Assert.That(answer.Status, Is.EqualTo(status), answer.Body);
        Assert.That(answer.Error, Is.EqualTo(error), answer.Body);
        Assert.That(Emulator.Ledger.Refusals[^1].Reason, Is.EqualTo(reason), answer.Body);
    }
}
