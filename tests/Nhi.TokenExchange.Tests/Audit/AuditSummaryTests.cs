namespace Nhi.TokenExchange.Tests;

/// <summary>The questions that an auditor asks a trail, answered from files that were verified.</summary>
internal sealed class AuditSummaryTests : AuditTrailFixture
{
    private static readonly JobContext Orders = new() { Pipeline = "orders-nightly", Dataset = "orders", Environment = "production" };
    private static readonly JobContext Customers = new() { Pipeline = "customers-hourly", Dataset = "customers", Environment = "production" };

    [Test]
    public void An_identity_that_two_pipelines_use_is_shared_and_one_of_its_own_is_not()
    {
        AuditSummary summary = Summary(Proof("one", Orders), Proof("one", Customers), Proof("own", Orders), Proof("own", Orders), Proof("nobody's", JobContext.Unnamed));

        Assert.That(summary.Identities.Select(one => (one.Subject, one.IsShared)), Is.EqualTo(new[] { ("nobody's", false), ("one", true), ("own", false) }));
        IdentityUse shared = summary.Identities.Single(one => one.IsShared);
        Assert.That((shared.Issuer, string.Join(' ', shared.Pipelines), string.Join(' ', shared.Datasets)), Is.EqualTo(("https://cluster.example", "customers-hourly orders-nightly", "customers orders")));
        Assert.That(shared.ToString(), Is.EqualTo("one of https://cluster.example: pipelines customers-hourly, orders-nightly; data sets customers, orders; environments production"));
    }

    [Test]
    public void A_refused_attempt_is_no_use_and_is_told_apart()
    {
        AuditSummary summary = Summary(Proof("one", Orders), Proof("one", Customers, kind: AuditEventKind.Attested), Proof("one", Customers, kind: AuditEventKind.Denied));

        IdentityUse one = summary.Identities.Single();
        Assert.That((one.IsShared, string.Join(' ', one.Pipelines), string.Join(' ', one.DeniedPipelines)), Is.EqualTo((false, "orders-nightly", "customers-hourly")));
        Assert.That(one.ToString(), Does.EndWith("; denied to pipelines customers-hourly"));
    }

    [TestCase("sales", "production")]
    [TestCase("orders", "test")]
    public void An_identity_of_two_data_sets_or_environments_is_shared_too(string dataset, string environment) =>
        Assert.That(Summary(Proof("one", Orders), Proof("one", new JobContext { Pipeline = "orders-nightly", Dataset = dataset, Environment = environment })).Identities.Single().IsShared);

    [Test]
    public void The_same_name_at_another_issuer_is_another_identity() =>
        Assert.That(Summary(Proof("one", Orders), Proof("one", Customers, "https://other.example")).Identities.Select(one => one.IsShared), Is.EqualTo(new[] { false, false }));

    [Test]
    public void What_outlives_its_job_is_told_and_what_was_ended_is_not()
    {
        AuditSummary summary = Summary(
            Grant("a", 1), Grant("b", 2), Grant("c", 3), Grant("d", 4), End(AuditEventKind.Revoked, "a", 1), End(AuditEventKind.Orphaned, "b", 2), End(AuditEventKind.Expired, "c", 3));

        Assert.That(summary.NotEnded.Select(one => (one.Event.Fingerprint, one.Event.Kind)), Is.EquivalentTo(new[] { ("b", AuditEventKind.Orphaned), ("d", AuditEventKind.Issued) }));
        AuditEvent outlives = summary.NotEnded.Single(one => one.Event.Kind == AuditEventKind.Orphaned).Event;
        Assert.That(outlives.DiesAt, Is.GreaterThan(outlives.At), "it lives on, and the event says until when");
    }

    [Test]
    public void What_could_not_be_ended_and_was_by_a_later_try_is_not_told() =>
        Assert.That(Summary(Grant("a", 1), End(AuditEventKind.Orphaned, "a", 1), End(AuditEventKind.Revoked, "a", 1)).NotEnded, Is.Empty);

    [Test]
    public void One_token_that_two_jobs_got_from_their_platform_is_two_credentials() =>
        Assert.That(Summary(Grant("a", 1, session: 1), Grant("a", 1, session: 2), End(AuditEventKind.Revoked, "a", 1, session: 1)).NotEnded, Has.Count.EqualTo(1));

