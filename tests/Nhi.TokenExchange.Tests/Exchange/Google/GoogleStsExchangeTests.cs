using System.Text.Json;

namespace Nhi.TokenExchange.Tests.Exchange.Google;

/// <summary>An access token of Google Cloud for a proof: federation, service account, boundary. Whole jobs at the emulated services, which verify.</summary>
internal sealed class GoogleStsExchangeTests
{
    private const string ReadOnly = "https://www.googleapis.com/auth/devstorage.read_only";
    private const string Everything = "https://www.googleapis.com/auth/cloud-platform";
    private const string Orders = "//storage.googleapis.com/projects/_/buckets/orders";
    private const string Returns = "//storage.googleapis.com/projects/_/buckets/returns";

    [Test]
    public async Task A_proof_becomes_a_token_of_the_workload_itself_for_the_scopes_of_the_target([Values] bool narrow)
    {
        await using GoogleJob job = await GoogleJob.StartAsync(target: t => t.Scopes = narrow ? ScopeSet.Of(ReadOnly) : default);

        BearerToken token = await job.Archive.GetAsync();

        LedgerIssue issue = job.Issued.Single();
        Assert.That((issue.Fingerprint, issue.Scope, issue.AccessBoundary), Is.EqualTo((token.Fingerprint, narrow ? ReadOnly : Everything, (string?)null)));
        Assert.That(issue.Subject, Is.EqualTo($"principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/jobs/subject/{job.Identity.Subject}"));
        Assert.That((token.ExpiresAt - issue.IssuedAt).TotalMinutes, Is.InRange(59, 60.1));
        Assert.That(job.Requests(EmulatorEndpoint.GoogleIam), Is.Zero);
    }

    [Test]
    public async Task A_service_accounts_token_is_for_the_targets_scopes_and_the_workloads_own_for_nothing_but_that()
    {
        await using GoogleJob job = await GoogleJob.StartAsync(options: o => o.ServiceAccount = GoogleJob.Account, target: t => (t.Scopes, t.MaxLifetime) = (ScopeSet.Of(ReadOnly), TimeSpan.FromMinutes(10)));
        job.Emulator.Google.AddServiceAccount(GoogleJob.Account, job.Identity.Subject);

        BearerToken token = await job.Archive.GetAsync();

        Assert.That(job.Issued.Select(issue => issue.Scope), Is.EqualTo(new[] { "https://www.googleapis.com/auth/iam", ReadOnly }));
        Assert.That((job.Issued[1].Subject, job.Issued[1].Fingerprint), Is.EqualTo(($"serviceAccount:{GoogleJob.Account}", token.Fingerprint)));
        Assert.That((token.ExpiresAt - job.Issued[1].IssuedAt).TotalMinutes, Is.InRange(9.9, 10.1), "the life that was asked for");
    }

    [Test]
    public async Task Delegates_stand_between_the_workload_and_the_service_account()
    {
        await using GoogleJob job = await GoogleJob.StartAsync(options: o =>
        {
            o.ServiceAccount = GoogleJob.Account;
            o.Delegates.Add("gate@my-project.iam.gserviceaccount.com");
        });
        job.Emulator.Google.AddServiceAccount("gate@my-project.iam.gserviceaccount.com", job.Identity.Subject);
        job.Emulator.Google.AddServiceAccount(GoogleJob.Account).TokenCreators.Add("gate@my-project.iam.gserviceaccount.com");

        await job.Archive.GetAsync();

        Assert.That(job.Issued[^1].Subject, Is.EqualTo($"serviceAccount:{GoogleJob.Account}"));
    }

    [Test]
    public async Task Resources_become_an_access_boundary_and_the_token_ends_with_its_source([Values] bool account)
    {
        await using GoogleJob job = await GoogleJob.StartAsync(
            options: o =>
            {
                o.ServiceAccount = account ? GoogleJob.Account : null;
                o.Resources.Add(Orders);
                o.Permissions.Add("inRole:roles/storage.objectViewer");
            },
            target: t => t.MaxLifetime = TimeSpan.FromMinutes(10));
        job.Emulator.Google.AddServiceAccount(GoogleJob.Account, job.Identity.Subject);

        BearerToken token = await job.Archive.GetAsync();

        LedgerIssue last = job.Issued[^1];
        Assert.That((job.Issued.Count, last.Fingerprint), Is.EqualTo((account ? 3 : 2, token.Fingerprint)));
        Assert.That(last.AccessBoundary, Is.EqualTo("{\"accessBoundary\":{\"accessBoundaryRules\":[{\"availableResource\":\"" + Orders + "\",\"availablePermissions\":[\"inRole:roles/storage.objectViewer\"]}]}}"));
        Assert.That(token.ExpiresAt, Is.LessThanOrEqualTo(job.Issued[^2].EndsAt.AddSeconds(1)));
    }

