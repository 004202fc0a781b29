using Microsoft.Identity.Client;

namespace Nhi.TokenExchange.Tests;

internal sealed class EntraExchangerTests
{
    private const string Other = "6f1c1f3e-0000-4000-8000-0000000000ff";

    [Test]
    public async Task An_exchange_is_one_post_of_the_assertion_to_the_tenants_token_endpoint()
    {
        var wire = new Wire(Wire.Json(EntraCalls.Good()));
        string proof = Proofs.Of();

        Issued<BearerToken> issued = await EntraCalls.ExchangeAsync(wire, proof: proof);

        SentRequest sent = wire.Requests.Single();
        Assert.That((sent.Method, sent.Uri.AbsoluteUri), Is.EqualTo(("POST", $"https://login.microsoftonline.com/{EntraCalls.Tenant}/oauth2/v2.0/token")));
        Assert.That(sent.Form.Where(field => field.Key != "client_info"), Is.EquivalentTo(new Dictionary<string, string>
        {
            ["client_id"] = EntraCalls.Client, ["scope"] = EntraCalls.Scope, ["grant_type"] = "client_credentials",
            ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", ["client_assertion"] = proof,
        }));
        Assert.That(Guid.TryParse(sent.Headers["client-request-id"], out _));
        Assert.That((issued.Credential.Reveal(), issued.Flaw, issued.GrantedScopes), Is.EqualTo((Proofs.Token(), (TokenExchangeException?)null, (ScopeSet?)null)));
    }

    [Test]
    public async Task Lives_are_counted_by_the_jobs_clock_from_before_the_request_and_never_by_the_extended_end()
    {
        var time = new ManualTimeProvider();
        DateTimeOffset before = time.GetUtcNow();
        var wire = new Wire(request =>
        {
            time.Advance(TimeSpan.FromSeconds(9));
            return Wire.Json(EntraCalls.Good("\"refresh_in\":1800"))(request);
        });

        Issued<BearerToken> issued = await EntraCalls.ExchangeAsync(wire, time: time);

        Assert.That((issued.Credential.ExpiresAt, issued.RefreshAt), Is.EqualTo((before.AddSeconds(3599), (DateTimeOffset?)before.AddSeconds(1800))));
    }

    [Test]
    public async Task Nothing_of_msal_stands_between_each_exchange_asks()
    {
        var wire = new Wire(Wire.Json(EntraCalls.Good(name: "one")), Wire.Json(EntraCalls.Good(name: "two")));
        TokenExchanger<BearerToken> entra = Targets.Entra(EntraCalls.Tenant, EntraCalls.Client);

        Issued<BearerToken> first = await entra.ExchangeAsync(EntraCalls.Request(wire), default);
        Issued<BearerToken> second = await entra.ExchangeAsync(EntraCalls.Request(wire), default);

        Assert.That((first.Credential.Reveal(), second.Credential.Reveal(), wire.Requests.Count), Is.EqualTo((Proofs.Token("one"), Proofs.Token("two"), 2)));
    }

    [Test]
    public async Task A_refusal_is_not_remembered_by_msal()
    {
        var wire = new Wire(Wire.Json(EntraCalls.Refusal(90055), 500, ("Retry-After", "3600")), Wire.Json(EntraCalls.Good()));

        await EntraCalls.RefusedAsync(wire);
        await EntraCalls.ExchangeAsync(wire);

        Assert.That(wire.Requests, Has.Count.EqualTo(2));
    }

