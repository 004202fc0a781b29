using Nhi.TokenExchange.Tests.Policy;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What a policy narrows stands in the form that the issuer gets, and an answer that is wider is revoked and refused. Whole jobs at issuers that speak HTTP.</summary>
public class NarrowedExchangeTests
{
    private const string Orders = "https://warehouse.example/orders";
    private const string Returns = "https://warehouse.example/returns";
    private const string ReadAndWrite = """[{"type":"sql","actions":["read","write"]}]""";
    private const string ReadOnly = """[{"type":"sql","actions":["read"]}]""";

    [Test]
    public async Task The_issuer_is_asked_for_no_more_than_the_policy_leaves()
    {
        await using ScriptedIssuer issuer = Answering($"\"authorization_details\":{ReadOnly}");
        await using JobSession job = await StartAsync(issuer, Limits($$"""{ "scopes": [ "read" ], "resources": [ "{{Orders}}", "lake" ], "authorizationDetails": {{ReadOnly}} }"""));

        await job.Provider<BearerToken>("warehouse").GetAsync();

        ReceivedRequest sent = issuer.Requests.Single();
        Assert.That(sent.Form.Where(field => field.Name is "scope" or "resource" or "audience" or "authorization_details"), Is.EqualTo(new[]
        {
            ("resource", Orders), ("audience", "lake"), ("authorization_details", ReadOnly), ("scope", "read"),
        }));
    }

    [Test]
    public async Task Without_a_limit_it_is_asked_for_what_the_target_names()
    {
        await using ScriptedIssuer issuer = Answering($"\"authorization_details\":{ReadAndWrite}");
        await using JobSession job = await StartAsync(issuer, Limits(null));

        await job.Provider<BearerToken>("warehouse").GetAsync();

        Assert.That(issuer.Requests.Single().Form.Where(field => field.Name is "scope" or "resource" or "audience" or "authorization_details"), Is.EqualTo(new[]
        {
            ("resource", Orders), ("resource", Returns), ("audience", "lake"), ("authorization_details", ReadAndWrite), ("scope", "read write"),
        }));
    }

    [TestCase("""{ "scopes": { "anyOf": [ "all-apis" ] } }""")]
    [TestCase("""{ "scopes": { "anyOf": [ "files" ] } }""")]
    [TestCase("""{ "scopes": { "beyond": [ "sql" ] } }""")]
    public async Task What_an_exchange_asks_for_where_the_target_names_no_scopes_can_be_forbidden(string when)
    {
        await using ScriptedIssuer workspace = Answering("");
        await using JobSession job = await StartDatabricksAsync(workspace, Policies.Of(Policies.Permit("orders", """{ "target": "warehouse" }"""), Policies.Forbid("narrow", when)));

        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;

        Assert.That((denied.Rule, workspace.Requests.Count), Is.EqualTo(("narrow", 0)));
        Assert.That(denied.Message, Does.Contain("scopes is 'all-apis'"));
    }

    [TestCase(null, "all-apis")]
    [TestCase("""{ "scopes": [ "sql" ] }""", "sql")]
    public async Task What_is_left_of_it_is_asked_for_and_the_audit_says_so(string? limits, string sent)
    {
        var audit = new RecordingSink();
        await using ScriptedIssuer workspace = Answering("");
        await using JobSession job = await StartDatabricksAsync(workspace, Limits(limits), audit);

        await job.Provider<BearerToken>("warehouse").GetAsync();

        Assert.That(workspace.Requests.Single().Field("scope"), Is.EqualTo(sent));
        Assert.That(audit.Events.Where(one => one.Kind is AuditEventKind.Permitted or AuditEventKind.Exchanging or AuditEventKind.Issued).Select(one => one.Scopes.ToString()), Is.EqualTo(new[] { sent, sent, sent }));
    }

    private static Task<JobSession> StartDatabricksAsync(ScriptedIssuer workspace, IAccessPolicy policy, IAuditSink? audit = null) =>
        JobSession.StartAsync(b => Compose(b, policy).Audit(audit ?? new RecordingSink()).Target("warehouse", Targets.Databricks(workspace.Uri, "principal"), "job"));