    [Test]
    public void A_life_is_held_against_what_the_policy_allows()
    {
        AuditSummary summary = Summary(Grant("a", 1, handOut: 40, life: 60), Grant("b", 2, handOut: 50, life: 50), Grant("c", 3, handOut: 51, life: 90), Grant("d", 4, target: "lake", life: 10, handOut: 9));

        TargetLives warehouse = summary.Lives.Single(one => one.Target == "warehouse");
        Assert.That((warehouse.Grants, warehouse.LongestHandOut.TotalMinutes, warehouse.LongestLife.TotalMinutes, warehouse.LongestAllowed!.Value.TotalMinutes, warehouse.HandedOutBeyond, warehouse.LivingBeyond), Is.EqualTo((3L, 51.0, 90.0, 50.0, 1L, 2L)));
        Assert.That(summary.Lives.Single(one => one.Target == "lake").LivingBeyond, Is.Zero);
        Assert.That(warehouse.ToString(), Is.EqualTo("warehouse: 3 grants, longest hand-out 00:51:00 of 00:50:00 allowed (1 beyond), longest life at the issuer 01:30:00 (2 longer than the hand-out that is allowed)"));
    }

    [Test]
    public void A_life_that_is_lengthened_is_measured_from_its_beginning_beside_each_hand_out()
    {
        AuditSummary summary = Summary(Grant("a", 1), Renewal("a", 2, after: 30), Renewal("a", 3, after: 60), Grant("b", 4), Renewal("unknown", 5, after: 10));
        TargetLives lives = summary.Lives.Single();
        Assert.That((lives.LongestHandOut, lives.LongestRenewed, lives.HandedOutBeyond, lives.Grants), Is.EqualTo((TimeSpan.FromMinutes(40), TimeSpan.FromMinutes(100), 0L, 5L)));
        Assert.That(lives.ToString(), Does.Contain("longest hand-out 00:40:00 of 00:50:00 allowed (0 beyond), 01:40:00 with renewals, longest life"));
    }

    [Test]
    public void An_end_that_is_read_before_its_issue_ends_it_all_the_same()
    {
        AuditSummary summary = Summary(End(AuditEventKind.Revoked, "a", 1), Grant("a", 1), Grant("b", 2));
        Assert.That(summary.NotEnded.Select(one => one.Event.Fingerprint), Is.EqualTo(new[] { "b" }));
    }

    [Test]
    public void One_that_was_renewed_meanwhile_is_ended_by_it_too() =>
        Assert.That(Summary(End(AuditEventKind.Revoked, "a", 1), Grant("a", 1), Renewal("a", 1, after: 30)).NotEnded, Is.Empty);

    [Test]
    public void What_a_recoverer_told_before_its_job_did_is_the_later_word_all_the_same([Values] bool isRevokedAtLast)
    {
        AuditEvent[] ends = isRevokedAtLast ? [Told(AuditEventKind.Orphaned), Told(AuditEventKind.Revoked)] : [Told(AuditEventKind.Recovered)];
        AuditSummary summary = Summary([.. ends, OfItsJob(Grant("a", 1))]);
        Assert.That(summary.NotEnded.Select(one => one.Event.Kind), Is.EqualTo(isRevokedAtLast ? [] : new[] { AuditEventKind.Recovered }));

        static AuditEvent Told(AuditEventKind kind) => End(kind, "a", 1);

        static AuditEvent OfItsJob(AuditEvent one) => new()
        {
            Kind = one.Kind, At = one.At, FlightId = one.FlightId, SessionId = Flight(0, 1), Target = one.Target, Job = one.Job, Fingerprint = one.Fingerprint, UnusableFrom = one.UnusableFrom, DiesAt = one.DiesAt,
        };
    }

    [Test]
    public void What_a_later_start_found_let_go_is_not_said_to_be_of_a_job_that_runs()
    {
        AuditRecord last = Summary(Grant("a", 1), End(AuditEventKind.Recovered, "a", 1)).NotEnded.Single();
        Assert.That((last.Event.Kind, last.Event.DiesAt), Is.EqualTo((AuditEventKind.Recovered, SampleEvents.Start.AddMinutes(60))));
    }

    [Test]
    public void What_is_not_ended_is_one_line_of_visible_ASCII()
    {
        AuditRecord last = Summary(Grant("a", 1)).NotEnded.Single();
        Assert.That(last.ToString(), Does.EndWith(".audit.jsonl:2 2026-11-03T02:00:00.000Z warehouse Issued a, dies at 2026-11-03T03:00:00.000Z"));
        Assert.That(Summary(Of(SampleEvents.With("\u001b[2J\u202E"), AuditEventKind.Issued)).NotEnded.Single().ToString().All(c => c is >= ' ' and <= '~'));
    }

