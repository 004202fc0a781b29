using System.Text.Json;

namespace Nhi.TokenExchange.Tests;

/// <summary>What a job really tells its audit, written as a trail and read as an auditor does: both clocks, the session, asked and granted, from proof to end.</summary>
internal sealed class AuditedJobTests : AuditTrailFixture
{
    [Test]
    public async Task A_whole_job_makes_a_trail_that_verifies_and_tells_its_story()
    {
        await using TestJob job = await TestJob.StartAsync();
        await job.Warehouse.GetAsync();
        job.Time.Advance(TimeSpan.FromSeconds(5));
        await job.Session.CompleteAsync();

        AuditTrail trail = Verify(job, out AuditSummary summary, out string story);

        Assert.That((trail.IsIntact, trail.Chains[0].IsEnded, trail.OpenIntents.Count), Is.EqualTo((true, true, 0)), trail.ToString());
        Assert.That(summary.NotEnded, Is.Empty);
        Assert.That(summary.Rules.Single().Grants, Is.EqualTo(1));
        Assert.That((summary.Lives.Single().Grants, summary.Lives.Single().HandedOutBeyond), Is.EqualTo((1L, 0L)));
        Assert.That(summary.Identities.Single().Pipelines, Is.EqualTo(new[] { "orders-nightly" }));
        Assert.That(story.Split(Environment.NewLine)[1..^1].Select(line => line.Split(' ')[4].TrimEnd(':')), Is.EqualTo(new[] { "attested", "permitted", "exchanging", "issued", "revoked" }));
        Assert.That(story, Does.Contain("+00:00:00.000 warehouse attested").And.Contains("+00:00:05.000 warehouse revoked"));
    }

    [Test]
    public async Task Each_event_has_both_clocks_and_the_session_of_its_flight()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Time.Advance(TimeSpan.FromSeconds(7));
        await job.Warehouse.GetAsync();
        job.Time.Advance(TimeSpan.FromSeconds(5));
        await job.Session.RevokeAsync("a test");