    [Test]
    public async Task A_policy_narrows_scopes_and_buckets_and_denies_what_has_no_place()
    {
        var policy = new TestPolicy { Decide = _ => AccessDecision.Permit("less", ScopeSet.Of(ReadOnly), resources: [Returns]) };
        await using GoogleJob job = await GoogleJob.StartAsync(
            options: o =>
            {
                o.Resources.Add(Orders);
                o.Resources.Add(Returns);
                o.Permissions.Add("inRole:roles/storage.objectViewer");
            },
            target: t => t.Scopes = ScopeSet.Of(ReadOnly, Everything), more: b => b.Policy(policy));

        await job.Archive.GetAsync();
        Assert.That((job.Issued[0].Scope, job.Issued[1].Audience), Is.EqualTo((ReadOnly, new[] { Returns })));

        policy.Change("2", _ => AccessDecision.Permit("d", authorizationDetails: """[{"type":"gcs"}]"""));
        Assert.That(() => job.Archive.GetAsync().AsTask(), Throws.TypeOf<AccessDeniedException>());
        policy.Change("3", _ => AccessDecision.Permit("o", resources: ["//storage.googleapis.com/projects/_/buckets/others"]));
        Assert.That(() => job.Archive.GetAsync().AsTask(), Throws.TypeOf<AccessDeniedException>());
        Assert.That(job.Issued, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task The_form_has_what_Googles_clients_send_and_no_Authorization_header()
    {
        await using var google = ScriptedIssuer.InOrder(ScriptedAnswer.Json(WireSamples.Answer()), ScriptedAnswer.Json($$"""{"access_token":"{{WireSamples.TokenCanary}}-2","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer"}"""));
        using HttpMessageInvoker channel = WireSamples.Backchannel(TimeProvider.System);
        TokenExchanger<BearerToken> sts = Targets.GoogleSts("//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/jobs/providers/github", o =>
        {
            o.StsEndpoint = google.Uri;
            o.Resources.Add(Orders);
            o.Permissions.Add("inRole:roles/storage.objectViewer");
        });

        Issued<BearerToken> issued = await sts.ExchangeAsync(WireSamples.Request(channel, TimeProvider.System, null, ReadOnly), default);

        ReceivedRequest first = google.Requests[0], second = google.Requests[1];
        Assert.That(google.Requests.Select(request => (request.Method, request.Path)), Is.All.EqualTo(("POST", "/v1/token")));
        Assert.That(google.Requests.SelectMany(request => request.Headers.Keys), Has.No.Member("Authorization"));
        Assert.That(first.Form, Is.EqualTo(new[]
        {
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("audience", "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/jobs/providers/github"),
            ("subject_token", WireSamples.Proof), ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"), ("scope", ReadOnly),
        }));
        Assert.That(second.Form.Select(field => field.Name), Is.EqualTo(new[] { "grant_type", "requested_token_type", "subject_token_type", "subject_token", "options" }));
        Assert.That(Uri.UnescapeDataString(second.Field("options")!), Does.StartWith("{\"accessBoundary\":"));
        Assert.That((issued.Flaw, issued.EndIsAssumed, issued.Credential.ExpiresAt > TimeProvider.System.GetUtcNow().AddMinutes(58)), Is.EqualTo(((TokenExchangeException?)null, false, true)), "no life said: that of its source");
    }

    [TestCase("urn:ietf:params:oauth:token-type:id_token", "urn:ietf:params:oauth:token-type:id_token")]
    [TestCase("urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:jwt")]
    [TestCase("urn:ietf:params:oauth:token-type:access_token", "urn:ietf:params:oauth:token-type:jwt")]
    public async Task A_proof_is_an_ID_token_or_else_a_JWT_and_who_names_no_scope_asks_for_all(string type, string sent)
    {
        var google = new GoogleWire(GoogleWire.Federated());

        await google.AskAsync(type: new SubjectTokenType(type));

        Assert.That((google.Asked[0].Field("subject_token_type"), google.Asked[0].Field("scope")), Is.EqualTo((sent, Everything)));
    }

    [TestCase("\"expires_in\":1800", 30)]
    [TestCase("\"expires_in\":3600", 60)]
    [TestCase("\"expires_in\":3601", 60)]
    [TestCase("\"expires_in\":null", 60)]
    public async Task What_has_a_boundary_ends_no_later_than_its_source_and_all_else_is_as_it_was_said(string life, double minutes)
    {
        Issued<BearerToken> issued = await BoundAsync(GoogleWire.Federated(), GoogleWire.Token("words-of-the-boundary", "Bearer", $"{life},\"scope\":\"{ReadOnly}\"", ("x-request-id", "of-the-boundary")));
        Issued<BearerToken> flawed = await BoundAsync(GoogleWire.Federated(), GoogleWire.Token("words-of-the-boundary", "MAC", life));

        Assert.That((issued.Credential.Reveal(), issued.Credential.ExpiresAt, issued.EndIsAssumed), Is.EqualTo(("words-of-the-boundary", GoogleWire.Now.AddMinutes(minutes), false)));
        Assert.That((issued.GrantedScopes, issued.CorrelationId, issued.Flaw), Is.EqualTo(((ScopeSet?)ScopeSet.Of(ReadOnly), "of-the-boundary", (TokenExchangeException?)null)));
        Assert.That((flawed.Flaw?.Code, flawed.Credential.ExpiresAt), Is.EqualTo(("NHI5002", GoogleWire.Now.AddMinutes(minutes))), "to be told of, and not handed out");
    }

    [Test]
    public async Task A_token_with_a_flaw_gets_no_boundary_and_is_swapped_for_no_service_accounts()
    {
        var google = new GoogleWire(GoogleWire.Federated("MAC"));

        Issued<BearerToken> issued = await google.AskAsync(o =>
        {
            o.ServiceAccount = GoogleJob.Account;
            Bound(o);
        });

        Assert.That((google.Asked.Count, issued.Flaw?.Code, issued.Credential.Reveal()), Is.EqualTo((1, "NHI5002", GoogleWire.Workload)));
    }

    private static Task<Issued<BearerToken>> BoundAsync(params HttpResponseMessage[] answers) => new GoogleWire(answers).AskAsync(Bound);

    private static void Bound(GoogleStsOptions options)
    {
        options.Resources.Add(Orders);
        options.Permissions.Add("inRole:roles/storage.objectViewer");
    }

    [TestCase(1800)]
    [TestCase(7200)]
    public async Task A_token_that_says_that_it_is_for_more_than_a_policy_left_is_not_handed_out_however_long_it_lives(int seconds)
    {
        string wider = WireSamples.Jwt($$"""{"aud":["{{Orders}}","{{Returns}}"]}""");
        await using var google = ScriptedIssuer.InOrder(
            ScriptedAnswer.Json(WireSamples.Answer()),
            ScriptedAnswer.Json($$"""{"access_token":"{{wider}}","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":{{seconds}}}"""));
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload)
            .Target("archive", Targets.GoogleSts(GoogleWire.Provider, o =>
            {
                o.StsEndpoint = google.Uri;
                o.Resources.Add(Returns);
                Bound(o);
            }), "job", ReadOnly)
            .Policy(new TestPolicy { Decide = _ => AccessDecision.Permit("less", ScopeSet.Of(ReadOnly), resources: [Returns]) }).EndOnSignals(false));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<BearerToken>("archive").GetAsync().AsTask())!;