    [Test]
    public void Grants_are_counted_by_the_rule_that_permitted_them()
    {
        AuditSummary summary = Summary(
            Decision(AuditEventKind.Permitted, "load", 1), Grant("a", 1), Decision(AuditEventKind.Permitted, "load", 2), Failure(2), Decision(AuditEventKind.Denied, "sandbox", 3), Decision(AuditEventKind.Permitted, "load", 4, observed: true), Grant("b", 4), Grant("c", 9));

        Assert.That(summary.Rules.Select(one => (one.Rule, one.Permits, one.Denials, one.Observed, one.Grants)), Is.EqualTo(new[] { ("load", 2L, 0L, 1L, 2L), ("sandbox", 0L, 1L, 0L, 0L) }));
        Assert.That(summary.Rules[0].ToString(), Is.EqualTo("load of 7: 2 permits, 0 denials, 1 observed, 2 grants"));
    }

    [Test]
    public void The_story_of_a_job_is_one_line_an_event_with_times_from_its_start()
    {
        new ChainFiles().Part().Add(SampleEvents.All).End().WriteTo(Folder);

        Assert.That(Story(), Is.EqualTo(
            """
            2026-11-03T02:00:00.000Z pipeline orders-nightly, run 4711, dataset orders, purpose load, environment production [session 5a5a0000-0000-4000-0000-000000000000]
              +00:00:00.110 warehouse attested: repo:shop/orders:environment:production of https://token.actions.githubusercontent.com, proof 1f0c9a3b77d25e61
              +00:00:00.120 warehouse permitted by rule orders-load of 7+sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, scopes sql, requested all-apis sql
              +00:00:00.120 warehouse denied by rule orders-only of 7+sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, scopes sql: claim 'kubernetes.io/namespace' is 'sandbox', and the rule wants 'jobs'
              +00:00:00.130 warehouse exchanging at https://login.example/, scopes sql
              +00:00:00.480 warehouse issued: 801bdea5953a4b7e, scopes sql, unusable from +00:43:20.480, dies at +01:00:00.480 [req-7301]
              +00:25:00.480 warehouse refreshed: 40a67be674c9f87b, scopes sql, unusable from +01:08:20.480, dies at +01:25:00.480 [req-7301]
              +00:25:00.480 warehouse renewed: 801bdea5953a4b7e, scopes sql, unusable from +01:08:20.480, dies at +01:25:00.480 [req-7301]
              +00:30:00.000 warehouse revoked: 801bdea5953a4b7e: the job has ended
              +01:00:00.000 warehouse expired: 801bdea5953a4b7e
              +00:30:00.000 warehouse orphaned: 801bdea5953a4b7e lives on, dies at +01:00:00.480 NHI4012: the job has ended; the issuer answered 503 in 3 tries
              +00:00:00.480 warehouse failed NHI4001: The issuer refused the proof. [invalid_grant: no federation policy matches] [req-7301]
              +00:00:00.040 warehouse recovered: the job was killed while this exchange was in the air; if a credential came of it, nobody has it, and it dies by itself
              +00:15:00.000 the job is cut short NHI7002: revoked by its kill switch: incident 4711
              +00:15:00.000 a caller is refused, unproven, process 4712, user 1001 (unproven): process 4712 of user 1001 asks; this broker serves user 1000

            """.ReplaceLineEndings(Environment.NewLine)));
    }

    [Test]
    public void Only_the_job_that_is_asked_for_is_told_of()
    {
        new ChainFiles().Part().Add(Proof("one", Orders), Proof("one", Customers)).WriteTo(Folder);
        Assert.That(Story(one => one.Job.Pipeline == "customers-hourly"), Does.Contain("customers-hourly").And.Not.Contain("orders-nightly"));
    }

    [Test]
    public void A_wall_clock_that_was_set_is_told_where_it_was()
    {
        AuditEvent first = new() { Kind = AuditEventKind.Expired, At = SampleEvents.Start, Elapsed = TimeSpan.Zero, FlightId = SampleEvents.Flight, Target = "warehouse", Job = Orders };
        AuditEvent second = new() { Kind = AuditEventKind.Expired, At = SampleEvents.Start.AddHours(1), Elapsed = TimeSpan.FromMinutes(1), FlightId = SampleEvents.Flight, Target = "warehouse", Job = Orders };
        AuditEvent third = new() { Kind = AuditEventKind.Expired, At = SampleEvents.Start.AddMinutes(61), Elapsed = TimeSpan.FromMinutes(2), FlightId = SampleEvents.Flight, Target = "warehouse", Job = Orders };
        new ChainFiles().Part().Add(first, second, third).WriteTo(Folder);

        string[] lines = Story().TrimEnd().Split(Environment.NewLine);

        Assert.That(lines.Select(line => line.Contains("[the wall clock was set by +00:59:00.000]", StringComparison.Ordinal)), Is.EqualTo(new[] { false, false, true, false }));
    }

