using System.Net;
using System.Text;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>The REST API of the workspace: who may call it, how it says no, and statements from their submission to their end.</summary>
[TestFixture]
internal sealed class DatabricksApiTests : EmulatorFixture
{
    private const string Statements = "/api/2.0/sql/statements";
    private const string Warehouses = "/api/2.0/sql/warehouses";

    [Test]
    public async Task A_token_is_judged_at_each_use()
    {
        string token = await SqlTokenAsync();
        Assert.That((await GetAsync(Warehouses, null)).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
        Expect(await GetAsync(Warehouses, token), HttpStatusCode.OK, UseVerdict.Accepted);
        RawAnswer unknown = await GetAsync(Warehouses, "made-up");
        Expect(unknown, HttpStatusCode.Forbidden, UseVerdict.Unknown);
        Assert.That(unknown.Json.GetProperty("error_code").GetInt32(), Is.EqualTo(403));   // a number: the gateway's
        RawAnswer narrow = await GetAsync("/api/2.0/preview/scim/v2/Me", token);
        Expect(narrow, HttpStatusCode.Forbidden, UseVerdict.InsufficientScope);
        Assert.That((narrow.Text("error_code"), narrow.Header("X-Databricks-Reason-Phrase")), Is.EqualTo(("PERMISSION_DENIED", "")));
        Expect(await GetAsync($"/api/2.0/accounts/{Emulator.Databricks.AccountId}/workspaces", token), HttpStatusCode.Unauthorized, UseVerdict.OtherAudience);
        Assert.That((await GetAsync("/api/2.0/sql/nothing", token)).Text("error_code"), Is.EqualTo("ENDPOINT_NOT_FOUND"));
    }

    [Test]
    public async Task A_token_is_refused_with_403_in_its_last_thirty_seconds_and_after()
    {
        string token = await SqlTokenAsync();
        Clock.Advance(TimeSpan.FromMinutes(59.5) - TimeSpan.FromTicks(1));
        Expect(await GetAsync(Warehouses, token), HttpStatusCode.OK, UseVerdict.Accepted);
        Clock.Advance(TimeSpan.FromTicks(1));
        RawAnswer answer = await GetAsync(Warehouses, token);
        Expect(answer, HttpStatusCode.Forbidden, UseVerdict.LastSeconds);
        Assert.That((answer.Text("message"), answer.Header("X-Databricks-Reason-Phrase")), Is.EqualTo(("Invalid access token.", "Invalid access token.")));
        Clock.Advance(TimeSpan.FromSeconds(30));
        Expect(await GetAsync(Warehouses, token), HttpStatusCode.Forbidden, UseVerdict.Expired);
    }

    [Test]
    public async Task A_statement_that_is_done_at_once_comes_with_its_rows()
    {
        RawAnswer answer = await SubmitAsync(await SqlTokenAsync(), "SELECT * FROM main.shop.orders LIMIT 2");
        Assert.That(State(answer), Is.EqualTo("SUCCEEDED"));
        JsonElement manifest = answer.Json.GetProperty("manifest"), result = answer.Json.GetProperty("result");
        Assert.That(manifest.GetProperty("schema").GetProperty("columns")[0].GetProperty("name").GetString(), Is.EqualTo("order_id"));
        Assert.That((manifest.GetProperty("total_row_count").GetInt32(), manifest.GetProperty("total_chunk_count").GetInt32(), manifest.GetProperty("truncated").GetBoolean()), Is.EqualTo((2, 1, false)));
        Assert.That(result.GetProperty("data_array")[1].EnumerateArray().Select(value => value.ValueKind), Is.All.EqualTo(JsonValueKind.String));
        Assert.That(result.TryGetProperty("next_chunk_internal_link", out _), Is.False);
    }

    [Test]
    public async Task A_statement_goes_from_pending_to_closed_by_the_clock()
    {
        (Emulator.Databricks.Statements.StartTime, Emulator.Databricks.Statements.RunTime) = (TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2));
        string token = await SqlTokenAsync();
        RawAnswer submitted = await SubmitAsync(token, "select * from orders limit 1");
        string path = $"{Statements}/{submitted.Text("statement_id")}";
        var states = new List<string> { State(submitted) };
        foreach (double minutes in new[] { 1, 2, 30.0 })
        {
            Clock.Advance(TimeSpan.FromMinutes(minutes));
            states.Add(State(await GetAsync(path, token)));
        }
        Clock.Advance(TimeSpan.FromMinutes(31));
        states.Add(State(await GetAsync(path, await SqlTokenAsync())));
        Assert.That(states, Is.EqualTo(["PENDING", "RUNNING", "SUCCEEDED", "SUCCEEDED", "CLOSED"]));
        Assert.That((await GetAsync($"{path}/result/chunks/0", await SqlTokenAsync())).Text("error_code"), Is.EqualTo("INVALID_STATE"));
    }