    [Test]
    public async Task A_grant_by_assertion_is_narrowed_likewise()
    {
        await using ScriptedIssuer issuer = Answering("");
        await using JobSession job = await JobSession.StartAsync(b => Compose(b, Limits($$"""{ "resources": [ "{{Returns}}" ] }""")).Target("warehouse", Targets.JwtBearer(issuer.Uri, o =>
        {
            (o.TokenEndpoint, o.RevocationEndpoint) = (new Uri(issuer.Uri, "/token"), new Uri(issuer.Uri, "/revoke"));
            o.Resources.Add(new Uri(Orders));
            o.Resources.Add(new Uri(Returns));
        }), "job", "read"));

        await job.Provider<BearerToken>("warehouse").GetAsync();

        Assert.That(issuer.Requests.Single().Field("resource"), Is.EqualTo(Returns));
    }

    [TestCase("""["https://warehouse.example/orders","https://warehouse.example/returns"]""", false)]
    [TestCase("""["https://warehouse.example/orders","https://issuer.example/userinfo"]""", false)]
    [TestCase("""["https://warehouse.example/orders"]""", true)]
    [TestCase("\"https://warehouse.example/orders\"", true)]
    [TestCase("[]", true)]
    public async Task A_token_that_says_it_is_for_more_than_the_policy_leaves_is_revoked_and_refused(string audience, bool isRight)
    {
        string token = WireSamples.Jwt($$"""{"aud":{{audience}}}""");
        await using ScriptedIssuer issuer = Answering($"\"authorization_details\":{ReadAndWrite}", token);
        await using JobSession job = await StartAsync(issuer, Limits($$"""{ "resources": [ "{{Orders}}" ] }"""));

        if (isRight)
        {
            await job.Provider<BearerToken>("warehouse").GetAsync();
            return;
        }
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;
        Assert.That((refused.Code, refused.Stage, refused.IsTransient), Is.EqualTo((ErrorCodes.WrongAudience, ExchangeStage.Verify, false)));
        Assert.That(refused.Message, Does.Contain($"The policy permits a credential for '{Orders}' alone, and this one is for '"));
        Assert.That(issuer.Requests.Single(request => request.Path == "/revoke").Field("token"), Is.EqualTo(token));
    }

    // What a JWT says of itself, where "read" is left of what the target may have.
    [TestCase("""{"scope":"read"}""", null)]
    [TestCase("""{"scope":"read write"}""", "write")]
    [TestCase("""{"scope":["read","write"]}""", "write")]
    [TestCase("""{"scp":"read admin"}""", "admin")]
    [TestCase("""{"scp":["read","admin"]}""", "admin")]
    [TestCase("""{"scope":"read","scp":["admin"]}""", "admin")]
    [TestCase("""{"scope":"Read"}""", "Read")]
    [TestCase("""{"scope":""}""", null)]
    [TestCase("""{"scope":null,"scp":[]}""", null)]
    [TestCase("""{"sub":"job"}""", null)]
    public async Task A_token_that_says_a_wider_scope_of_itself_is_revoked_and_refused(string payload, string? wider)
    {
        string token = WireSamples.Jwt(payload.Replace("{", $$"""{"aud":"{{Orders}}",""", StringComparison.Ordinal));
        await using ScriptedIssuer issuer = Answering($"\"scope\":\"read\",\"authorization_details\":{ReadAndWrite}", token);
        await using JobSession job = await StartAsync(issuer, Limits("""{ "scopes": [ "read" ] }"""));

        if (wider is null)
        {
            await job.Provider<BearerToken>("warehouse").GetAsync();
            return;
        }
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;
        Assert.That((refused.Code, refused.Stage), Is.EqualTo((ErrorCodes.WiderScope, ExchangeStage.Verify)));
        Assert.That(refused.Message, Does.Contain($"the token says scope '{wider}' of itself, and 'read' was asked for"));
        Assert.That(issuer.Requests.Single(request => request.Path == "/revoke").Field("token"), Is.EqualTo(token));
    }

