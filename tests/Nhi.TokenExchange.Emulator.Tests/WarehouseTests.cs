using System.Net;

namespace Nhi.TokenExchange;

[TestFixture]
internal sealed class WarehouseTests : EmulatorFixture
{
    [Test]
    public async Task No_token_gets_a_challenge_without_error_code()
    {
        RawAnswer answer = await RowsAsync(null);
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That(answer.Header("WWW-Authenticate"), Is.EqualTo("Bearer realm=\"warehouse\""));
        Expect(UseVerdict.Missing);
    }

    [Test]
    public async Task A_token_in_the_address_is_refused()
    {
        string token = await TokenAsync();
        RawAnswer answer = await Raw.GetAsync(new Uri(Emulator.Warehouse.Address, $"/api/datasets/orders/rows?access_token={token}"));
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.Unauthorized));
    }

    [Test]
    public async Task A_made_up_and_a_changed_token_are_unknown()
    {
        string token = await TokenAsync();
        foreach (string wrong in new[] { "made-up", token + "x", (await DatabricksAsync(DatabricksProof())).Token[..^2] })
        {
            RawAnswer answer = await RowsAsync(wrong);
            Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.Unauthorized));
            Assert.That(answer.Header("WWW-Authenticate"), Does.Contain("error=\"invalid_token\""));
            Expect(UseVerdict.Unknown);
        }
    }

    [Test]
    public async Task A_dead_token_is_refused_from_the_very_instant_of_its_end()
    {
        string token = await TokenAsync();
        Clock.Advance(TimeSpan.FromHours(1) - TimeSpan.FromTicks(1));
        Assert.That((await RowsAsync(token)).Status, Is.EqualTo(HttpStatusCode.OK));
        Clock.Advance(TimeSpan.FromTicks(1));
        Assert.That((await RowsAsync(token)).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
        Expect(UseVerdict.Expired);
    }

    [Test]
    public async Task A_databricks_token_is_refused_with_403_in_its_last_thirty_seconds()
    {
        string token = (await DatabricksAsync(DatabricksProof())).Token;
        Clock.Advance(TimeSpan.FromMinutes(59.5) - TimeSpan.FromTicks(1));
        Assert.That((await RowsAsync(token)).Status, Is.EqualTo(HttpStatusCode.OK));
        Clock.Advance(TimeSpan.FromTicks(1));
        RawAnswer answer = await RowsAsync(token);
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(answer.Text("message"), Is.EqualTo("Invalid access token."));
        Assert.That(answer.Header("X-Databricks-Reason-Phrase"), Is.Not.Empty);
        Expect(UseVerdict.LastSeconds);
        Assert.That(Emulator.Ledger.IsAlive(Ledger.FingerprintOf(token)), Is.True);
        Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.That((await RowsAsync(token)).Status, Is.EqualTo(HttpStatusCode.Forbidden));
        Expect(UseVerdict.Expired);
    }

    [Test]
    public async Task A_narrow_scope_gets_403_and_the_scope_that_would_do()
    {
        RawAnswer answer = await RowsAsync(await TokenAsync("dataset:customers"));
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(answer.Header("WWW-Authenticate"), Does.Contain("error=\"insufficient_scope\"").And.Contain("scope=\"dataset:orders\""));
        Expect(UseVerdict.InsufficientScope);
    }

    [TestCase("SELECT", HttpStatusCode.OK)]
    [TestCase("MODIFY", HttpStatusCode.Forbidden)]
    public async Task A_databricks_token_with_details_reads_what_they_name_and_nothing_else(string privilege, HttpStatusCode ofOrders)
    {
        string token = (await DatabricksAsync(DatabricksProof(), ("authorization_details", $$"""[{"type":"unity_catalog_privileges","object_full_path":"main.shop.orders","privileges":["{{privilege}}"]}]"""))).Token;
        Assert.That((await RowsAsync(token)).Status, Is.EqualTo(ofOrders));
        Assert.That((await RowsAsync(token, "customers")).Status, Is.EqualTo(HttpStatusCode.Forbidden));
        Expect(UseVerdict.InsufficientScope);
    }

    [Test]
    public async Task A_token_for_another_api_is_refused()
    {
        Client.Targets.Add("lake");
        RawAnswer answer = await RowsAsync((await ExchangeAsync(Job.Mint(Audience), ("audience", "lake"))).Token);
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.Unauthorized));
        Expect(UseVerdict.OtherAudience);
    }

    [Test]
    public async Task A_server_that_is_not_trusted_issues_unknown_tokens()
    {
        Emulator.Warehouse.AcceptsAuthorizationTokens = false;
        Assert.That((await RowsAsync(await TokenAsync())).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
        Expect(UseVerdict.Unknown);
        Emulator.Warehouse.AcceptsDatabricksTokens = false;
        Assert.That((await RowsAsync((await DatabricksAsync(DatabricksProof())).Token)).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
        Expect(UseVerdict.Unknown);
    }

    [TestCase("from=-1", HttpStatusCode.BadRequest)]
    [TestCase("count=1001", HttpStatusCode.BadRequest)]
    [TestCase("from=99999999999", HttpStatusCode.BadRequest)]
    [TestCase("from=10001", HttpStatusCode.OK)]
    [TestCase("count=0", HttpStatusCode.OK)]
    public async Task Pages_have_bounds(string query, HttpStatusCode status) =>
        Assert.That((await Raw.GetAsync(new Uri(Emulator.Warehouse.Address, $"/api/datasets/orders/rows?{query}"), await TokenAsync())).Status, Is.EqualTo(status));

    [Test]
    public async Task An_unknown_data_set_is_not_found_for_who_may_see_it()
    {
        Client.Scopes.Add("dataset:nothing");
        Assert.That((await RowsAsync(await TokenAsync("dataset:nothing"), "nothing")).Status, Is.EqualTo(HttpStatusCode.NotFound));
    }

    private void Expect(UseVerdict verdict) => Assert.That(Emulator.Ledger.Uses[^1].Verdict, Is.EqualTo(verdict));
}
