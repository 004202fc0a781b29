namespace Nhi.TokenExchange.Tests.Exchange;

internal sealed class DatabricksExchangerTests
{
    private const string Details = """[{"type":"t","actions":["read"]}]""";
    private const string Answer = """{"access_token":"opaque-one","token_type":"Bearer","expires_in":3600,"scope":"sql"}""";

    [Test]
    public async Task A_service_principals_exchange_names_it_in_the_form()
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json(Answer));
        Issued<BearerToken> issued = await ExchangeAsync(Targets.Databricks(workspace.Uri, "principal"), "sql");
        Assert.That(issued.Flaw, Is.Null);
        Assert.That(issued.GrantedScopes?.ToString(), Is.EqualTo("sql"));
        ReceivedRequest request = workspace.Requests.Single();
        Assert.That(request.Path, Is.EqualTo("/oidc/v1/token"));
        Assert.That(request.Headers.Keys, Has.No.Member("Authorization"));
        Assert.That(request.Form, Is.EqualTo(new[]
        {
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("subject_token", WireSamples.Proof),
            ("scope", "sql"),
            ("client_id", "principal"),
        }));
    }

    [Test]
    public async Task An_account_wide_exchange_names_no_client_and_without_scopes_asks_for_all_apis()
    {
        await using var account = new ScriptedIssuer(ScriptedAnswer.Json(Answer));
        await ExchangeAsync(Targets.Databricks(account.Uri, configure: o => o.AccountId = "acc-1"));
        ReceivedRequest request = account.Requests.Single();
        Assert.That(request.Path, Is.EqualTo("/oidc/accounts/acc-1/v1/token"));
        Assert.That(request.Field("client_id"), Is.Null);
        Assert.That(request.Field("scope"), Is.EqualTo("all-apis"));
    }

    [TestCase("sql", "sql", true)]
    [TestCase("sql", "all-apis", false)]
    [TestCase("sql files", "files", true)]
    [TestCase("sql", "sql files", false)]
    [TestCase("all-apis", "sql files", true, Description = "all-apis has them all")]
    public async Task What_the_token_says_of_itself_lies_within_what_was_asked_for(string asked, string said, bool isRight)
    {
        string token = WireSamples.Jwt($$"""{"scope":"{{said}}"}""");
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json($$"""{"access_token":"{{token}}","token_type":"Bearer","expires_in":3600}"""));

        Issued<BearerToken> issued = await ExchangeAsync(Targets.Databricks(workspace.Uri, "principal"), asked.Split(' '));

        Assert.That(issued.Flaw?.Code, Is.EqualTo(isRight ? null : ErrorCodes.WiderScope));
    }

    [Test]
    public void The_proof_is_for_the_token_endpoint_or_the_account()
    {
        var host = new Uri("https://workspace.example");
        Assert.That(Targets.Databricks(host, "p").SubjectAudience.ToString(), Is.EqualTo("https://workspace.example/oidc/v1/token"));
        Assert.That(Targets.Databricks(host, "p", o => o.AccountId = "acc-1").SubjectAudience.ToString(), Is.EqualTo("acc-1"));
        Assert.That(Targets.Databricks(host, "p", o => o.SubjectAudience = "mine").SubjectAudience.ToString(), Is.EqualTo("mine"));
        Assert.That(Targets.Databricks(host).UsableMargin, Is.EqualTo(TimeSpan.FromSeconds(40)));
        Assert.That(Targets.Databricks(host).EndsWithSubjectToken, Is.False);
    }

    [Test]
    public async Task Nothing_can_be_revoked()
    {
        var time = new SkippingTime();
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        Assert.That(await Targets.Databricks(new Uri("https://workspace.example")).RevokeAsync(WireSamples.Revocation(channel, time), default), Is.EqualTo(Revocation.NotSupported));
    }

    [Test]
    public async Task A_host_without_federation_is_told_from_a_wrong_path()
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Status(404));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(Targets.Databricks(workspace.Uri)))!;
        Assert.That(failure.Hint, Does.Contain("federation is not available"));
        Assert.That(failure.IsTransient, Is.False);
    }

    [TestCase(429, 5)]
    [TestCase(500, 1)]
    [TestCase(502, 5)]
    [TestCase(503, 5)]
    [TestCase(504, 5)]
    public async Task What_passes_is_asked_again_and_a_500_is_not(int status, int requests)
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json("""{"error_code":500,"message":"broken"}""", status));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(Targets.Databricks(workspace.Uri)))!;
        Assert.That(failure.IsTransient);
        Assert.That(workspace.Requests, Has.Count.EqualTo(requests));
    }

    [TestCase(400)]
    [TestCase(401)]
    [TestCase(403)]
    [TestCase(404)]
    public async Task Any_other_refusal_is_final(int status)
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json("""{"error_code":"PERMISSION_DENIED","message":"no"}""", status));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(Targets.Databricks(workspace.Uri)))!;
        Assert.That(failure.IsTransient, Is.False);
        Assert.That(workspace.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task The_older_dialect_has_an_assertion_and_a_client_id_of_its_own()
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json(Answer));
        await ExchangeAsync(Targets.Databricks(workspace.Uri, "principal", o => o.Dialect = DatabricksDialect.JwtBearer), "sql");
        Assert.That(workspace.Requests.Single().Form, Is.EqualTo(new[]
        {
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("identity_federation_client_id", "principal"),
            ("assertion", WireSamples.Proof),
            ("scope", "sql"),
        }));
    }

    [Test]
    public async Task A_narrowing_by_details_names_no_scope_but_the_targets_own()
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json(AnswerWith(Details)));
        TokenExchanger<BearerToken> exchanger = Targets.Databricks(workspace.Uri, configure: Narrowing);
        Assert.That((await ExchangeAsync(exchanger)).Flaw, Is.Null);
        Assert.That((await ExchangeAsync(exchanger, "sql")).Flaw, Is.Null);
        Assert.That(workspace.Requests.Select(request => (request.Field("scope"), request.Field("authorization_details"))), Is.EqualTo(new[] { (null, Details), ("sql", Details) }));
    }

    [Test]
    public async Task Granted_details_may_be_fewer_and_never_wider([Values] bool inToken)
    {
        const string Two = """[{"type":"t","actions":["read","write"],"object_path":"/a"}]""";
        foreach ((string? granted, string? code) in new[]
        {
            ("""[{"type":"t","actions":["read"],"object_path":"/a"}]""", null),
            (Two, null),
            ("[]", null),
            ("""[{"type":"t","actions":["read","drop"],"object_path":"/a"}]""", "NHI5001"),
            ("""[{"type":"t","actions":["read"],"object_path":"/"}]""", "NHI5001"),
            ("""[{"type":"t","actions":["read"]}]""", "NHI5001"),
            ((string?)null, "NHI5001"),
        })
        {
            string body = inToken
                ? $$"""{"access_token":"{{WireSamples.Jwt(granted is null ? "{}" : $"{{\"authorization_details\":{granted}}}")}}","token_type":"Bearer","expires_in":3600}"""
                : granted is null ? Answer : AnswerWith(granted);
            await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json(body));
            Issued<BearerToken> issued = await ExchangeAsync(Targets.Databricks(workspace.Uri, configure: o => (o.Dialect, o.AuthorizationDetails) = (DatabricksDialect.JwtBearer, Two)), "sql");
            Assert.That(issued.Flaw?.Code, Is.EqualTo(code), granted);
        }
    }

    [Test]
    public async Task An_answer_within_the_details_does_not_excuse_a_token_beyond_them()
    {
        string token = WireSamples.Jwt("""{"authorization_details":[{"type":"t","actions":["drop"]}]}""");
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json($$"""{"access_token":"{{token}}","token_type":"Bearer","expires_in":3600,"authorization_details":{{Details}}}"""));
        Assert.That((await ExchangeAsync(Targets.Databricks(workspace.Uri, configure: Narrowing))).Flaw?.Code, Is.EqualTo("NHI5001"));
    }

    [Test]
    public async Task Details_that_are_said_nowhere_are_taken_only_where_that_was_allowed()
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json(Answer));
        Issued<BearerToken> refused = await ExchangeAsync(Targets.Databricks(workspace.Uri, configure: Narrowing));
        Issued<BearerToken> taken = await ExchangeAsync(Targets.Databricks(workspace.Uri, configure: o =>
        {
            Narrowing(o);
            o.AllowUnstatedDetails = true;
        }));
        Assert.That((refused.Flaw?.Code, taken.Flaw), Is.EqualTo(("NHI5001", (TokenExchangeException?)null)));
        Assert.That(refused.Flaw!.Message, Does.Contain("absent"));
    }

    [TestCase(DatabricksDialect.TokenExchange)]
    [TestCase(DatabricksDialect.JwtBearer)]
    public async Task The_proof_that_comes_back_is_no_credential(DatabricksDialect dialect)
    {
        await using var workspace = new ScriptedIssuer(request => ScriptedAnswer.Json(
            $$"""{"access_token":"{{request.Field("subject_token") ?? request.Field("assertion")}}","token_type":"Bearer","expires_in":3600,"scope":"sql"}"""));
        Issued<BearerToken> issued = await ExchangeAsync(Targets.Databricks(workspace.Uri, "principal", o => o.Dialect = dialect), "sql");
        Assert.That(issued.Flaw?.Code, Is.EqualTo("NHI5006"));
        Assert.That(issued.Flaw!.Message, Does.Contain("the very token that was sent"));
        WireSamples.AssertNoCanary(issued.Flaw);
    }

    [TestCase("""{"error_code":403,"message":"Invalid access token."}""", 403, "answered 403: Invalid access token.", "403")]
    [TestCase("""{"error_code":"PERMISSION_DENIED","message":"no"}""", 403, "answered 403 PERMISSION_DENIED: no", "PERMISSION_DENIED")]
    [TestCase("""{"errorCode":"E0000","errorSummary":"no"}""", 400, "answered 400 E0000: no", "E0000")]
    [TestCase("""{"error":"invalid_scope","error_description":"no"}""", 400, "answered 400 invalid_scope: no", "invalid_scope")]
    [TestCase("""{"error_code":"E0000","error":"invalid_scope","message":"oh","error_description":"no"}""", 400, "answered 400 invalid_scope: no", "invalid_scope")]
    public async Task Error_bodies_of_gateway_api_and_token_endpoint_are_read(string body, int status, string said, string error)
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json(body, status));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(Targets.Databricks(workspace.Uri), "sql"))!;
        Assert.That(failure.Message, Does.Contain(said));
        Assert.That(failure.IssuerError, Is.EqualTo(error));
    }

    [Test]
    public async Task A_refused_proof_is_shown_beside_what_a_policy_must_list_with_the_command_that_makes_one()
    {
        const string Id = "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10";
        TokenExchangeException failure = await RefusedAsync(Id, """{"iss":"https://token.actions.githubusercontent.com","sub":"repo:acme@1/orders@2:environment:prod","aud":"acc-1","exp":9999999999}""");
        Assert.That(failure.Hint, Does.Contain("Presented were issuer 'https://token.actions.githubusercontent.com', subject 'repo:acme@1/orders@2:environment:prod', audience 'acc-1'")
            .And.Contain($"service principal {Id}")
            .And.Contain("""databricks account service-principal-federation-policy create NUMERIC_ID --json '{"oidc_policy":{"issuer":"https://token.actions.githubusercontent.com","audiences":["acc-1"],"subject":"repo:acme@1/orders@2:environment:prod"}}'""")
            .And.Contain($"databricks account service-principals list --filter 'applicationId eq \"{Id}\"'"));
    }

    [Test]
    public async Task For_the_account_the_command_is_ready_to_run() =>
        Assert.That((await RefusedAsync(null, """{"iss":"https://idp.example","sub":"ann","aud":"acc-1","exp":9999999999}""")).Hint,
            Does.Contain("""databricks account federation-policy create --json '{"oidc_policy":{"issuer":"https://idp.example","audiences":["acc-1"],"subject_claim":"sub"}}'"""));

    [TestCase(300, true)]
    [TestCase(301, false)]
    public async Task A_value_that_is_too_long_to_show_is_put_into_no_command(int length, bool hasCommand)
    {
        string subject = string.Concat(Enumerable.Repeat("a-", length))[..length];
        TokenExchangeException failure = await RefusedAsync("6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10", $$"""{"iss":"https://idp.example","sub":"{{subject}}","aud":"acc-1","exp":9999999999}""");
        Assert.That(failure.Hint!.Contains("create NUMERIC_ID", StringComparison.Ordinal), Is.EqualTo(hasCommand));
    }

    [TestCase("x'; rm -rf ~; '")]
    [TestCase("x\\u0022}}")]
    [TestCase("x`id`")]
    [TestCase("x$(id)")]
    public async Task A_proof_can_not_write_a_command_of_its_own(string subject)
    {
        TokenExchangeException failure = await RefusedAsync("6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10", $$"""{"iss":"https://idp.example","sub":"{{subject}}","aud":"acc-1","exp":9999999999}""");
        Assert.That(failure.Hint, Does.Contain("Presented were").And.Not.Contain("create NUMERIC_ID"));
    }

    [Test]
    public async Task A_refused_narrowing_speaks_of_narrowing()
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json("""{"error":"invalid_grant"}""", 400));
        string own = WireSamples.Jwt($$"""{"iss":"http://127.0.0.1:{{workspace.Port}}/oidc","sub":"p","aud":"x","exp":9999999999}""");
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(Targets.Databricks(workspace.Uri, configure: Narrowing), own, []))!;
        Assert.That(failure.Hint, Does.Contain("a token of this very host").And.Not.Contain("federation-policy"));
    }

    [TestCase("unsupported_grant_type", "Set Dialect to JwtBearer")]
    [TestCase("invalid_scope", "such as sql")]
    public async Task Other_errors_say_what_they_mean_here(string error, string hint)
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json($$"""{"error":"{{error}}"}""", 400));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(Targets.Databricks(workspace.Uri), "sql"))!.Hint, Does.Contain(hint));
    }

    [TestCase("offline_access", "refresh token")]
    [TestCase("2ff814a6-3304-4ab8-85cb-cd0e6f879c1d/.default", "Entra ID")]
    [TestCase("all-apis sql", "contains")]
    [TestCase("all-apis", null)]
    [TestCase("sql unity-catalog", null)]
    [TestCase("", null)]
    public void Scopes_that_make_no_sense_are_said_at_the_start(string scopes, string? said)
    {
        string? flaw = Targets.Databricks(new Uri("https://workspace.example")).FlawOf(ScopeSet.Parse(scopes));
        Assert.That(flaw, said is null ? Is.Null : Does.Contain(said));
    }

    [Test]
    public void The_accounts_host_needs_an_account()
    {
        var accounts = new Uri("https://accounts.cloud.databricks.com");
        Assert.That(() => Targets.Databricks(accounts), Throws.ArgumentException.With.Message.Contains("AccountId is not set"));
        Assert.That(Targets.Databricks(accounts, configure: o => o.AccountId = "acc-1").SubjectAudience.ToString(), Is.EqualTo("acc-1"));
    }

    [Test]
    public void Options_that_contradict_each_other_are_refused_at_once()
    {
        var host = new Uri("https://workspace.example");
        Assert.That(() => Targets.Databricks(host, configure: o => o.AuthorizationDetails = "{}"), Throws.ArgumentException.With.Message.Contains("AuthorizationDetails"));
        Assert.That(() => Targets.Databricks(host, configure: o => o.AllowUnstatedDetails = true), Throws.ArgumentException.With.Message.Contains("AllowUnstatedDetails"));
        Assert.That(() => Targets.Databricks(host, configure: o => o.Dialect = (DatabricksDialect)7), Throws.ArgumentException.With.Message.Contains("Dialect"));
    }

    [TestCase("https://workspace.example/path", "The workspace has a path. Give the host alone, such as https://workspace.example.")]
    [TestCase("http://workspace.example", "Give an absolute https URI without user info and fragment; http is for loopback only.")]
    public void A_host_that_is_none_is_refused_at_once(string host, string said) =>
        Assert.That(() => Targets.Databricks(new Uri(host)), Throws.InstanceOf<ArgumentException>().With.Message.Contains(said));

    [TestCase("")]
    [TestCase("a/../b")]
    [TestCase("a?b")]
    public void An_account_id_can_not_change_the_path(string id) =>
        Assert.That(
            () => Targets.Databricks(new Uri("https://accounts.example"), configure: o => o.AccountId = id),
            Throws.ArgumentException.With.Message.Contains("AccountId has other characters than letters, digits and hyphens."));

    [TestCase(-1, false)]
    [TestCase(0, true)]
    [TestCase(600, true)]
    [TestCase(601, false)]
    public void A_margin_is_ten_minutes_at_most(int seconds, bool isTaken)
    {
        TokenExchanger<BearerToken> Make() => Targets.Databricks(new Uri("https://workspace.example"), configure: o => o.UsableMargin = TimeSpan.FromSeconds(seconds));
        if (isTaken)
            Assert.That(Make().UsableMargin, Is.EqualTo(TimeSpan.FromSeconds(seconds)));
        else
            Assert.That(() => Make(), Throws.ArgumentException.With.Message.Contains("give 00:00:00 to 00:10:00"));
    }

    [TestCase(DatabricksDialect.TokenExchange, false, "all-apis")]
    [TestCase(DatabricksDialect.TokenExchange, true, "all-apis")]
    [TestCase(DatabricksDialect.JwtBearer, false, "all-apis")]
    [TestCase(DatabricksDialect.JwtBearer, true, null)]
    public async Task Where_no_scope_is_named_all_are_asked_for_unless_the_older_dialect_says_it_by_details(DatabricksDialect dialect, bool hasDetails, string? scope)
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json(AnswerWith(Details)));
        await ExchangeAsync(Targets.Databricks(workspace.Uri, configure: o => (o.Dialect, o.AuthorizationDetails) = (dialect, hasDetails ? Details : null)));
        Assert.That(workspace.Requests.Single().Field("scope"), Is.EqualTo(scope));
    }

    [TestCase("tenant", "NHI4016", "A tenant or the claims of a challenge were asked for; this issuer knows neither.", "Ask without tenant and claims, or use an exchanger that knows them.")]
    [TestCase("claims", "NHI4017", "A tenant or the claims of a challenge were asked for; this issuer knows neither.", "Ask without tenant and claims, or use an exchanger that knows them.")]
    [TestCase("actor", "NHI4008", "The target names an actor; Databricks takes none.", "Leave the actor out.")]
    public async Task What_Databricks_has_no_word_for_is_refused_before_it_is_asked(string what, string code, string detail, string hint)
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json(Answer));
        using HttpMessageInvoker channel = WireSamples.Backchannel();
        var request = new ExchangeRequest
        {
            Target = "warehouse", Subject = new SubjectToken(WireSamples.Proof, SubjectTokenType.IdToken), MaxLifetime = TimeSpan.FromHours(1), Job = new JobContext(), Backchannel = channel,
            Tenant = what == "tenant" ? "t" : null, Claims = what == "claims" ? "{}" : null, Actor = what == "actor" ? new SubjectToken(WireSamples.Proof, SubjectTokenType.IdToken) : null,
        };

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await Targets.Databricks(workspace.Uri).ExchangeAsync(request, default))!;

        Assert.That((refused.Code, refused.Stage, refused.Detail, refused.Hint, refused.IsTransient), Is.EqualTo((code, ExchangeStage.Exchange, detail, hint, false)));
        Assert.That(workspace.Requests, Is.Empty);
    }

    private static void Narrowing(DatabricksOptions options) => (options.Dialect, options.AuthorizationDetails) = (DatabricksDialect.JwtBearer, Details);

    private static string AnswerWith(string details) => $$"""{"access_token":"opaque-one","token_type":"Bearer","expires_in":3600,"scope":"sql","authorization_details":{{details}}}""";

    private static async Task<TokenExchangeException> RefusedAsync(string? clientId, string claims)
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json("""{"error":"invalid_request","error_description":"no policy matches"}""", 400));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(Targets.Databricks(workspace.Uri, clientId), WireSamples.Jwt(claims), ["sql"]))!;
        WireSamples.AssertNoCanary(failure);
        return failure;
    }

    private static Task<Issued<BearerToken>> ExchangeAsync(TokenExchanger<BearerToken> exchanger, params string[] scopes) => ExchangeAsync(exchanger, WireSamples.Proof, scopes);

    private static async Task<Issued<BearerToken>> ExchangeAsync(TokenExchanger<BearerToken> exchanger, string proof, string[] scopes)
    {
        var time = new SkippingTime();
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        return await exchanger.ExchangeAsync(WireSamples.RequestWith(proof, channel, time, null, scopes), default);
    }
}