    [TestCase("\u001b[2J\r\n2026-11-03 forged line\u202E")]
    [TestCase("\uD800\u2028\u0000\u009B31m")]
    public void A_story_is_visible_ASCII_whatever_the_trail_says(string text)
    {
        new ChainFiles().Part().Add(Enum.GetValues<AuditEventKind>().Select(kind => Of(SampleEvents.With(text), kind))).WriteTo(Folder);
        string story = Story();

        Assert.That(story.ReplaceLineEndings("").All(c => c is >= ' ' and <= '~'), story);
        Assert.That(story.Split(Environment.NewLine), Has.Length.EqualTo(1 + Enum.GetValues<AuditEventKind>().Length + 1));
        Assert.That(string.Concat(Summary(Of(SampleEvents.With(text), AuditEventKind.Permitted)).Rules.Select(one => one.ToString())).All(c => c is >= ' ' and <= '~'));
    }

    private static AuditEvent Of(AuditEvent one, AuditEventKind kind) => new()
    {
        Kind = kind, At = one.At, FlightId = one.FlightId, Target = one.Target, Job = one.Job, Subject = one.Subject, SubjectIssuer = one.SubjectIssuer, SubjectFingerprint = one.SubjectFingerprint, Issuer = one.Issuer, Rule = one.Rule,
        PolicyRevision = one.PolicyRevision, Fingerprint = one.Fingerprint, Code = one.Code, Reason = one.Reason, CorrelationId = one.CorrelationId,
    };

    private static Guid Flight(int number, int session) => new(session, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte)number);

    private static AuditEvent Proof(string subject, JobContext job, string issuer = "https://cluster.example", AuditEventKind kind = AuditEventKind.Issued) =>
        new() { Kind = kind, At = SampleEvents.Start, FlightId = Flight(1, 1), Target = "warehouse", Job = job, Subject = subject, SubjectIssuer = issuer };

    private static AuditEvent Grant(string fingerprint, int flight, int session = 1, int handOut = 40, int life = 60, string target = "warehouse") => new()
    {
        Kind = AuditEventKind.Issued, At = SampleEvents.Start, FlightId = Flight(flight, session), Target = target, Job = Orders, Fingerprint = fingerprint, UnusableFrom = SampleEvents.Start.AddMinutes(handOut),
        DiesAt = SampleEvents.Start.AddMinutes(life), MaxLifetime = TimeSpan.FromMinutes(50),
    };

    private static AuditEvent Renewal(string fingerprint, int flight, int after) => new()
    {
        Kind = AuditEventKind.Renewed, At = SampleEvents.Start.AddMinutes(after), FlightId = Flight(flight, 1), Target = "warehouse", Job = Orders, Fingerprint = fingerprint, UnusableFrom = SampleEvents.Start.AddMinutes(after + 40),
        DiesAt = SampleEvents.Start.AddMinutes(after + 60), MaxLifetime = TimeSpan.FromMinutes(50),
    };

    private static AuditEvent End(AuditEventKind kind, string fingerprint, int flight, int session = 1) =>
        new() { Kind = kind, At = SampleEvents.Start.AddMinutes(30), FlightId = Flight(flight, session), Target = "warehouse", Job = Orders, Fingerprint = fingerprint, DiesAt = SampleEvents.Start.AddMinutes(60) };

    private static AuditEvent Decision(AuditEventKind kind, string rule, int flight, bool observed = false) =>
        new() { Kind = kind, At = SampleEvents.Start, FlightId = Flight(flight, 1), Target = "warehouse", Job = Orders, Rule = rule, PolicyRevision = "7", IsObserved = observed };

    private static AuditEvent Failure(int flight) => new() { Kind = AuditEventKind.Failed, At = SampleEvents.Start, FlightId = Flight(flight, 1), Target = "warehouse", Job = Orders };

    private AuditSummary Summary(params AuditEvent[] events)
    {
        new ChainFiles().Part().Add(events).End().WriteTo(Folder);
        var summary = new AuditSummary();
        Assert.That(AuditTrail.Verify(Folder, onRecord: summary.Add).IsIntact);
        return summary;
    }

    private string Story(Func<AuditEvent, bool>? which = null)
    {
        using var text = new StringWriter();
        Assert.That(AuditTrail.Verify(Folder, onRecord: new AuditTimeline(text, which).Add).IsIntact);
        return text.ToString();
    }
}