    [TestCase("\"access_token\":\"TOKEN\",\"expires_in\":3599,\"token_type\":\"DPoP\"", ErrorCodes.WrongTokenType, "'DPoP' came as token_type")]
    [TestCase("\"access_token\":\"TOKEN\",\"token_type\":\"Bearer\"", ErrorCodes.IssuerAnswerMalformed, "does not say how long")]
    [TestCase("\"access_token\":\"TOKEN\",\"token_type\":\"Bearer\",\"ext_expires_in\":3599", ErrorCodes.IssuerAnswerMalformed, "does not say how long")]
    [TestCase("\"access_token\":\"TOKEN\",\"token_type\":\"Bearer\",\"expires_in\":0", ErrorCodes.IssuerAnswerMalformed, "expires_in 0")]
    [TestCase("\"access_token\":\"TOKEN\",\"token_type\":\"Bearer\",\"expires_in\":900000", ErrorCodes.IssuerAnswerMalformed, "expires_in 900000")]
    [TestCase("\"access_token\":\"TOKEN\",\"token_type\":\"Bearer\",\"expires_in\":\"soon\"", ErrorCodes.IssuerAnswerMalformed, "no whole number")]
    [TestCase("\"access_token\":\"TOKEN\",\"token_type\":\"Bearer\",\"expires_in\":3599,\"expires_in\":9", ErrorCodes.IssuerAnswerMalformed, "'expires_in' twice")]
    [TestCase("\"access_token\":\"TOKEN\",\"token_type\":\"Bearer\",\"expires_in\":3599,\"error\":\"x\"", ErrorCodes.IssuerAnswerMalformed, "'error' beside")]
    public async Task What_exists_and_is_not_as_asked_is_given_with_its_flaw(string answer, string code, string flaw)
    {
        Issued<BearerToken> issued = await EntraCalls.ExchangeAsync(new Wire(Wire.Json("{" + answer.Replace("TOKEN", Proofs.Token(), StringComparison.Ordinal) + "}")));

        Assert.That(issued.Flaw, Is.Not.Null);
        Assert.That((issued.Flaw!.Code, issued.Flaw.Message), Is.EqualTo((code, issued.Flaw.Message)));
        Assert.That(issued.Flaw.Message, Does.Contain(flaw));
        Proofs.AssertNothingShown(issued.Flaw);
    }

