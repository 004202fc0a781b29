using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The emulated decision point, asked by hand: what AuthZEN 1.0 and OPA's data API say must come back.</summary>
internal sealed class DecisionPointTests
{
    private const string Question = """{"subject":{"type":"workload","id":"job"},"action":{"name":"exchange"},"resource":{"type":"target","id":"warehouse"}}""";

    private IdentityEmulator _emulator = null!;
    private HttpClient _http = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { BaseAddress = _emulator.DecisionPoint.Address };
    }

    [TearDown]
    public async Task StopAsync()
    {
        _http.Dispose();
        await _emulator.DisposeAsync();
    }

    [Test]
    public async Task Its_metadata_names_itself_and_where_it_is_asked()
    {
        JsonNode metadata = JsonNode.Parse(await _http.GetStringAsync("/.well-known/authzen-configuration"))!;

        Assert.That((string?)metadata["policy_decision_point"], Is.EqualTo(_emulator.DecisionPoint.Address.OriginalString));
        Assert.That((string?)metadata["access_evaluation_endpoint"], Is.EqualTo(_emulator.DecisionPoint.Address.OriginalString + "/access/v1/evaluation"));
    }

    [Test]
    public async Task An_evaluation_is_a_decision_with_its_context_and_the_request_id_comes_back()
    {
        _emulator.DecisionPoint.Rule = asked => new EmulatedDecision { IsPermitted = (string?)asked["subject"]!["id"] == "job", Reason = "why", Rule = "r", Scopes = ["a"], MaxLifetime = TimeSpan.FromMinutes(1), HoldsFor = TimeSpan.FromSeconds(5) };
        using HttpRequestMessage request = Post("/access/v1/evaluation", Question);
        request.Headers.Add("X-Request-ID", "4711");

        using HttpResponseMessage answer = await _http.SendAsync(request);

        Assert.That(((int)answer.StatusCode, answer.Headers.GetValues("X-Request-ID").Single()), Is.EqualTo((200, "4711")));
        Assert.That(
            JsonNode.DeepEquals(JsonNode.Parse(await answer.Content.ReadAsStringAsync()), JsonNode.Parse("""{"decision":true,"context":{"reason_admin":{"en":"why"},"nhi_token_exchange":{"rule":"r","scopes":["a"],"max_lifetime_seconds":60,"holds_for_seconds":5}}}""")),
            Is.True);
        Assert.That(_emulator.DecisionPoint.Questions, Is.EqualTo([Question]));
    }

    [TestCase("""{"subject":{"type":"workload"},"action":{"name":"exchange"},"resource":{"type":"target","id":"warehouse"}}""", "subject/id is missing.")]
    [TestCase("""{"subject":{"type":"workload","id":""},"action":{"name":"exchange"},"resource":{"type":"target","id":"warehouse"}}""", "subject/id is missing.")]
    [TestCase("""{"subject":{"type":"workload","id":"a"},"action":"exchange","resource":{"type":"target","id":"warehouse"}}""", "action/name is missing.")]
    [TestCase("[]", "The body is no JSON object.")]
    [TestCase("{", "The body is no JSON object.")]
    [TestCase("""{"subject":1,"subject":2}""", "The body is no JSON object.")]
    public async Task A_question_that_is_none_is_a_400_with_a_message(string body, string message)
    {
        using HttpResponseMessage answer = await _http.SendAsync(Post("/access/v1/evaluation", body));

        Assert.That(((int)answer.StatusCode, await answer.Content.ReadAsStringAsync()), Is.EqualTo((400, message)));
    }

    [Test]
    public async Task A_rule_that_throws_is_a_500_and_one_that_gives_nothing_is_a_deny_or_undefined()
    {
        _emulator.DecisionPoint.Rule = _ => throw new InvalidOperationException("planned");
        Assert.That((int)(await _http.SendAsync(Post("/access/v1/evaluation", Question))).StatusCode, Is.EqualTo(500));
        Assert.That((int)(await _http.SendAsync(Post("/v1/data/tokens/decision", $$"""{"input":{{Question}}}"""))).StatusCode, Is.EqualTo(500));

        _emulator.DecisionPoint.Rule = _ => null;
        Assert.That(await TextAsync("/access/v1/evaluation", Question), Is.EqualTo("""{"decision":false}"""));
        JsonNode data = JsonNode.Parse(await TextAsync("/v1/data/tokens/decision", $$"""{"input":{{Question}}}"""))!;
        Assert.That((data["result"], data["decision_id"]?.GetValue<string>()), Is.EqualTo(((JsonNode?)null, data["decision_id"]!.GetValue<string>())));
    }

    [Test]
    public async Task The_data_API_gives_an_object_at_its_path_and_nothing_elsewhere_or_without_input()
    {
        _emulator.DecisionPoint.Rule = _ => new EmulatedDecision { IsPermitted = false, Reason = "night" };

        Assert.That(JsonNode.Parse(await TextAsync("/v1/data/tokens/decision", $$"""{"input":{{Question}}}"""))!["result"]!.ToJsonString(), Is.EqualTo("""{"allow":false,"reasons":["night"]}"""));
        Assert.That(JsonNode.Parse(await TextAsync("/v1/data/tokens/other", $$"""{"input":{{Question}}}"""))!["result"], Is.Null);
        JsonNode bare = JsonNode.Parse(await TextAsync("/v1/data/tokens/decision", Question))!;
        Assert.That((bare["result"], (string?)bare["warning"]!["code"]), Is.EqualTo(((JsonNode?)null, "api_usage_warning")));
        using HttpResponseMessage broken = await _http.SendAsync(Post("/v1/data/tokens/decision", "{"));
        Assert.That(((int)broken.StatusCode, (string?)JsonNode.Parse(await broken.Content.ReadAsStringAsync())!["code"]), Is.EqualTo((400, "invalid_parameter")));
        using HttpResponseMessage got = await _http.GetAsync("/v1/data/tokens/decision");
        Assert.That((int)got.StatusCode, Is.EqualTo(405));
    }

    private async Task<string> TextAsync(string path, string body)
    {
        using HttpResponseMessage answer = await _http.SendAsync(Post(path, body));
        return await answer.Content.ReadAsStringAsync();
    }

    private static HttpRequestMessage Post(string path, string body) => new(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
}
