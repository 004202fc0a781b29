using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests;

/// <summary>The log as the audit: what its level leaves out is not recorded, and no text from outside is more than a text on a screen.</summary>
internal sealed class AuditLogTests
{
    [Test]
    public async Task Where_the_log_leaves_out_what_it_has_to_record_nothing_is_handed_out([Values] bool isAskedFor, [Values(LogLevel.Warning, LogLevel.Critical, LogLevel.None)] LogLevel least)
    {
        using var log = new LeveledLog(least);
        var issuer = new TestExchanger(TimeProvider.System);
        await using JobSession job = await StartAsync(log, issuer, b =>
        {
            if (isAskedFor)
                b.Audit(new RecordingSink()).AuditToLog();
        });

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Provider<BearerToken>("warehouse").GetAsync())!;

        Assert.That((refused.Code, (refused.GetBaseException() as TokenExchangeException)?.Code), Is.EqualTo(("NHI6001", "NHI6014")));
        Assert.That(refused.Message, Does.Contain("could not record 'Attested' (NHI6014)").And.Contain("Logging:LogLevel:Nhi.TokenExchange"));
        Assert.That(issuer.Requests, Is.Empty);
        Assert.That(log.Text, least == LogLevel.Warning ? Does.Contain("The log has to record the audit").And.Contain("NHI6014") : Is.Empty, "said at the start, where a line of level Error is taken");
    }

    [Test]
    public async Task A_level_that_is_raised_while_the_job_runs_lets_it_go_on()
    {
        using var log = new LeveledLog(LogLevel.Error);
        await using JobSession job = await StartAsync(log, new TestExchanger(TimeProvider.System));
        Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Provider<BearerToken>("warehouse").GetAsync());
        log.Least = LogLevel.Information;
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    await job.Provider<BearerToken>("warehouse").GetAsync();
                    return true;
                }
                catch (TokenExchangeException)
                {
                    return false;
                }
            },
            "a credential");
        Assert.That(log.Text, Does.Contain("warehouse issued"));
    }

    [Test]
    public async Task A_job_without_a_log_is_the_word_of_who_composed_it()
    {
        await using JobSession job = await StartAsync(null, new TestExchanger(TimeProvider.System));
        Assert.That(await job.Provider<BearerToken>("warehouse").GetAsync(), Is.Not.Null);
    }

    [Test]
    public async Task A_log_that_is_not_there_records_nothing_where_it_was_asked_to()
    {
        await using JobSession job = await StartAsync(null, new TestExchanger(TimeProvider.System), b => b.AuditToLog());
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Provider<BearerToken>("warehouse").GetAsync())!;
        Assert.That((refused.GetBaseException() as TokenExchangeException)?.Code, Is.EqualTo("NHI6014"));
    }

    [Test]
    public async Task What_is_not_a_line_of_the_log_is_refused_whatever_its_level([Values] LogLevel least)
    {
        foreach (AuditEvent one in SampleEvents.All.Concat([Of(AuditEventKind.Permitted, isObserved: true), Of(AuditEventKind.Orphaned, "NHI4005"), Of(AuditEventKind.Orphaned)]))
        {
            using var log = new LeveledLog(least);
            bool isRefused = false;
            try
            {
                await new LoggerAuditSink(log).WriteAsync(one, CancellationToken.None);
            }
            catch (TokenExchangeException refused)
            {
                isRefused = refused.Code == "NHI6014";
            }
            Assert.That(log.Lines, Has.Count.EqualTo(isRefused ? 0 : 1), $"{one.Kind} at {least}");
        }
    }

    // Who writes to the log gives it some milliseconds of real time: steps that are too long would be over before.
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    [Test]
    public async Task P57_A_log_that_blocks_who_calls_it_holds_an_exchange_up_for_seconds_and_no_other_sink()
    {
        using var log = new LeveledLog(LogLevel.Debug);
        await using TestJob job = await TestJob.StartAsync(more: b => b.Logging(log).AuditToLog());
        await job.Warehouse.GetAsync();
        log.Gate.Reset();
        try
        {
            Task getting = Task.Run(async () => await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of("read") }));
            await Eventually.HoldsAsync(() => log.Waiting > 0 && job.Audit.Kinds.Count(kind => kind == AuditEventKind.Attested) == 2, "the log hangs, and the other sink is told");
            Assert.That(getting.IsCompleted, Is.False);
            await Eventually.HoldsAsync(
                () =>
                {
                    job.Time.Advance(Step);
                    return getting.IsCompleted;
                },
                "the refusal, while the log hangs yet",
                TimeSpan.FromSeconds(20));

            TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => getting)!;
            Assert.That((refused.Code, refused.Message), Is.EqualTo(("NHI6001", refused.Message)));
            Assert.That(refused.Message, Does.Contain("could not record 'Attested' (TimeoutException)"));
            Assert.That((log.Waiting, log.HeldOfThePool), Is.EqualTo((1, 0)), "it holds one thread, and none of the pool");
        }
        finally
        {
            log.Gate.Set();
        }
        await Eventually.HoldsAsync(() => log.Lines.Count(line => line.Contains("warehouse attested", StringComparison.Ordinal)) == 2, "what waited is written late, in its place");
    }

    [Test]
    public async Task P57_A_refresh_lands_while_the_log_hangs_that_is_to_record_it_and_its_failure_is_said_late()
    {
        using var log = new LeveledLog(LogLevel.Debug);
        await using TestJob job = await TestJob.StartAsync(more: b => b.Logging(log).AuditToLog());
        BearerToken held = await job.Warehouse.GetAsync();
        log.Gate.Reset();
        try
        {
            job.Time.Advance(held.ExpiresAt - job.Time.GetUtcNow() - TimeSpan.FromMinutes(1));
            Assert.That(await job.Warehouse.GetAsync(), Is.SameAs(held), "it is due, and serves on");
            await Eventually.HoldsAsync(() => log.Waiting > 0, "the log hangs");
            await Eventually.HoldsAsync(
                () =>
                {
                    job.Time.Advance(Step);
                    return job.Session.Leases.FlightsInTheAir == 0;
                },
                "its end, while the log hangs yet",
                TimeSpan.FromSeconds(20));
            Assert.That(log.Text, Does.Not.Contain("NHI6001"));
        }
        finally
        {
            log.Gate.Set();
        }
        await Eventually.HoldsAsync(() => log.Lines.Any(line => line.Contains("NHI6001", StringComparison.Ordinal)), "the failure of the refresh");
    }

    [Test]
    public async Task P57_A_job_that_is_cut_short_ends_its_credentials_and_itself_while_its_log_hangs()
    {
        using var log = new LeveledLog(LogLevel.Debug);
        await using TestJob job = await TestJob.StartAsync(more: b => b.Logging(log).AuditToLog());
        await job.Warehouse.GetAsync();
        log.Gate.Reset();
        try
        {
            Task<JobReport> ending = Task.Run(() => job.Session.RevokeAsync("the pipeline leaked"));
            await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count == 1, "the revocation, at once");
            await Eventually.HoldsAsync(
                () =>
                {
                    job.Time.Advance(Step);
                    return ending.IsCompleted;
                },
                "the job's end, while the log hangs yet",
                TimeSpan.FromSeconds(20));
            Assert.That((await ending).AllEnded);
        }
        finally
        {
            log.Gate.Set();
        }
        await Eventually.HoldsAsync(() => log.Text.Contains("the pipeline leaked", StringComparison.Ordinal), "why it was cut short, said late");
    }

    [Test]
    public async Task A_handle_is_visible_ASCII_too()
    {
        using var log = new LeveledLog(LogLevel.Debug);
        await new LoggerAuditSink(log).WriteAsync(Of(AuditEventKind.Orphaned, "NHI4005"), CancellationToken.None);
        Assert.That(log.Lines.Single(), Does.Contain(@"lease/\u2028forged/\u0436"));
    }

    [Test]
    public async Task Anchors_that_the_log_leaves_out_are_said_to_be_left_out_once()
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory("nhi-audit-").FullName, "audit");
        using var log = new LeveledLog(LogLevel.Warning);
        await using (JobSession job = await StartAsync(log, new TestExchanger(TimeProvider.System), b => b.AuditFolder(folder, o => o.AnchorEvery = 1)))
        {
            await job.Provider<BearerToken>("warehouse").GetAsync();
            await job.CompleteAsync();
        }
        Assert.That(log.Text.Split("the audit's anchors are such lines"), Has.Length.EqualTo(2));
        Assert.That(log.Text, Does.Contain("NHI6014"));
        Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
    }

    [TestCase("line\r\n2026-01-01 forged")]
    [TestCase("\u001b[2J\u001b]0;owned\u0007")]
    [TestCase("refs/heads/x\u009b2J\u202E")]
    [TestCase("\u2066txet\u2069\u200F\u2028")]
    [TestCase("\u200B\u200D\u00AD\uFEFF")]
    public async Task A_claim_that_becomes_a_fact_of_the_job_and_a_policy_s_word_are_visible_ASCII_in_each_line(string text)
    {
        using var log = new LeveledLog(LogLevel.Debug);
        var source = IdentitySources.From((request, _) => new ValueTask<SubjectToken>(new SubjectToken(
            TestProofs.Jwt(TimeProvider.System, request.Audience.ToString(), claims =>
            {
                claims["iss"] = "https://token.actions.githubusercontent.com";
                claims["sub"] = "repo:acme/orders:ref:refs/heads/x";
                claims["repository"] = "acme/orders";
                claims["run_id"] = "77";
                claims["workflow_ref"] = $"acme/orders/.github/workflows/nightly.yml@{text}";
                claims["environment"] = text;
            }),
            SubjectTokenType.Jwt)));
        JobSession job = await JobSession.StartAsync(b => b.Identity("job", source).Target("warehouse", new TestExchanger(TimeProvider.System), "job").Target("lake", new TestExchanger(TimeProvider.System), "job")
            .Policy(new Wordy(text)).Job(new JobContext { Purpose = text }).Logging(log).EndOnSignals(false));
        await using (job)
        {
            await job.Provider<BearerToken>("warehouse").GetAsync();
            Assert.ThrowsAsync<AccessDeniedException>(async () => await job.Provider<BearerToken>("lake").GetAsync());
            await job.CompleteAsync();
        }

        Assert.That(log.Lines.Where(line => line.Any(c => c is < ' ' or > '~')), Is.Empty);
        Assert.That(log.Lines.Count(line => line.Contains("nightly.yml@", StringComparison.Ordinal)), Is.GreaterThan(4), "the fact of the job is there");
        Assert.That(log.Text, Does.Contain("lake denied").And.Contain("warehouse issued"));
    }

    private static AuditEvent Of(AuditEventKind kind, string? code = null, bool isObserved = false) => new()
    {
        Kind = kind, At = SampleEvents.Start, FlightId = SampleEvents.Flight, Target = "warehouse", Job = JobContext.Unnamed, Code = code, IsObserved = isObserved, RevocationHandle = "lease/\u2028forged/\u0436",
    };

    private static Task<JobSession> StartAsync(LeveledLog? log, TestExchanger issuer, Action<TokenExchangeBuilder>? more = null) => JobSession.StartAsync(b =>
    {
        b.Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload).Target("warehouse", issuer, "job").EndOnSignals(false);
        if (log is not null)
            b.Logging(log);
        more?.Invoke(b);
    });

    // Says in its rule and its reason what it was told to.
    private sealed class Wordy(string text) : IAccessPolicy
    {
        public string Revision => text;

        public Microsoft.Extensions.Primitives.IChangeToken GetChangeToken() => new Microsoft.Extensions.Primitives.CancellationChangeToken(CancellationToken.None);

        public ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken) =>
            new(request.Target == "lake" ? AccessDecision.Deny(text, text) : AccessDecision.Permit(text));
    }
}
