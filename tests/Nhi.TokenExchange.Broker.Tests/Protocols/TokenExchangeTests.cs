using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>RFC 8693, RFC 7009 and RFC 7662 at the broker: what is given, and what is refused in which words.</summary>
internal sealed class TokenExchangeTests
{
    [Test]
    public async Task A_token_is_exchanged_for_a_targets_and_says_how_long_it_may_be_kept()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();

        (int status, JsonObject answer) = await http.PostAsync("oauth2/token", OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment)));

        Assert.That(status, Is.EqualTo(200));
        Assert.That(((string)answer["token_type"]!, (string)answer["issued_token_type"]!, (string)answer["scope"]!), Is.EqualTo(("Bearer", OAuthCalls.AccessToken, $"{BrokerJob.Scope} {BrokerJob.NarrowScope}")));
        Assert.That((long)answer["expires_in"]!, Is.GreaterThan(3000).And.LessThan((long)(job.Issued.Single().EndsAt - job.Issued.Single().IssuedAt).TotalSeconds), "less the margin");
        Assert.That(await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment), "warehouse")), Is.EqualTo((string)answer["access_token"]!), "its own is there still, and the target's name means it, too");
    }

    [Test]
    public async Task Who_did_not_prove_himself_is_told_how_in_characters_that_the_RFC_allows()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();

        (int exchanging, JsonObject first) = await http.PostAsync("oauth2/token", OAuthCalls.ExchangeAsProcess());
        (int introspecting, JsonObject second) = await http.PostAsync("oauth2/introspect", [new("token", "x")]);

        Assert.That((exchanging, introspecting), Is.EqualTo((401, 401)));
        Assert.That(new[] { (string)first["error_description"]!, (string)second["error_description"]! }, Has.All.Contains("'Authorization: Bearer TOKEN'").And.All.Not.Contains("?"));
    }

    private static IEnumerable<TestCaseData> WrongForms()
    {
        static TestCaseData Case(string name, int status, string error, Action<Dictionary<string, string>> change) => new TestCaseData(status, error, change).SetArgDisplayNames(name);
        yield return Case("no grant", 400, "invalid_request", form => form.Remove("grant_type"));
        yield return Case("another grant", 400, "unsupported_grant_type", form => form["grant_type"] = "client_credentials");
        yield return Case("no subject", 400, "invalid_request", form => form.Remove("subject_token"));
        yield return Case("a subject that is nobody's", 400, "invalid_grant", form => form["subject_token"] = "x");
        yield return Case("no type of subject", 400, "invalid_request", form => form.Remove("subject_token_type"));
        yield return Case("another type of subject", 400, "invalid_request", form => form["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt");
        yield return Case("another type wanted", 400, "invalid_request", form => form["requested_token_type"] = "urn:ietf:params:oauth:token-type:refresh_token");
        yield return Case("an actor", 400, "invalid_request", form => form["actor_token"] = "x");
        yield return Case("no target", 400, "invalid_request", form => form.Remove("resource"));
        yield return Case("an unknown resource", 400, "invalid_target", form => form["resource"] = "https://elsewhere.example");
        yield return Case("an unknown audience beside a known resource", 400, "invalid_target", form => form["audience"] = "payments");
        yield return Case("a wider scope", 400, "invalid_scope", form => form["scope"] = $"{BrokerJob.Scope} admin");
        yield return Case("a scope that is none", 400, "invalid_scope", form => form["scope"] = "\"");
        yield return Case("a control character", 400, "invalid_request", form => form["scope"] = "a\0b");
        yield return Case("a client that is nobody", 401, "invalid_client", form => form["client_secret"] = "x");
    }

    [TestCaseSource(nameof(WrongForms))]
    public async Task What_is_wrong_with_a_form_is_said_in_the_words_of_the_RFC(int status, string error, Action<Dictionary<string, string>> change)
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        Dictionary<string, string> form = OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment));
        change(form);

        (int answered, JsonObject answer) = await http.PostAsync("oauth2/token", form);

        Assert.That((answered, (string)answer["error"]!), Is.EqualTo((status, error)), answer.ToJsonString());
        Assert.That((string)answer["error_description"]!, Is.Not.Empty.And.Match("^[\\x20-\\x21\\x23-\\x5B\\x5D-\\x7E]+$"), "RFC 6749, section 5.2");
        Assert.That(job.Issued, Is.Empty);
    }

    [Test]
    public async Task A_parameter_that_comes_twice_and_a_body_that_is_no_form_are_refused()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        Dictionary<string, string> form = OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment));

        (int twice, JsonObject answer) = await http.PostAsync("oauth2/token", [.. form, new("scope", BrokerJob.Scope), new("scope", BrokerJob.Scope)]);
        Assert.That((twice, (string)answer["error_description"]!), Is.EqualTo((400, "the parameter 'scope' comes 2 times; once is allowed")));
        using HttpResponseMessage json = await http.PostAsync("oauth2/token", new StringContent("{}", Encoding.UTF8, "application/json"));
        using HttpResponseMessage parts = await http.PostAsync("oauth2/token", new MultipartFormDataContent { { new StringContent(OAuthCalls.Grant), "grant_type" } });
        using HttpResponseMessage get = await http.GetAsync("oauth2/token");
        using HttpResponseMessage inAddress = await http.PostAsync($"oauth2/token?subject_token=x", new FormUrlEncodedContent(form));
        using HttpResponseMessage large = await http.PostAsync("oauth2/token", new FormUrlEncodedContent([.. form, new("padding", new string('x', 70_000))]));
        using HttpResponseMessage many = await http.PostAsync("oauth2/token", new FormUrlEncodedContent([.. form, .. Enumerable.Range(0, 2000).Select(i => KeyValuePair.Create($"p{i}", "x"))]));

        Assert.That(new[] { json, parts, get, inAddress, large, many }.Select(response => (int)response.StatusCode), Is.EqualTo(new[] { 415, 415, 405, 400, 413, 400 }));
        Assert.That(job.Issued, Is.Empty);
    }

    [Test]
    public async Task Nobody_ends_or_sees_what_another_client_holds()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        await using BrokerClient mine = job.Broker.Admit("mine");
        await using BrokerClient other = job.Broker.Admit("other");
        string token = await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(mine)));

        (int seen, JsonObject introspected) = await http.PostAsync("oauth2/introspect", [new("token", token)], TokenOf.Client(other));
        (int revoked, _) = await http.PostAsync("oauth2/revoke", [new("token", token)], TokenOf.Client(other));
        (int garbage, _) = await http.PostAsync("oauth2/revoke", [new("token", "garbage"), new("token_type_hint", "refresh_token")], TokenOf.Client(other));
        (int nobody, _) = await http.PostAsync("oauth2/introspect", [new("token", token)]);

        Assert.That((seen, introspected.ToJsonString(), revoked, garbage, nobody), Is.EqualTo((200, """{"active":false}""", 200, 200, 401)));
        Assert.That(job.IsAlive(token), Is.True);
        Assert.That(await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(other))), Is.Not.EqualTo(token), "each client gets one of its own");
    }

    [Test]
    public async Task What_the_policy_denies_for_a_client_another_one_may_get()
    {
        PolicyDocument policy = PolicyDocument.Parse("""{ "version": 1, "revision": 1, "rules": [ { "name": "psql-alone", "effect": "permit", "when": { "target": "warehouse", "caller": "psql", "subject": { "present": true } } } ] }""");
        await using BrokerJob job = await BrokerJob.StartAsync(more: b => b.Policy(policy));
        using HttpClient http = job.NewClient();
        await using BrokerClient psql = job.Broker.Admit("psql");
        await using BrokerClient other = job.Broker.Admit("other");

        (int denied, JsonObject why) = await http.PostAsync("oauth2/token", OAuthCalls.Exchange(TokenOf.Client(other)));
        string token = await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(psql)));

        Assert.That((denied, (string)why["error"]!), Is.EqualTo((403, "access_denied")), why.ToJsonString());
        Assert.That(job.IsAlive(token), Is.True);
        Assert.That(job.Audit.Events.Where(e => e.Kind is AuditEventKind.Denied or AuditEventKind.Issued).Select(e => (e.Kind, e.Caller?.Name)), Is.EqualTo(new[] { (AuditEventKind.Denied, "other"), (AuditEventKind.Issued, "psql") }));
    }

    [Test]
    public async Task An_issuer_that_is_down_is_worth_another_try_and_the_answer_says_when()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        job.Emulator.Faults.Always(EmulatorEndpoint.AuthorizationToken, Fault.Status(503, ("Retry-After", "120")));

        using HttpResponseMessage response = await http.PostAsync("oauth2/token", new FormUrlEncodedContent(OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment))));

        JsonObject answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
        Assert.That(((int)response.StatusCode, (string)answer["error"]!), Is.EqualTo((503, "temporarily_unavailable")), answer.ToJsonString());
        Assert.That(response.Headers.RetryAfter!.Delta, Is.InRange(TimeSpan.FromSeconds(100), TimeSpan.FromSeconds(150)));
    }

    [Test]
    public async Task An_issuer_that_refuses_is_not_worth_another_try()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        job.Emulator.Faults.Always(EmulatorEndpoint.AuthorizationToken, Fault.Error("invalid_client", 401));

        (int refused, JsonObject answer) = await http.PostAsync("oauth2/token", OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment)));

        Assert.That((refused, (string)answer["error"]!), Is.EqualTo((502, "server_error")), answer.ToJsonString());
        Assert.That((string)answer["error_description"]!, Does.StartWith("NHI4001 target 'warehouse':"));
    }

    [Test]
    public async Task The_metadata_document_says_where_the_endpoints_are()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();

        JsonObject metadata = JsonNode.Parse(await http.GetStringAsync(".well-known/oauth-authorization-server"))!.AsObject();

        Assert.That((string)metadata["issuer"]! + "/", Is.EqualTo(job.Broker.Address.AbsoluteUri));
        Assert.That((string)metadata["token_endpoint"]!, Is.EqualTo(new Uri(job.Broker.Address, "oauth2/token").AbsoluteUri));
    }
}
