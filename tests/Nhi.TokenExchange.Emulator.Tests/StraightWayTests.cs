using System.Net;
using System.Text.Json;

namespace Nhi.TokenExchange;

[TestFixture]
internal sealed class StraightWayTests : EmulatorFixture
{
    [TestCase(ProofShape.GitHub)]
    [TestCase(ProofShape.GitHubImmutable)]
    [TestCase(ProofShape.Kubernetes)]
    [TestCase(ProofShape.AzureDevOpsConnection)]
    [TestCase(ProofShape.AzureDevOpsPipeline)]
    public async Task A_proof_of_each_platform_becomes_a_token_that_opens_the_warehouse(ProofShape shape)
    {
        JobIdentity job = Emulator.JobIdentity(shape);
        Emulator.Authorization.AddClient($"of-{shape}", job.Subject, "dataset:orders");
        RawAnswer answer = await Raw.PostAsync(Emulator.Authorization.TokenEndpoint,
            ("grant_type", RawClient.Exchange), ("client_id", $"of-{shape}"), ("subject_token", job.Mint(Audience)), ("subject_token_type", RawClient.JwtType), ("scope", "dataset:orders"));

        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        Assert.That(answer.Text("issued_token_type"), Is.EqualTo(RawClient.AccessTokenType));
        Assert.That(answer.Text("token_type"), Is.EqualTo("Bearer"));
        Assert.That(answer.Text("expires_in"), Is.EqualTo("3600"));
        Assert.That(answer.Text("scope"), Is.EqualTo("dataset:orders"));
        Assert.That(answer.Header("Cache-Control"), Is.EqualTo("no-store"));
        Assert.That(answer.Header("x-request-id"), Is.Not.Empty);
        Assert.That((await RowsAsync(answer.Token)).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(Emulator.Ledger.Issued.Single().Subject, Is.EqualTo(job.Subject));
    }

    [Test]
    public async Task A_proof_becomes_a_databricks_token_that_opens_the_warehouse()
    {
        RawAnswer answer = await DatabricksAsync(DatabricksProof());
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        Assert.That(answer.Json.TryGetProperty("issued_token_type", out _), Is.False);
        Assert.That(answer.Text("expires_in"), Is.EqualTo("3600"));
        Assert.That((await RowsAsync(answer.Token)).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task An_account_wide_policy_needs_no_client_id()
    {
        Emulator.Databricks.AddUser("ada@example.com", "sql");
        Emulator.Databricks.AddAccountPolicy(new FederationPolicy { SubjectClaim = "email" });
        string proof = Job.Mint(Emulator.Databricks.AccountId, c => c.Payload["email"] = "ada@example.com");
        RawAnswer answer = await Raw.PostAsync(Emulator.Databricks.TokenEndpoint,
            ("grant_type", RawClient.Exchange), ("subject_token", proof), ("subject_token_type", RawClient.JwtType), ("scope", "sql"));
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        Assert.That(Emulator.Ledger.Issued.Single().Subject, Is.EqualTo("ada@example.com"));
    }

    [Test]
    public async Task The_jwt_bearer_grant_takes_the_proof_as_the_grant()
    {
        RawAnswer answer = await Raw.PostAsync(Emulator.Authorization.TokenEndpoint,
            ("grant_type", RawClient.JwtBearer), ("client_id", "job"), ("assertion", Job.Mint(Audience)), ("scope", "dataset:orders"));
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        Assert.That(answer.Json.TryGetProperty("issued_token_type", out _), Is.False);
    }

    [Test]
    public async Task Absent_scope_grants_what_the_client_may_and_says_so()
    {
        RawAnswer answer = await ExchangeAsync(Job.Mint(Audience));
        Assert.That(answer.Text("scope"), Is.EqualTo("dataset:orders dataset:customers"));
    }

    [Test]
    public async Task A_token_the_server_issued_is_a_subject_token_for_the_next_hop()
    {
        RawAnswer answer = await Raw.PostAsync(Emulator.Authorization.TokenEndpoint,
            ("grant_type", RawClient.Exchange), ("client_id", "job"), ("subject_token", await TokenAsync()), ("subject_token_type", RawClient.AccessTokenType), ("scope", "dataset:customers"));
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        Assert.That(Emulator.Ledger.Issued[1].Subject, Is.EqualTo(Job.Subject));
    }

    [Test]
    public async Task An_actor_token_puts_the_actor_into_the_act_claim()
    {
        JobIdentity agent = Emulator.JobIdentity(ProofShape.Kubernetes);
        Client.Actors.Add(new FederationPolicy { Subject = agent.Subject });
        RawAnswer answer = await ExchangeAsync(Job.Mint(Audience), ("actor_token", agent.Mint(Audience)), ("actor_token_type", RawClient.JwtType), ("requested_token_type", RawClient.JwtType));
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        Assert.That(answer.Text("issued_token_type"), Is.EqualTo(RawClient.JwtType));
        JsonElement claims = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(answer.Token.Split('.')[1])).RootElement;
        Assert.That(claims.GetProperty("act").GetProperty("sub").GetString(), Is.EqualTo(agent.Subject));
        Assert.That(claims.GetProperty("sub").GetString(), Is.EqualTo(Job.Subject));
    }

    [Test]
    public async Task Rows_depend_on_the_data_set_alone()
    {
        string first = (await RowsAsync(await TokenAsync())).Body;
        Assert.That(JsonDocument.Parse(first).RootElement.GetProperty("rows").GetArrayLength(), Is.EqualTo(2));
        await using IdentityEmulator other = await IdentityEmulator.StartAsync(o => o.Time = Clock);
        JobIdentity job = other.JobIdentity(ProofShape.GitHub);
        other.Authorization.AddClient("job", job.Subject, "dataset:orders");
        RawAnswer token = await Raw.PostAsync(other.Authorization.TokenEndpoint,
            ("grant_type", RawClient.Exchange), ("client_id", "job"), ("subject_token", job.Mint(other.Authorization.Issuer.OriginalString)), ("subject_token_type", RawClient.JwtType));
        RawAnswer second = await Raw.GetAsync(new Uri(other.Warehouse.Address, "/api/datasets/orders/rows?from=0&count=2"), token.Token);
        Assert.That(second.Body, Is.EqualTo(first));
    }
}