    [Test]
    public async Task Chunks_are_fetched_by_their_links()
    {
        Emulator.Databricks.Statements.ChunkRows = 4;
        string token = await SqlTokenAsync();
        RawAnswer answer = await SubmitAsync(token, "SELECT * FROM products LIMIT 10");
        var ids = new List<string>();
        JsonElement chunk = answer.Json.GetProperty("result");
        while (true)
        {
            ids.AddRange(chunk.GetProperty("data_array").EnumerateArray().Select(row => row[0].GetString()!));
            if (!chunk.TryGetProperty("next_chunk_internal_link", out JsonElement next))
                break;
            chunk = (await GetAsync(next.GetString()!, token)).Json;
        }
        Assert.That(ids, Is.EqualTo(Enumerable.Range(1, 10).Select(id => $"{id}")));
        Assert.That((await GetAsync($"{Statements}/{answer.Text("statement_id")}/result/chunks/3", token)).Status, Is.EqualTo(HttpStatusCode.BadRequest));
    }

    [TestCase("CANCEL", "CANCELED")]
    [TestCase("CONTINUE", "RUNNING")]
    public async Task What_happens_when_the_wait_is_over_was_said_before(string then, string state)
    {
        Emulator.Databricks.Statements.RunTime = TimeSpan.FromSeconds(30);
        Task<RawAnswer> waiting = SubmitAsync(await SqlTokenAsync(), "SELECT * FROM orders", $"\"wait_timeout\":\"10s\",\"on_wait_timeout\":\"{then}\"");
        await TimerAsync();
        Clock.Advance(TimeSpan.FromSeconds(10));
        Assert.That(State(await waiting), Is.EqualTo(state));
    }

    [Test]
    public async Task A_wait_ends_with_the_statement()
    {
        Emulator.Databricks.Statements.RunTime = TimeSpan.FromSeconds(3);
        Task<RawAnswer> waiting = SubmitAsync(await SqlTokenAsync(), "SELECT * FROM orders LIMIT 1", "\"wait_timeout\":\"50s\"");
        await TimerAsync();
        Clock.Advance(TimeSpan.FromSeconds(3));
        Assert.That(State(await waiting), Is.EqualTo("SUCCEEDED"));
    }

    [Test]
    public async Task A_cancelled_statement_stays_so_and_a_finished_one_is_not_cancelled()
    {
        string token = await SqlTokenAsync();
        string done = $"{Statements}/{(await SubmitAsync(token, "SELECT * FROM orders LIMIT 1")).Text("statement_id")}";
        Emulator.Databricks.Statements.RunTime = TimeSpan.FromMinutes(1);
        string running = $"{Statements}/{(await SubmitAsync(token, "SELECT * FROM orders LIMIT 1")).Text("statement_id")}";
        foreach (string path in new[] { done, running })
            Assert.That((await PostAsync($"{path}/cancel", token, "")).Body, Is.EqualTo("{}"));
        Clock.Advance(TimeSpan.FromMinutes(2));
        Assert.That((State(await GetAsync(done, token)), State(await GetAsync(running, token))), Is.EqualTo(("SUCCEEDED", "CANCELED")));
    }

    [TestCase("DROP TABLE orders", "PARSE_SYNTAX_ERROR")]
    [TestCase("SELECT * FROM nothing", "TABLE_OR_VIEW_NOT_FOUND")]
    [TestCase("SELECT * FROM orders; SELECT 1", "PARSE_SYNTAX_ERROR")]
    public async Task A_statement_that_fails_says_why(string sql, string why)
    {
        RawAnswer answer = await SubmitAsync(await SqlTokenAsync(), sql);
        Assert.That(State(answer), Is.EqualTo("FAILED"));
        Assert.That(answer.Json.GetProperty("status").GetProperty("error").GetProperty("message").GetString(), Does.StartWith($"[{why}]"));
    }

