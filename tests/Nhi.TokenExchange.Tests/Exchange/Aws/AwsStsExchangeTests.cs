using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Nhi.TokenExchange.Tests.Http;
using Nhi.TokenExchange.Tests.Policy;

namespace Nhi.TokenExchange.Tests.Exchange.Aws;

/// <summary>A session of a role for a proof: what STS is asked for, what is handed out, how it ends. Whole jobs at the emulated STS, which verifies.</summary>
internal sealed class AwsStsExchangeTests
{
    private const string Orders = "arn:aws:s3:::orders/*";
    private const string Returns = "arn:aws:s3:::returns/*";

    [Test]
    public async Task A_proof_becomes_a_session_that_is_named_for_the_job_and_lives_as_long_as_asked()
    {
        await using AwsJob job = await AwsJob.StartAsync(target: t => t.MaxLifetime = TimeSpan.FromMinutes(40));
        DateTimeOffset before = TimeProvider.System.GetUtcNow();

        AwsSessionCredentials session = await job.Archive.GetAsync();

        LedgerIssue issue = job.Emulator.Ledger.Issued.Single();
        Assert.That((issue.Fingerprint, issue.ClientId, issue.Subject), Is.EqualTo((session.Fingerprint, job.Role.Arn, "arn:aws:sts::123456789012:assumed-role/orders-loader/orders-nightly-17")));
        Assert.That((issue.SessionPolicy, issue.Audience.Count), Is.EqualTo(((string?)null, 0)));
        Assert.That(session.AccessKeyId, Does.StartWith("ASIA"));
        Assert.That(session.AssumedRoleId, Does.StartWith("AROA").And.EndsWith(":orders-nightly-17"));
        Assert.That(session.RevealSecretAccessKey(), Does.StartWith(job.Emulator.Canaries.Aws));
        Assert.That(session.RevealSessionToken(), Does.Contain(job.Emulator.Canaries.Aws));
        Assert.That((session.ExpiresAt - before).TotalMinutes, Is.InRange(39.9, 41.0));
        Assert.That(await job.Archive.GetAsync(), Is.SameAs(session));
        Assert.That(job.Exchanges, Is.EqualTo(1));
    }