        Assert.That(job.Audit.Events.Select(one => one.Elapsed.TotalSeconds), Is.EqualTo(new[] { 7.0, 7, 7, 7, 12, 12 }));
        Assert.That(job.Audit.Events.Select(one => one.At - one.Elapsed).Distinct().Count(), Is.EqualTo(1), "the clocks went together");
        Assert.That(job.Audit.Events.Select(one => one.SessionId).Distinct().Single(), Is.Not.EqualTo(Guid.Empty));
        Assert.That(job.Audit.Events.Where(one => one.FlightId != Guid.Empty).Select(one => one.FlightId.ToString("N")[..16]), Is.All.EqualTo(job.Audit.Events[0].SessionId.ToString("N")[..16]));
    }

    [Test]
    public async Task Two_sessions_are_told_apart()
    {
        await using TestJob one = await TestJob.StartAsync();
        await using TestJob other = await TestJob.StartAsync();
        await one.Warehouse.GetAsync();
        await other.Warehouse.GetAsync();

        Assert.That(one.Audit.Events[0].SessionId, Is.Not.EqualTo(other.Audit.Events[0].SessionId));
    }

    [Test]
    public async Task What_was_granted_stands_beside_what_was_asked_for_and_the_longest_hand_out_that_is_allowed()
    {
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Answer = _ => new Issued<BearerToken>(issuer.NewToken()) { GrantedScopes = ScopeSet.Of("read") }, target => target.MaxLifetime = TimeSpan.FromMinutes(30));
        await job.Warehouse.GetAsync();

        AuditEvent issued = job.Audit.Events.Single(one => one.Kind == AuditEventKind.Issued);
        Assert.That((issued.AskedScopes, issued.Scopes, issued.MaxLifetime), Is.EqualTo((ScopeSet.Of("read", "write"), ScopeSet.Of("read"), TimeSpan.FromMinutes(30))));
        Assert.That(job.Audit.Events.Single(one => one.Kind == AuditEventKind.Exchanging).MaxLifetime, Is.EqualTo(TimeSpan.FromMinutes(30)));
    }

    [Test]
    public async Task A_permit_says_what_was_requested_beside_what_the_policy_left_of_it()
    {
        await using TestJob job = await TestJob.StartAsync();
        job.Policy.Change("2", _ => AccessDecision.Permit("readers", ScopeSet.Of("read")));
        await job.Warehouse.GetAsync();

        AuditEvent permitted = job.Audit.Events.Single(one => one.Kind == AuditEventKind.Permitted);
        Assert.That((permitted.RequestedScopes, permitted.Scopes), Is.EqualTo((ScopeSet.Of("read", "write"), ScopeSet.Of("read"))));
        Assert.That(job.Audit.Events.Where(one => one.Kind != AuditEventKind.Permitted).Select(one => one.RequestedScopes.IsEmpty), Is.All.True);
    }

    [Test]
    public async Task Each_event_says_which_process_of_which_machine_tells_it()
    {
        await using TestJob job = await TestJob.StartAsync();
        await job.Warehouse.GetAsync();
        await job.Session.CompleteAsync();

        Assert.That(job.Audit.Events.Select(one => (one.ProcessId, one.Host)), Is.All.EqualTo(((int?)Environment.ProcessId, Environment.MachineName)).And.Exactly(5).Items);
    }

    [Test]
    public async Task A_hop_is_no_identity_and_through_it_the_workload_s_own_is_told()
    {
        var audits = new List<TestJob>();
        for (int pipeline = 0; pipeline < 2; pipeline++)
        {
            string name = $"pipeline-{pipeline}";
            TestJob job = await TestJob.StartAsync(source: Source(name), target: t => (t.Identity, t.Through) = (null, "entra"), more: b => b.Job(new JobContext { Pipeline = name }).Target("entra", new TestExchanger(TimeProvider.System), "job"));
            audits.Add(job);
            await job.Warehouse.GetAsync();
            await job.Session.CompleteAsync();
            AuditEvent[] ofTarget = [.. job.Audit.Events.Where(one => one.Target == "warehouse" && one.Kind != AuditEventKind.Failed)];
            Assert.That(ofTarget.Select(one => (one.Kind, one.SubjectIssuer, one.Subject, one.Through)), Is.EqualTo(new[] { AuditEventKind.Attested, AuditEventKind.Permitted, AuditEventKind.Exchanging, AuditEventKind.Issued, AuditEventKind.Revoked }.Select(kind => (kind, "https://issuer.test", name, "entra"))));
            Assert.That(ofTarget[0].SubjectFingerprint, Is.EqualTo(job.Audit.Events.Single(one => one is { Kind: AuditEventKind.Issued, Target: "entra" }).Fingerprint), "which proof it was is told by its fingerprint");
        }
        var summary = new AuditSummary();
        new ChainFiles().Part().Add(audits.SelectMany(job => job.Audit.Events)).End().WriteTo(Folder);
        AuditTrail.Verify(Folder, onRecord: summary.Add);

        Assert.That(summary.Identities.Select(identity => (identity.Issuer, identity.Subject, identity.IsShared)), Is.EqualTo(new[] { ("https://issuer.test", "pipeline-0", false), ("https://issuer.test", "pipeline-1", false) }));
        foreach (TestJob job in audits)
            await job.DisposeAsync();
    }

    [Test]
    public async Task A_proof_that_is_a_person_s_or_only_asserted_is_so_behind_two_hops_too_for_audit_and_policy([Values] bool isAPersons)
    {
        var time = new ManualTimeProvider();
        var audit = new RecordingSink();
        var heard = new List<(string Target, bool IsAPersons)>();
        var policy = new TestPolicy
        {
            Decide = asked =>
            {
                heard.Add((asked.Target, asked.IsAPersons));
                return AccessDecision.Permit("all");
            },
        };
        var source = IdentitySources.From((request, _) => new ValueTask<SubjectToken>(new SubjectToken(TestProofs.Jwt(time, request.Audience.ToString(), claims => claims[isAPersons ? "upn" : "x"] = "ann@acme.example"), SubjectTokenType.Jwt)));
        await using JobSession job = await JobSession.StartAsync(b => b
            .Job(new JobContext { Environment = "Development" }).Identity("me", source, isAPersons ? ActsFor.PersonInDevelopment : ActsFor.Workload)
            .Target("account", new TestExchanger(time), "me")
            .Target("team", new TestExchanger(time), t => t.Through = "account")
            .Target("warehouse", new TestExchanger(time), t => t.Through = "team")
            .Policy(policy).Audit(audit).Time(time).Jitter(() => 0).EndOnSignals(false));
        await job.Provider<BearerToken>("warehouse").GetAsync();
        await job.CompleteAsync();

        Assert.That(heard, Is.EquivalentTo(new[] { ("account", isAPersons), ("team", isAPersons), ("warehouse", isAPersons) }));
        Assert.That(audit.Events.Where(one => one.Kind == AuditEventKind.Revoked).Select(one => one.Target), Is.EquivalentTo(new[] { "account", "team", "warehouse" }));
        Assert.That(audit.Events.Select(one => (one.IsAPersons, one.WorkloadIsAsserted)), Is.All.EqualTo((isAPersons, !isAPersons)), "from the first to the end");
    }

    [Test]
    public async Task An_opaque_proof_names_nobody_and_is_nobody_s_identity()
    {
        await using TestJob job = await TestJob.StartAsync(source: IdentitySources.From((_, _) => new ValueTask<SubjectToken>(new SubjectToken("opaque-proof-of-nobody", SubjectTokenType.AccessToken))));
        await job.Warehouse.GetAsync();
        await job.Session.CompleteAsync();

        Assert.That(job.Audit.Events.Where(one => one.Subject is not null || one.SubjectIssuer is not null), Is.Empty);
        Verify(job, out AuditSummary summary, out _);
        Assert.That(summary.Identities, Is.Empty);
        using JsonDocument json = JsonDocument.Parse(EventText.Of(job.Audit.Events[0]));
        JsonElement user = json.RootElement.GetProperty("user");
        Assert.That((user.GetProperty("name").GetString(), user.GetProperty("type").GetString()), Is.EqualTo(("unknown", "Unknown")));
    }

    private static IWorkloadIdentitySource Source(string subject) => IdentitySources.From((request, _) => new ValueTask<SubjectToken>(
        new SubjectToken(TestProofs.Jwt(new ManualTimeProvider(), request.Audience.ToString(), claims => claims["sub"] = subject), SubjectTokenType.Jwt)));

    private AuditTrail Verify(TestJob job, out AuditSummary summary, out string story)
    {
        ChainFiles files = new ChainFiles().Part().Add(job.Audit.Events).End().WriteTo(Folder);
        using var text = new StringWriter();
        var timeline = new AuditTimeline(text);
        var all = new AuditSummary();
        AuditTrail trail = AuditTrail.Verify(Folder, [files.Anchor], record =>
        {
            timeline.Add(record);
            all.Add(record);
        });
        summary = all;
        story = text.ToString();
        return trail;
    }
}