    [Test]
    public async Task Details_limit_what_a_statement_may_read()
    {
        const string Orders = """[{"type":"unity_catalog_privileges","object_type":"TABLE","object_full_path":"main.shop.orders","privileges":["SELECT"]}]""";
        string token = (await DatabricksAsync(DatabricksProof(), ("authorization_details", Orders))).Token;
        Assert.That(State(await SubmitAsync(token, "SELECT * FROM orders LIMIT 1")), Is.EqualTo("SUCCEEDED"));
        RawAnswer other = await SubmitAsync(token, "SELECT * FROM customers LIMIT 1");
        Assert.That(State(other), Is.EqualTo("FAILED"));
        Assert.That(other.Body, Does.Contain("INSUFFICIENT_PERMISSIONS"));
    }

    [Test]
    public async Task A_statement_is_seen_by_who_submitted_it_alone()
    {
        string other = Guid.NewGuid().ToString();
        Emulator.Databricks.AddServicePrincipal(other, Job.Subject);
        string statement = $"{Statements}/{(await SubmitAsync(await SqlTokenAsync(), "SELECT * FROM orders LIMIT 1")).Text("statement_id")}";
        string theirs = (await Raw.PostAsync(Emulator.Databricks.TokenEndpoint, ("grant_type", RawClient.Exchange), ("client_id", other), ("subject_token", DatabricksProof()), ("subject_token_type", RawClient.JwtType), ("scope", "sql"))).Token;
        RawAnswer answer = await GetAsync(statement, theirs);
        Assert.That((answer.Status, answer.Text("error_code")), Is.EqualTo((HttpStatusCode.NotFound, "RESOURCE_DOES_NOT_EXIST")));
    }

    [TestCase("\"wait_timeout\":\"4s\"")]
    [TestCase("\"wait_timeout\":\"51s\"")]
    [TestCase("\"wait_timeout\":\"soon\"")]
    [TestCase("\"on_wait_timeout\":\"STOP\"")]
    [TestCase("\"disposition\":\"EXTERNAL_LINKS\"")]
    [TestCase("\"row_limit\":\"1\"")]
    [TestCase("\"row_limit\":0")]
    public async Task A_setting_out_of_its_range_is_refused(string more)
    {
        RawAnswer answer = await SubmitAsync(await SqlTokenAsync(), "SELECT * FROM orders", more);
        Assert.That((answer.Status, answer.Text("error_code")), Is.EqualTo((HttpStatusCode.BadRequest, "INVALID_PARAMETER_VALUE")), answer.Body);
    }

    [Test]
    public async Task A_request_without_statement_warehouse_or_json_is_refused()
    {
        string token = await SqlTokenAsync();
        foreach (string body in new[] { "{}", "{\"statement\":\"SELECT 1\"}", "{\"statement\":\"SELECT 1\",\"warehouse_id\":\"x\"}", "[]", "{" })
            Assert.That((await PostAsync(Statements, token, body)).Status, Is.EqualTo(HttpStatusCode.BadRequest), body);
        RawAnswer truncated = await SubmitAsync(token, "SELECT * FROM orders LIMIT 9", "\"row_limit\":2");
        Assert.That(truncated.Json.GetProperty("manifest").GetProperty("truncated").GetBoolean(), Is.True);
    }

    private static string State(RawAnswer answer) => answer.Json.GetProperty("status").GetProperty("state").GetString()!;

    private async Task<string> SqlTokenAsync() => (await DatabricksAsync(DatabricksProof())).Token;

    private Task<RawAnswer> GetAsync(string path, string? token) => Raw.GetAsync(new Uri(Emulator.Databricks.Host, path), token);

    private Task<RawAnswer> SubmitAsync(string token, string sql, string? more = null) =>
        PostAsync(Statements + "/", token, $$"""{"statement":"{{sql}}","warehouse_id":"{{Emulator.Databricks.Statements.WarehouseId}}"{{(more is null ? ",\"wait_timeout\":\"0s\"" : "," + more)}}}""");

    private async Task<RawAnswer> PostAsync(string path, string token, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await Raw.SendAsync(HttpMethod.Post, new Uri(Emulator.Databricks.Host, path), content, ("Authorization", $"Bearer {token}"));
    }

    // The request is there and waits on the emulator's clock; nothing else does.
    private Task TimerAsync() => Eventually.HoldsAsync(() => Clock.PendingTimers > 0, "a request that waits on the emulator's clock");

    private void Expect(RawAnswer answer, HttpStatusCode status, UseVerdict verdict) =>
        Assert.That((answer.Status, Emulator.Ledger.Uses[^1].Verdict), Is.EqualTo((status, verdict)), answer.Body);
}
