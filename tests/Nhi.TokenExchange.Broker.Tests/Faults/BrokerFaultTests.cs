using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>What users of such brokers complain of, and what callers may try.</summary>
internal sealed class BrokerFaultTests
{
    [TestCase("RS256")]
    [TestCase("none")]
    public async Task I19_I20_B72_B73_A_token_of_another_issuer_is_no_proof_whoever_signed_it(string signature)
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        string proof = job.Emulator.MintProof(ProofShape.GitHub, job.Broker.Address.AbsoluteUri);   // the very one that the job may use
        if (signature == "none")
            proof = proof[..(proof.LastIndexOf('.') + 1)];
        int before = job.Emulator.Ledger.Requests.Of(EmulatorEndpoint.Jwks);
        Dictionary<string, string> form = OAuthCalls.Exchange(proof);

        (int asAccessToken, JsonObject first) = await http.PostAsync("oauth2/token", form);
        form["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt";
        (int asJwt, JsonObject second) = await http.PostAsync("oauth2/token", form);
        (int asBearer, JsonObject third) = await http.PostAsync("oauth2/token", OAuthCalls.ExchangeAsProcess(), proof);

        Assert.That((asAccessToken, (string)first["error"]!, asJwt, (string)second["error"]!, asBearer, (string)third["error"]!), Is.EqualTo((400, "invalid_grant", 400, "invalid_request", 401, "invalid_client")));
        Assert.That((job.Issued.Count, job.Emulator.Ledger.Requests.Of(EmulatorEndpoint.Jwks)), Is.EqualTo((0, before)));
    }

    [Test]
    public async Task P7_A_program_that_runs_longer_than_its_token_asks_again_and_gets_the_next()
    {
        var time = new ManualTimeProvider();
        await using BrokerJob job = await BrokerJob.StartAsync(time: time);
        using HttpClient http = job.NewClient();
        string own = TokenOf.Client(job.Broker.Environment);
        string first = await http.TokenAsync(OAuthCalls.Exchange(own));
        Assert.That(await http.TokenAsync(OAuthCalls.Exchange(own)), Is.EqualTo(first));

        time.Advance(TimeSpan.FromHours(1));
        string next = await http.TokenAsync(OAuthCalls.Exchange(own));

        Assert.That((next == first, job.IsAlive(first), job.IsAlive(next)), Is.EqualTo((false, false, true)));
    }

    [Test]
    public async Task P20_Sixty_programs_that_ask_at_once_cost_sixty_exchanges_however_often_they_ask()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        BrokerClient[] clients = [.. Enumerable.Range(0, 60).Select(i => job.Broker.Admit($"program {i}"))];

        string[][] tokens = await Task.WhenAll(clients.Select(client => Task.WhenAll(Enumerable.Range(0, 8).Select(_ => http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(client)))))));

        Assert.That(job.Emulator.Ledger.Requests.Of(EmulatorEndpoint.AuthorizationToken), Is.EqualTo(60));
        Assert.That(tokens.Select(own => own.Distinct().Single()), Is.Unique);
    }

    [Test]
    public async Task P47_The_answer_says_the_cause_and_what_to_do()
    {
        PolicyDocument policy = PolicyDocument.Parse("""{ "version": 1, "revision": 1, "rules": [ { "name": "loads", "effect": "permit", "when": { "target": "warehouse", "subject": { "present": true }, "job": { "dataset": "orders" } } } ] }""");
        await using BrokerJob job = await BrokerJob.StartAsync(more: b => b.Policy(policy).Job(new JobContext { Dataset = "payments" }));
        using HttpClient http = job.NewClient();

        (int status, JsonObject answer) = await http.PostAsync("oauth2/token", OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment)));

        Assert.That((status, (string)answer["error"]!), Is.EqualTo((403, "access_denied")));
        Assert.That((string)answer["error_description"]!, Does.StartWith("NHI3001 target 'warehouse':").And.Contains("job.dataset expected 'orders', presented 'payments'"));
    }

    [Test]
    public async Task P58_A_web_page_that_knows_even_the_token_gets_nothing([Values("Origin", "Referer", "Sec-Fetch-Site")] string header)
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        using var post = new HttpRequestMessage(HttpMethod.Post, "oauth2/token") { Content = new FormUrlEncodedContent(OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment))) };
        post.Headers.TryAddWithoutValidation(header, header == "Sec-Fetch-Site" ? "same-site" : "http://localhost");

        using HttpResponseMessage response = await http.SendAsync(post);

        Assert.That((int)response.StatusCode, Is.EqualTo(403));
        Assert.That(response.Headers.Select(one => one.Key), Has.None.StartsWith("Access-Control"));
        Assert.That(job.Issued, Is.Empty);
    }
}