    // A scope is what it is called: what an issuer means by a part of it, or by a word for all, nobody knows.
    [TestCase("https://graph.example/User.Read", """{"scp":"https://graph.example/User.Read"}""", true)]
    [TestCase("https://graph.example/User.Read", """{"scp":"User.Read"}""", false)]
    [TestCase("api://orders/.default", """{"scp":"orders.read orders.write"}""", false)]
    [TestCase("all-apis", """{"scope":"sql"}""", false)]
    [TestCase("all-apis", """{"scope":"all-apis"}""", true)]
    [TestCase("read", """{"scope":5}""", false)]
    [TestCase("read", """{"scp":[5]}""", false)]
    public async Task A_grant_by_assertion_is_held_against_what_the_token_says_likewise(string asked, string payload, bool isRight)
    {
        await using ScriptedIssuer issuer = Answering("", WireSamples.Jwt(payload));
        await using JobSession job = await JobSession.StartAsync(b => Compose(b, Limits(null)).Target("warehouse", Targets.JwtBearer(issuer.Uri, o => (o.TokenEndpoint, o.RevocationEndpoint) = (new Uri(issuer.Uri, "/token"), new Uri(issuer.Uri, "/revoke"))), "job", asked));

        if (isRight)
            await job.Provider<BearerToken>("warehouse").GetAsync();
        else
            Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!.Code, Is.EqualTo(payload.Contains('5', StringComparison.Ordinal) ? ErrorCodes.IssuerAnswerMalformed : ErrorCodes.WiderScope));
        Assert.That(issuer.Requests.Count(request => request.Path == "/revoke"), Is.EqualTo(isRight ? 0 : 1));
    }

    [Test]
    public async Task A_piece_of_a_token_in_the_scope_of_a_token_is_quoted_nowhere()
    {
        await using ScriptedIssuer issuer = Answering("", WireSamples.Jwt($$"""{"scope":"read {{WireSamples.Proof}} {{WireSamples.TokenCanary}}"}"""));
        await using JobSession job = await JobSession.StartAsync(b => Compose(b, Limits(null)).Target("warehouse", Targets.JwtBearer(issuer.Uri, o => o.TokenEndpoint = new Uri(issuer.Uri, "/token")), "job", "read"));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;

        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.WiderScope));
        Assert.That(refused.ToString(), Does.Not.Contain(WireSamples.ProofCanary).And.Not.Contain("eyJ"));
    }

    [Test]
    public async Task Without_a_limit_further_audiences_of_a_token_are_the_issuers_to_say()
    {
        await using ScriptedIssuer issuer = Answering($"\"authorization_details\":{ReadAndWrite}", WireSamples.Jwt($$"""{"aud":["{{Orders}}","https://issuer.example/userinfo"]}"""));
        await using JobSession job = await StartAsync(issuer, Limits(null));

        await job.Provider<BearerToken>("warehouse").GetAsync();
    }

    [TestCase(ReadAndWrite)]
    [TestCase(null)]
    public async Task Details_that_the_target_may_ask_for_and_the_policy_does_not_leave_are_wider_than_asked(string? granted)
    {
        await using ScriptedIssuer issuer = Answering(granted is null ? "" : $"\"authorization_details\":{granted}");
        await using JobSession job = await StartAsync(issuer, Limits($$"""{ "authorizationDetails": {{ReadOnly}} }"""));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;

        Assert.That((refused.Code, refused.Stage), Is.EqualTo((ErrorCodes.WiderScope, ExchangeStage.Verify)));
        Assert.That(issuer.Requests.Count(request => request.Path == "/revoke"), Is.EqualTo(1));
    }

    [TestCase("""[{"type":"sql","actions":[]}]""")]
    [TestCase("""[{"type":"sql","actions":["read"],"privileges":[]}]""")]
    public async Task A_list_of_nothing_limits_nothing_and_is_wider_than_asked(string granted)
    {
        await using ScriptedIssuer issuer = Answering($"\"authorization_details\":{granted}");
        await using JobSession job = await StartAsync(issuer, Limits($$"""{ "authorizationDetails": {{ReadOnly}} }"""));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;

        Assert.That((refused.Code, issuer.Requests.Count(request => request.Path == "/revoke")), Is.EqualTo((ErrorCodes.WiderScope, 1)));
    }

    [Test]
    public async Task A_piece_of_the_token_in_its_audience_is_quoted_nowhere()
    {
        string token = "";
        await using var issuer = new ScriptedIssuer(request => request.Path == "/revoke" ? ScriptedAnswer.Status(200) : ScriptedAnswer.Json(WireSamples.Answer($"\"authorization_details\":{ReadAndWrite}").Replace(WireSamples.Token, token, StringComparison.Ordinal)));
        await using JobSession job = await JobSession.StartAsync(b => Target(Compose(b, Limits($$"""{ "resources": [ "{{Orders}}" ] }""")), issuer, job: "job"));
        token = WireSamples.Jwt($$"""{"aud":["{{Orders}}","{{WireSamples.Proof}}"]}""");

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;

        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.WrongAudience));
        WireSamples.AssertNoCanary(refused);
    }

    [Test]
    public async Task Where_an_exchange_has_no_place_for_what_is_narrowed_nothing_is_sent([Values("resources", "authorizationDetails", "scopes")] string limit)
    {
        string limits = limit switch
        {
            "resources" => $$"""{ "resources": [ "{{Orders}}" ] }""",
            "authorizationDetails" => $$"""{ "authorizationDetails": {{ReadOnly}} }""",
            _ => """{ "scopes": [ "read" ] }""",
        };
        await using ScriptedIssuer issuer = Answering("");
        await using JobSession job = await JobSession.StartAsync(b => Compose(b, Limits(limits)).Target("warehouse", Targets.VaultLogin(issuer.Uri, "orders"), "job"));

        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.Provider<BearerToken>("warehouse").GetAsync().AsTask())!;

        Assert.That(denied.Rule, Is.EqualTo("orders"));
        Assert.That(denied.Message, Does.Contain(limit == "scopes" ? "scopes 'read' are left, and cannot be asked for: they are set; Vault knows none" : $"{limit} expected").And.Not.Contain("\n"));
        Assert.That(issuer.Requests, Is.Empty);
    }

    [Test]
    public async Task The_audit_tells_what_was_asked_for_after_the_policy()
    {
        await using ScriptedIssuer issuer = Answering($"\"authorization_details\":{ReadOnly}");
        var audit = new RecordingSink();
        await using JobSession job = await StartAsync(issuer, Limits($$"""{ "resources": [ "lake" ], "authorizationDetails": {{ReadOnly}} }"""), audit);

        await job.Provider<BearerToken>("warehouse").GetAsync();

        foreach (AuditEventKind kind in new[] { AuditEventKind.Permitted, AuditEventKind.Exchanging, AuditEventKind.Issued })
        {
            AuditEvent told = audit.Events.Single(one => one.Kind == kind);
            Assert.That(told.Resources, Is.EqualTo(["lake"]), kind.ToString());
            Assert.That(told.AuthorizationDetails, Is.EqualTo(ReadOnly), kind.ToString());
        }
    }

    [Test]
    public async Task A_policy_of_ones_own_narrows_as_a_document_does()
    {
        await using ScriptedIssuer issuer = Answering($"\"authorization_details\":{ReadOnly}");
        var policy = new TestPolicy { Decide = _ => AccessDecision.Permit("mine", resources: [Returns], authorizationDetails: ReadOnly) };
        await using JobSession job = await StartAsync(issuer, policy);

        await job.Provider<BearerToken>("warehouse").GetAsync();

        Assert.That((issuer.Requests.Single().Field("resource"), issuer.Requests.Single().Field("audience"), issuer.Requests.Single().Field("authorization_details")), Is.EqualTo((Returns, (string?)null, ReadOnly)));
    }

    private static PolicyDocument Limits(string? limits) => Policies.Of(Policies.Permit("orders", """{ "target": "warehouse" }""", limits));

    private static ScriptedIssuer Answering(string more, string? token = null) => new(request =>
        request.Path == "/revoke" ? ScriptedAnswer.Status(200) : ScriptedAnswer.Json(WireSamples.Answer(more).Replace(WireSamples.Token, token ?? WireSamples.Token, StringComparison.Ordinal)));

    private static Task<JobSession> StartAsync(ScriptedIssuer issuer, IAccessPolicy policy, IAuditSink? audit = null) => JobSession.StartAsync(b =>
    {
        Target(Compose(b, policy), issuer, "job");
        if (audit is not null)
            b.Audit(audit);
    });

    private static TokenExchangeBuilder Compose(TokenExchangeBuilder b, IAccessPolicy policy) => b
        .EndOnSignals(false).Jitter(() => 0).Policy(policy)
        .Identity("job", IdentitySources.From((asked, _) => new(new SubjectToken(WireSamples.ProofFor(asked.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload);

    private static void Target(TokenExchangeBuilder b, ScriptedIssuer issuer, string job) => b.Target(
        "warehouse",
        Targets.Rfc8693(issuer.Uri, o =>
        {
            (o.TokenEndpoint, o.RevocationEndpoint) = (new Uri(issuer.Uri, "/token"), new Uri(issuer.Uri, "/revoke"));
            o.Resources.Add(new Uri(Orders));
            o.Resources.Add(new Uri(Returns));
            o.Audiences.Add("lake");
            o.AuthorizationDetails = ReadAndWrite;
        }),
        job, "read", "write");
}