        Assert.That((refused.Code, google.Requests.Count), Is.EqualTo(("NHI5005", 2)), refused.Message);
    }

    [Test]
    public async Task A_boundary_that_brings_back_what_the_service_account_was_asked_with_is_none()
    {
        string workload = $"{WireSamples.TokenCanary}-1";
        await using var google = ScriptedIssuer.InOrder(
            ScriptedAnswer.Json(WireSamples.Answer(token: workload)),
            ScriptedAnswer.Json($$"""{"accessToken":"{{WireSamples.TokenCanary}}-2","expireTime":"{{TimeProvider.System.GetUtcNow().AddMinutes(30):O}}"}"""),
            ScriptedAnswer.Json(WireSamples.Answer(token: workload)));
        using HttpMessageInvoker channel = WireSamples.Backchannel(TimeProvider.System);
        TokenExchanger<BearerToken> sts = Targets.GoogleSts(GoogleWire.Provider, o =>
        {
            (o.StsEndpoint, o.IamEndpoint, o.ServiceAccount) = (google.Uri, google.Uri, GoogleJob.Account);
            Bound(o);
        });

        Issued<BearerToken> issued = await sts.ExchangeAsync(WireSamples.Request(channel, TimeProvider.System, null, ReadOnly), default);

        Assert.That((issued.Flaw?.Code, google.Requests.Count), Is.EqualTo(("NHI5006", 3)));
    }

    [TestCase(true, true)]
    [TestCase(true, false)]
    [TestCase(false, true)]
    [TestCase(false, false)]
    public async Task A_step_that_brings_back_the_proof_or_the_token_of_the_step_before_is_none(bool isAccount, bool isProof)
    {
        string first = $"{WireSamples.TokenCanary}-1", back = isProof ? WireSamples.Proof : first;
        await using var google = ScriptedIssuer.InOrder(
            ScriptedAnswer.Json(WireSamples.Answer(token: first)),
            ScriptedAnswer.Json(isAccount ? $$"""{"accessToken":"{{back}}","expireTime":"{{TimeProvider.System.GetUtcNow().AddMinutes(30):O}}"}""" : WireSamples.Answer(token: back)));
        using HttpMessageInvoker channel = WireSamples.Backchannel(TimeProvider.System);
        TokenExchanger<BearerToken> sts = Targets.GoogleSts("//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/jobs/providers/github", o =>
        {
            (o.StsEndpoint, o.IamEndpoint) = (google.Uri, google.Uri);
            if (isAccount)
            {
                o.ServiceAccount = GoogleJob.Account;
                return;
            }
            o.Resources.Add(Orders);
            o.Permissions.Add("inRole:roles/storage.objectViewer");
        });

        Issued<BearerToken> issued = await sts.ExchangeAsync(WireSamples.Request(channel, TimeProvider.System, null, ReadOnly), default);

        Assert.That((issued.Flaw?.Code, issued.Flaw?.Stage), Is.EqualTo(("NHI5006", (ExchangeStage?)ExchangeStage.Verify)));
        Assert.That(Canary.FindIn(issued.Flaw!.ToString(), WireSamples.TokenCanary), Is.Empty);
    }

    [Test]
    public async Task At_the_jobs_end_it_is_told_of_as_what_can_not_be_revoked_with_its_end()
    {
        await using GoogleJob job = await GoogleJob.StartAsync();
        BearerToken token = await job.Archive.GetAsync();

        LeaseOutcome lease = (await job.Session.CompleteAsync()).Leases.Single();

        Assert.That((lease.End, lease.DiesAt), Is.EqualTo((LeaseEnd.CannotBeRevoked, (DateTimeOffset?)token.ExpiresAt)));
        Assert.That(job.Audit.Events.First(e => e.Exposure is not null).Exposure!.ReusableAfterJob.IsYes, Is.True);
    }

    [Test]
    public async Task Neither_log_nor_audit_nor_error_shows_a_token_of_any_step()
    {
        using var log = new LoggedText();
        await using GoogleJob job = await GoogleJob.StartAsync(options: o => o.ServiceAccount = GoogleJob.Account, more: b => b.Logging(log));
        job.Emulator.Google.AddServiceAccount(GoogleJob.Account, job.Identity.Subject);
        BearerToken token = await job.Archive.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.GoogleIam, Fault.Google(403, "PERMISSION_DENIED", $"{token.Reveal()} may not"));
        job.Archive.Reject(token);
        TokenExchangeException refused = job.Refused();

        string said = string.Join('\n', log.Text, job.Audit.Text, refused, await job.Session.CompleteAsync(), JsonSerializer.Serialize(token));
        Assert.That(said, Does.Contain(token.Fingerprint));
        Assert.That(Canary.FindIn(said, token.Reveal()), Is.Empty);
        Assert.That(said, Does.Not.Contain(job.Emulator.Canaries.Google).And.Not.Contain(job.Emulator.Canaries.Proof));
    }
}