    [Test]
    public async Task Scopes_are_the_actions_and_resources_the_resources_of_the_session_policy()
    {
        await using AwsJob job = await AwsJob.StartAsync(options: o => o.Resources.Add(Orders), target: t => t.Scopes = ScopeSet.Of("s3:GetObject", "s3:PutObject"));

        await job.Archive.GetAsync();
        await job.Archive.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of("s3:GetObject") });

        Assert.That(job.Emulator.Ledger.Issued.Select(issue => issue.SessionPolicy), Is.EqualTo(new[]
        {
            $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":["{{Orders}}"]}]}""",
            $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["{{Orders}}"]}]}""",
        }));
    }

    [Test]
    public async Task What_a_policy_leaves_is_what_the_session_policy_says()
    {
        var policy = new TestPolicy { Decide = _ => AccessDecision.Permit("less", ScopeSet.Of("s3:GetObject"), resources: [Orders]) };
        await using AwsJob job = await AwsJob.StartAsync(
            options: o =>
            {
                o.Resources.Add(Orders);
                o.Resources.Add(Returns);
            },
            target: t => t.Scopes = ScopeSet.Of("s3:GetObject", "s3:PutObject"), more: b => b.Policy(policy));

        await job.Archive.GetAsync();

        Assert.That(job.Emulator.Ledger.Issued.Single().SessionPolicy, Is.EqualTo($$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["{{Orders}}"]}]}"""));
        Assert.That(job.Audit.Events.Single(e => e.Kind == AuditEventKind.Issued).Resources, Is.EqualTo(new[] { Orders }));
    }

    [Test]
    public async Task A_policy_narrows_a_target_that_names_nothing_and_denies_what_has_no_place()
    {
        var policy = new TestPolicy { Decide = _ => AccessDecision.Permit("less", ScopeSet.Of("s3:GetObject")) };
        await using AwsJob job = await AwsJob.StartAsync(more: b => b.Policy(policy));
        await job.Archive.GetAsync();
        Assert.That(job.Emulator.Ledger.Issued.Single().SessionPolicy, Is.EqualTo("""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":["*"]}]}"""));

        foreach (AccessDecision decision in new[] { AccessDecision.Permit("r", resources: [Orders]), AccessDecision.Permit("d", authorizationDetails: """[{"type":"s3"}]"""), AccessDecision.Permit("s", ScopeSet.Of("read")) })
        {
            policy.Change(decision.Rule, _ => decision);
            Assert.That(() => job.Archive.GetAsync().AsTask(), Throws.TypeOf<AccessDeniedException>(), decision.Rule);
        }
        Assert.That(job.Emulator.Ledger.Issued, Has.Count.EqualTo(1));
    }

    [TestCase(null)]
    [TestCase("resources")]
    [TestCase("arns")]
    [TestCase("whole")]
    public async Task A_target_that_names_no_actions_asks_for_all_of_them_and_a_forbid_of_one_stops_it(string? has)
    {
        var policy = new TestPolicy();
        await using AwsJob job = await AwsJob.StartAsync(
            options: o =>
            {
                if (has == "resources")
                    o.Resources.Add(Orders);
                else if (has == "arns")
                    o.PolicyArns.Add("arn:aws:iam::aws:policy/ReadOnlyAccess");
                else if (has == "whole")
                    o.SessionPolicy = """{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}""";
            },
            more: b => b.Policy(policy));
        await job.Archive.GetAsync();
        Assert.That(job.Audit.Events.Single(e => e.Kind == AuditEventKind.Permitted).Scopes, Is.EqualTo(ScopeSet.Of("*")));
        Assert.That(job.Emulator.Ledger.Issued.Single().SessionPolicy, Is.EqualTo(has switch
        {
            "resources" => $$"""{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["*"],"Resource":["{{Orders}}"]}]}""",
            "whole" => """{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}""",
            _ => null,   // beside the managed policies one of ours would lift their limits
        }));

        PolicyDocument document = Policies.Of(Policies.Permit("all", """{ "target": "archive" }"""), Policies.Forbid("no-deletes", """{ "scopes": { "anyOf": [ "s3:DeleteObject" ] } }"""));
        policy.Change("2", document.Decide);

        Assert.That(() => job.Archive.GetAsync().AsTask(), Throws.TypeOf<AccessDeniedException>().With.Message.Contains("'no-deletes'"));
    }

    [Test]
    public async Task A_whole_session_policy_goes_as_it_is_without_white_space_and_no_policy_of_ours_widens_or_narrows_it()
    {
        var policy = new TestPolicy();
        await using AwsJob job = await AwsJob.StartAsync(
            options: o =>
            {
                o.SessionPolicy = """{ "Version": "2012-10-17", "Statement": { "Effect": "Deny", "Action": "s3:Delete*", "Resource": "*" } }""";
                o.PolicyArns.Add("arn:aws:iam::aws:policy/ReadOnlyAccess");
                o.SessionName = "by.hand@1";
            },
            more: b => b.Policy(policy));

        await job.Archive.GetAsync();
        policy.Change("2", _ => AccessDecision.Permit("less", ScopeSet.Of("s3:GetObject")));

        LedgerIssue issue = job.Emulator.Ledger.Issued.Single();
        Assert.That(issue.SessionPolicy, Is.EqualTo("""{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}}"""));
        Assert.That(issue.Audience, Is.EqualTo(new[] { "arn:aws:iam::aws:policy/ReadOnlyAccess" }));
        Assert.That(issue.Subject, Does.EndWith("/by.hand@1"));
        Assert.That(() => job.Archive.GetAsync().AsTask(), Throws.TypeOf<AccessDeniedException>().With.Message.Contains("beside SessionPolicy"));
    }

    [TestCase(1, 900)]
    [TestCase(15, 900)]
    [TestCase(16, 960)]
    [TestCase(720, 43200)]
    public async Task STS_is_asked_for_the_hand_out_within_what_it_gives(int minutes, int seconds)
    {
        await using AwsJob job = await AwsJob.StartAsync(target: t => t.MaxLifetime = TimeSpan.FromMinutes(minutes));
        job.Role.MaxSessionDuration = TimeSpan.FromHours(12);

        AwsSessionCredentials session = await job.Archive.GetAsync();

        LedgerIssue issue = job.Emulator.Ledger.Issued.Single();
        Assert.That((issue.EndsAt - issue.IssuedAt).TotalSeconds, Is.InRange(seconds - 1, seconds));
        Assert.That((session.UnusableFrom - issue.IssuedAt).TotalMinutes, Is.LessThanOrEqualTo(minutes + 0.1), "handed out no longer than the target says");
    }

    [Test]
    public async Task An_end_by_a_clock_ahead_of_ours_is_cut_to_what_was_asked_for()
    {
        var time = new SkippingTime();
        string end = (time.GetUtcNow() + TimeSpan.FromMinutes(75)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        await using var sts = new ScriptedIssuer(ScriptedAnswer.Text(AwsStsAnswerTests.Answer(expiration: end), "text/xml"));
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);

        Issued<AwsSessionCredentials> issued = await AwsStsAnswerTests.At(sts.Uri).ExchangeAsync(WireSamples.Request(channel, time), default);

        Assert.That((issued.Credential.ExpiresAt - time.GetUtcNow(), issued.Flaw), Is.EqualTo((TimeSpan.FromHours(1), (TokenExchangeException?)null)));
    }

    [Test]
    public async Task At_the_jobs_end_it_is_told_of_as_what_can_not_be_revoked_with_its_end()
    {
        await using AwsJob job = await AwsJob.StartAsync();
        AwsSessionCredentials session = await job.Archive.GetAsync();

        JobReport report = await job.Session.CompleteAsync();

        LeaseOutcome lease = report.Leases.Single();
        Assert.That((lease.End, lease.DiesAt, lease.Fingerprint), Is.EqualTo((LeaseEnd.CannotBeRevoked, (DateTimeOffset?)session.ExpiresAt, session.Fingerprint)));
        Assert.That((job.Exchanges, lease.Handle), Is.EqualTo((1, session.AccessKeyId)), "nobody was asked to revoke; CloudTrail knows it by its key");
        Assert.That(job.Audit.Events.Single(e => e.Kind == AuditEventKind.Issued).CorrelationId, Is.EqualTo(job.Emulator.Ledger.Issued.Single().RequestId));
        CredentialExposure exposure = job.Audit.Events.First(e => e.Exposure is not null).Exposure!;
        Assert.That((exposure.ReusableAfterJob.IsYes, exposure.VisibleToOperators.IsYes), Is.EqualTo((true, false)));
    }

    [Test]
    public async Task A_proof_goes_without_any_other_credential_and_in_the_form_alone()
    {
        await using var sts = new ScriptedIssuer(ScriptedAnswer.Text(AwsStsAnswerTests.Answer(), "text/xml"));
        using HttpMessageInvoker channel = WireSamples.Backchannel();

        await AwsStsAnswerTests.At(sts.Uri).ExchangeAsync(WireSamples.Request(channel), default);

        ReceivedRequest sent = sts.Requests.Single();
        Assert.That((sent.Method, sent.Path, sent.Headers["Accept"]), Is.EqualTo(("POST", "/", "text/xml")));
        Assert.That(sent.Headers.Keys.Where(name => name.Equals("Authorization", StringComparison.OrdinalIgnoreCase) || name.StartsWith("X-Amz", StringComparison.OrdinalIgnoreCase)), Is.Empty);
        Assert.That(sent.Form, Is.EqualTo(new[]
        {
            ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"), ("RoleArn", AwsStsAnswerTests.Role), ("RoleSessionName", "nhi-job"), ("DurationSeconds", "3600"), ("WebIdentityToken", WireSamples.Proof),
        }));
    }

    [Test]
    public async Task Each_managed_policy_and_the_whole_session_policy_are_fields_of_the_form_whatever_the_scopes_are()
    {
        string[] arns = [.. Enumerable.Range(1, 10).Select(n => $"arn:aws:iam::aws:policy/P{n}")];
        foreach (string[] scopes in new string[][] { [], ["*"], ["s3:GetObject"] })
        {
            Wire sts = Wire.Always(HttpStatusCode.OK, AwsStsAnswerTests.Answer());
            await AwsStsAnswerTests.AskAsync(sts, channel => WireSamples.Request(channel, scopes: scopes), o =>
            {
                o.SessionPolicy = """{"Statement":[]}""";
                Array.ForEach(arns, o.PolicyArns.Add);
            });

            var sent = new ReceivedRequest("POST", "/", new Dictionary<string, string>(), sts.Bodies.Single());
            Assert.That(sent.Field("Policy"), Is.EqualTo("""{"Statement":[]}"""));
            Assert.That(sent.Form.Where(field => field.Name.StartsWith("PolicyArns", StringComparison.Ordinal)), Is.EqualTo(arns.Index().Select(arn => ($"PolicyArns.member.{arn.Index + 1}.arn", arn.Item))));
        }
    }

    [TestCase("actor", "NHI4008", "The target names an actor; AWS STS takes none.", "Leave the actor out.")]
    [TestCase("tenant", "NHI4016", "A tenant or the claims of a challenge were asked for; this issuer knows neither.", "Ask without tenant and claims, or use an exchanger that knows them.")]
    [TestCase("claims", "NHI4017", "A tenant or the claims of a challenge were asked for; this issuer knows neither.", "Ask without tenant and claims, or use an exchanger that knows them.")]
    public void What_STS_has_no_word_for_is_refused_before_anything_is_sent(string what, string code, string said, string hint)
    {
        Wire sts = Wire.Always(HttpStatusCode.OK, AwsStsAnswerTests.Answer());

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => AwsStsAnswerTests.AskAsync(sts, channel => new ExchangeRequest
        {
            Target = "archive", Subject = new SubjectToken(WireSamples.Proof, SubjectTokenType.Jwt), MaxLifetime = TimeSpan.FromHours(1), Job = new JobContext(), Backchannel = channel,
            Actor = what == "actor" ? new SubjectToken(WireSamples.Proof, SubjectTokenType.Jwt) : null, Tenant = what == "tenant" ? "t" : null, Claims = what == "claims" ? "{}" : null,
        }))!;

        Assert.That((refused.Code, refused.Stage, refused.Detail, refused.Hint, refused.IsTransient), Is.EqualTo((code, ExchangeStage.Exchange, said, hint, false)));
        Assert.That(sts.Bodies, Is.Empty);
    }

    [Test]
    public async Task Session_tags_of_the_proof_are_let_in_by_a_trust_that_allows_them([Values] bool allows, [Values] bool flat)
    {
        await using AwsJob job = await AwsJob.StartAsync(proof: claims =>
        {
            if (flat)
                claims.Payload["https://aws.amazon.com/tags/principal_tags/dataset"] = "orders";
            else
                claims.Payload["https://aws.amazon.com/tags"] = JsonNode.Parse("""{"principal_tags":{"dataset":["orders"]}}""");
        });
        job.Role.AllowsTagging = allows;

        if (allows)
        {
            await job.Archive.GetAsync();
            return;
        }
        Assert.That(job.Refused().Message, Does.Contain("sts:TagSession (the proof has session tags)").And.Contain("[\"sts:AssumeRoleWithWebIdentity\",\"sts:TagSession\"]"));
        Assert.That(job.Emulator.Ledger.Refusals.Single().Reason, Is.EqualTo("tagging"));
    }

    [Test]
    public async Task Neither_log_nor_audit_nor_report_nor_error_shows_a_key_or_a_token()
    {
        using var log = new LoggedText();
        await using AwsJob job = await AwsJob.StartAsync(more: b => b.Logging(log));
        AwsSessionCredentials session = await job.Archive.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.AwsSts, Fault.Aws("ValidationError", message: $"{session.RevealSessionToken()} and {session.RevealSecretAccessKey()}"));
        job.Archive.Reject(session);
        TokenExchangeException refused = job.Refused();
        JobReport report = await job.Session.CompleteAsync();

        string said = string.Join('\n', log.Text, job.Audit.Text, report, string.Join('\n', report.Leases), refused, session, JsonSerializer.Serialize(session));
        Assert.That(said, Does.Contain(session.Fingerprint));
        Assert.That(Canary.FindIn(said, session.RevealSessionToken()), Is.Empty);
        Assert.That(Canary.FindIn(said, session.RevealSecretAccessKey()), Is.Empty);
    }
}