    [TestCase("<html>Sign in</html>", "text/html", "is not well-formed JSON")]
    [TestCase("{}", "application/json", "has no access_token")]
    [TestCase("", "application/json", "is not")]
    public async Task An_answer_that_is_none_is_transient_and_not_quoted(string body, string type, string what)
    {
        TokenExchangeException refused = await EntraCalls.RefusedAsync(new Wire(Wire.Text(body, type)));

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.IssuerAnswerMalformed, true)));
        Assert.That(refused.Message, Does.Contain(what).And.Not.Contain("Sign in"));
    }

    [TestCase(90033, 400, "invalid_client", ErrorCodes.IssuerUnreachable, true)]
    [TestCase(90006, 400, "invalid_client", ErrorCodes.IssuerUnreachable, true)]
    [TestCase(90024, 400, "invalid_client", ErrorCodes.IssuerUnreachable, true)]
    [TestCase(50033, 400, "invalid_client", ErrorCodes.IssuerUnreachable, true)]
    [TestCase(90090, 400, "invalid_client", ErrorCodes.IssuerUnreachable, true)]
    [TestCase(90092, 400, "invalid_client", ErrorCodes.IssuerRefused, false)]
    [TestCase(50196, 400, "invalid_grant", ErrorCodes.IssuerThrottled, true)]
    [TestCase(90055, 400, "invalid_client", ErrorCodes.IssuerThrottled, true)]
    [TestCase(53003, 400, "invalid_grant", ErrorCodes.IssuerRefused, false)]
    [TestCase(50076, 400, "interaction_required", ErrorCodes.IssuerRefused, false)]
    [TestCase(7000215, 401, "invalid_client", ErrorCodes.IssuerRefused, false)]
    [TestCase(9002313, 400, "invalid_request", ErrorCodes.IssuerRefused, false)]
    [TestCase(123456789, 400, "invalid_client", ErrorCodes.IssuerRefused, false)]
    [TestCase(123456789, 400, "temporarily_unavailable", ErrorCodes.IssuerUnreachable, true)]
    [TestCase(700213, 400, "temporarily_unavailable", ErrorCodes.IssuerUnreachable, true)]
    [TestCase(123456789, 500, "server_error", ErrorCodes.IssuerUnreachable, true)]
    [TestCase(700211, 503, "invalid_client", ErrorCodes.IssuerUnreachable, true)]
    [TestCase(1, 429, "invalid_client", ErrorCodes.IssuerThrottled, true)]
    public async Task Refusals_are_told_by_status_and_error_first_and_by_the_number_where_it_is_known(int number, int status, string error, string code, bool isTransient)
    {
        TokenExchangeException refused = await EntraCalls.RefusedAsync(new Wire(Wire.Json(EntraCalls.Refusal(number, error), status)));

        Assert.That((refused.Code, refused.IsTransient, refused.IssuerError), Is.EqualTo((code, isTransient, error)));
        Assert.That(refused.Message, Does.Contain($"AADSTS{number}"));
    }

    [Test]
    public async Task A_client_that_loops_is_silent_for_minutes() =>
        Assert.That((await EntraCalls.RefusedAsync(new Wire(Wire.Json(EntraCalls.Refusal(50196, "invalid_grant"), 400)))).RetryAfter, Is.EqualTo(TimeSpan.FromMinutes(5)));

    [Test]
    public async Task What_entra_says_is_shown_cleaned_and_without_what_was_sent()
    {
        string proof = Proofs.Of();

        TokenExchangeException refused = await EntraCalls.RefusedAsync(new Wire(Wire.Json(EntraCalls.Refusal(1, description: $"Bad \\u001b[31m assertion {proof}"), 401)), proof: proof);

        Assert.That(refused.Message, Does.Contain("It said: AADSTS1: Bad ·[31m assertion [redacted]"));
    }

    [Test]
    public async Task Clocks_that_differ_are_told()
    {
        TokenExchangeException refused = await EntraCalls.RefusedAsync(new Wire(Wire.Json(EntraCalls.Refusal(700024), 401, ("Date", "Thu, 01 Jan 2026 00:10:00 GMT"))));

        Assert.That(refused.Hint, Does.Contain("Entra ID's clock is 600 s ahead of this machine's."));
    }

    [Test]
    public async Task A_failure_of_the_wire_comes_through_as_the_back_channel_told_it()
    {
        var told = new TokenExchangeException(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, "No way.") { IsTransient = true };

        Assert.That(await EntraCalls.RefusedAsync(new Wire(Wire.Throws(told))), Is.SameAs(told));
    }

    [Test]
    public void Who_cancels_gets_a_cancellation()
    {
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();

        Assert.That(() => Targets.Entra(EntraCalls.Tenant, EntraCalls.Client).ExchangeAsync(EntraCalls.Request(new Wire(Wire.Json(EntraCalls.Good()))), cancelled.Token).AsTask(), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task The_form_can_be_sent_twice_by_the_back_channel()
    {
        HttpContent? content = null;
        using var recorder = new HttpMessageInvoker(new Recorder(request => content = request.Content));
        var request = EntraCalls.Request(new Wire(Wire.Json(EntraCalls.Good())));
        var over = new ExchangeRequest { Target = request.Target, Subject = request.Subject, Scopes = request.Scopes, MaxLifetime = request.MaxLifetime, Job = request.Job, Backchannel = recorder, Time = request.Time };

        await Targets.Entra(EntraCalls.Tenant, EntraCalls.Client).ExchangeAsync(over, default);

        Assert.That(content, Is.InstanceOf<ByteArrayContent>());
    }

    [Test]
    public async Task A_tenant_goes_where_the_target_lists_it_and_nowhere_else()
    {
        var wire = new Wire(Wire.Json(EntraCalls.Good()));
        TokenExchanger<BearerToken> entra = Targets.Entra(EntraCalls.Tenant, EntraCalls.Client, options => options.AllowedTenants.Add("fabrikam.example"));

        await entra.ExchangeAsync(EntraCalls.Request(wire, tenant: "Fabrikam.example"), default);
        await entra.ExchangeAsync(EntraCalls.Request(wire, tenant: EntraCalls.Tenant.ToUpperInvariant()), default);
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => entra.ExchangeAsync(EntraCalls.Request(wire, tenant: Other), default).AsTask())!;

        Assert.That(wire.Requests.Select(sent => sent.Uri.Segments[1]), Is.EqualTo(["fabrikam.example/", EntraCalls.Tenant + "/"]));
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.TenantRefused, false)));
    }

    [Test]
    public async Task Claims_go_where_the_target_takes_them_and_capabilities_go_nowhere()
    {
        const string Claims = """{"access_token":{"nbf":{"essential":true,"value":"1767225600"}}}""";
        var wire = new Wire(Wire.Json(EntraCalls.Good()));
        TokenExchanger<BearerToken> takes = Targets.Entra(EntraCalls.Tenant, EntraCalls.Client, options => options.AcceptClaimsChallenges = true);
        (TokenExchanger<BearerToken> Entra, string Claims)[] refused =
        [
            (Targets.Entra(EntraCalls.Tenant, EntraCalls.Client), Claims), (takes, """{"access_token":{"xms_cc":{"values":["cp1"]}}}"""), (takes, "no json"), (takes, "[]"), (takes, $$"""{"a":"{{new string('x', 9000)}}"}"""),
        ];

        await takes.ExchangeAsync(EntraCalls.Request(wire, claims: Claims), default);

        Assert.That(wire.Requests.Single().Field("claims"), Is.EqualTo(Claims));
        foreach ((TokenExchanger<BearerToken> entra, string claims) in refused)
            Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => entra.ExchangeAsync(EntraCalls.Request(wire, claims: claims), default).AsTask())!.Code, Is.EqualTo(ErrorCodes.ClaimsRefused));
        Assert.That(wire.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task No_exchange_declares_a_capability()
    {
        var wire = new Wire(Wire.Json(EntraCalls.Good()));

        await EntraCalls.ExchangeAsync(wire, options => options.AcceptClaimsChallenges = true);

        Assert.That(wire.Requests.Single().Body, Does.Not.Contain("xms_cc").And.Not.Contain("cp1"));
    }

    [TestCase("https://login.microsoftonline.com", "api://AzureADTokenExchange")]
    [TestCase("https://login.microsoftonline.us/", "api://AzureADTokenExchangeUSGov")]
    [TestCase("https://login.partner.microsoftonline.cn", "api://AzureADTokenExchangeChina")]
    [TestCase("https://login.chinacloudapi.cn", "api://AzureADTokenExchangeChina")]
    [TestCase("https://localhost:8443", "api://AzureADTokenExchange")]
    public async Task Each_cloud_has_its_authority_and_its_audience(string host, string audience)
    {
        var wire = new Wire(Wire.Json(EntraCalls.Good()));
        TokenExchanger<BearerToken> entra = Targets.Entra(EntraCalls.Tenant, EntraCalls.Client, options => options.AuthorityHost = new Uri(host));

        await entra.ExchangeAsync(EntraCalls.Request(wire), default);

        Assert.That((entra.SubjectAudience.ToString(), entra.Issuer), Is.EqualTo((audience, new Uri($"{host.TrimEnd('/')}/{EntraCalls.Tenant}/v2.0"))));
        Assert.That(wire.Requests.Single().Uri, Is.EqualTo(new Uri($"{host.TrimEnd('/')}/{EntraCalls.Tenant}/oauth2/v2.0/token")));
    }

    [TestCase("common", EntraCalls.Client)]
    [TestCase("Organizations", EntraCalls.Client)]
    [TestCase("consumers", EntraCalls.Client)]
    [TestCase("00000000-0000-0000-0000-000000000000", EntraCalls.Client)]
    [TestCase("contoso", EntraCalls.Client)]
    [TestCase("contoso.example/evil", EntraCalls.Client)]
    [TestCase("-contoso.example", EntraCalls.Client)]
    [TestCase(EntraCalls.Tenant, "client")]
    [TestCase(EntraCalls.Tenant, "00000000-0000-0000-0000-000000000000")]
    public void Tenants_and_clients_that_are_none_are_refused_at_once(string tenant, string client) => Assert.That(() => Targets.Entra(tenant, client), Throws.ArgumentException);

    [Test]
    public void Options_out_of_their_range_are_refused_at_once()
    {
        Action<EntraOptions>[] wrong =
        [
            o => o.AuthorityHost = new Uri("http://localhost"), o => o.AuthorityHost = new Uri("https://login.example/tenant"), o => o.AuthorityHost = new Uri("https://u@login.example"), o => o.AllowedTenants.Add("common"),
            o => o.PropagationBudget = TimeSpan.FromMinutes(6), o => o.PropagationBudget = TimeSpan.FromSeconds(-1), o => o.UsableMargin = TimeSpan.FromMinutes(11), o => o.ExpectedSubject = "", o => o.SubjectAudience = "",
        ];

        foreach (Action<EntraOptions> configure in wrong)
            Assert.That(() => Targets.Entra(EntraCalls.Tenant, EntraCalls.Client, configure), Throws.InstanceOf<ArgumentException>());
    }

    [TestCase("https://storage.azure.com/.default", null)]
    [TestCase("https://database.windows.net//.default", null)]
    [TestCase("https://storage.azure.com/user_impersonation", "does not end in /.default")]
    [TestCase("https://storage.azure.com/.default/.default", "/.default twice")]
    [TestCase("/.default", "does not end in /.default")]
    [TestCase("https://a.example/.default https://b.example/.default", "are 2")]
    [TestCase("", "are none")]
    public void The_scopes_of_a_target_are_exactly_one_default(string scopes, string? flaw)
    {
        string? said = Targets.Entra(EntraCalls.Tenant, EntraCalls.Client).FlawOf(ScopeSet.Parse(scopes));

        Assert.That(said, flaw is null ? Is.Null : Does.Contain(flaw));
    }

    [Test]
    public async Task Nothing_can_be_revoked()
    {
        TokenExchanger<BearerToken> entra = Targets.Entra(EntraCalls.Tenant, EntraCalls.Client);
        var time = new ManualTimeProvider();

        Assert.That(await entra.RevokeAsync(new RevocationRequest<BearerToken> { Target = "lake", Credential = new BearerToken(Proofs.Token(), time.GetUtcNow().AddHours(1)), Backchannel = new Wire().Backchannel, Time = time }, default), Is.EqualTo(Revocation.NotSupported));
        Assert.That((entra.EndsWithSubjectToken, entra.IsPlatformIssued), Is.EqualTo((false, false)));
    }

    [Test]
    public async Task Msals_log_can_be_listened_to_by_tests_and_by_nobody_else()
    {
        var heard = new List<string>();

        await EntraCalls.ExchangeAsync(new Wire(Wire.Json(EntraCalls.Good())), options => options.ConfigureMsal = builder => builder.WithLogging((_, message, _) => heard.Add(message), LogLevel.Verbose, enablePiiLogging: true));

        Assert.That(heard, Is.Not.Empty);
        Assert.That(string.Join('\n', heard), Does.Not.Contain("tokencanary").And.Not.Contain(Proofs.Of()[..40]));
    }

    private sealed class Recorder(Action<HttpRequestMessage> see) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            see(request);
            return Task.FromResult(Wire.Json(EntraCalls.Good())(null!));
        }
    }
}
