using System.Runtime.Versioning;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange.Tests.Exchange.StaticKeys;

/// <summary>A static key does not end with its job: the report says so, and the process keeps it no longer than it must.</summary>
internal sealed class StaticKeyEndTests
{
    [Test]
    public async Task The_report_and_the_audit_say_that_it_lives_on_and_whose_it_is()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync();
        await job.CallAsync();

        JobReport report = await job.Session.CompleteAsync();

        LeaseOutcome outcome = report.Leases.Single(lease => lease.Target == "billing");
        Assert.That((outcome.End, outcome.DiesAt, report.AllEnded), Is.EqualTo((LeaseEnd.LivesOn, DateTimeOffset.MaxValue, true)));
        Assert.That(outcome.ToString(), Does.Contain("lives on, static (a static key of Billing team: nobody else ends it)"));
        AuditEvent end = job.Audit.Events.Single(one => one is { Kind: AuditEventKind.Orphaned, Target: "billing" });
        Assert.That((end.DiesAt, end.Code, end.StaticKey!.Owner, end.StaticKey.Version), Is.EqualTo(((DateTimeOffset?)null, (string?)null, StaticKeyJob.Owner, "1")));
    }

    [Test]
    public async Task Every_event_of_it_is_marked_static_with_owner_end_place_and_version()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync();
        await job.CallAsync();

        AuditEvent[] events = [.. job.Audit.Events.Where(one => one.Target == "billing")];
        Assert.That(events.Select(one => one.Kind), Is.EqualTo([AuditEventKind.Attested, AuditEventKind.Permitted, AuditEventKind.Exchanging, AuditEventKind.Issued]));
        Assert.That(events.Select(one => (one.StaticKey!.Owner, one.StaticKey.Secret)), Is.All.EqualTo((StaticKeyJob.Owner, "secret/data/legacy/billing#value")));
        Assert.That((events[^1].StaticKey!.Version, events[^1].DiesAt), Is.EqualTo(("1", (DateTimeOffset?)null)));
        Assert.That(events[^1].UnusableFrom - events[^1].At, Is.LessThanOrEqualTo(TimeSpan.FromMinutes(15)));
        Assert.That(job.Audit.Events.Where(one => one.Target == "vault").Select(one => one.StaticKey), Is.All.Null);
    }

    [Test]
    public async Task However_often_a_key_is_read_it_is_one_in_the_report_and_another_version_is_another()
    {
        var time = new ManualTimeProvider();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time);
        for (int read = 0; read < 4; read++)
        {
            await job.CallAsync();
            time.Advance(TimeSpan.FromMinutes(20));
        }
        job.Rotate();
        await job.CallAsync();
        Assert.That(job.Reads, Is.EqualTo(5));

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Where(lease => lease.Target == "billing").Select(lease => lease.End), Is.EqualTo([LeaseEnd.LivesOn, LeaseEnd.LivesOn]));
    }

    [Test]
    public async Task A_key_that_nobody_asks_for_is_kept_no_longer_than_fifteen_minutes_and_a_job_that_ended_keeps_none()
    {
        var time = new ManualTimeProvider();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time);
        CredentialProvider<StaticKey> provider = job.Session.Provider<StaticKey>("billing");
        StaticKey first = await provider.GetAsync();
        Assert.That(first.Kept.Reveal(), Is.EqualTo(job.Key));
        time.Advance(TimeSpan.FromMinutes(15.5));
        Assert.That(first.Kept.Reveal(), Is.Null);
        StaticKey second = await provider.GetAsync();
        Assert.That(second.Kept.Reveal(), Is.EqualTo(job.Key));

        await job.Session.CompleteAsync();

        Assert.That(second.Kept.Reveal(), Is.Null);
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => job.CallAsync())!.Code, Is.EqualTo("NHI7001"));
    }

    [Test]
    public async Task A_refresh_that_cannot_be_recorded_takes_nothing_away_and_the_key_is_let_go_at_the_jobs_end()
    {
        var time = new ManualTimeProvider();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time);
        StaticKey held = await job.Session.Provider<StaticKey>("billing").GetAsync();
        await ReadWithoutARecordAsync(job, time);
        Assert.That((job.Reads, job.Audit.Events.Count(one => one is { Kind: AuditEventKind.Failed, Target: "billing" })), Is.EqualTo((2, 1)));

        Assert.That(await job.CallAsync(), Is.EqualTo(200));
        time.Advance(TimeSpan.FromMinutes(6));   // the next try, 14 minutes after the reading that counts
        Assert.That(await job.CallAsync(), Is.EqualTo(200));
        await job.QuietAsync();
        Assert.That((job.Reads, held.Kept.Reveal()), Is.EqualTo((3, job.Key)));

        job.Audit.Refuse = null;
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.That(await job.CallAsync(), Is.EqualTo(200));
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(report.Leases.Where(lease => lease.Target == "billing").Select(lease => lease.End), Is.EqualTo([LeaseEnd.LivesOn]), "one key, however often it was read");
        Assert.That(held.Kept.Reveal(), Is.Null);
    }

    [Test]
    public async Task A_change_of_the_policy_lets_the_key_go_that_was_held_then_and_not_the_one_that_was_read_since()
    {
        const int AtOnce = 16;
        var time = new ManualTimeProvider();
        var policy = new TestPolicy { Decide = _ => AccessDecision.Permit("all", permitsStaticKey: true) };
        var others = new TestExchanger(time);
        var gate = new Gate();
        int ending = 0;
        others.OnRevoke = async _ =>
        {
            Interlocked.Increment(ref ending);
            await gate.PassAsync();
            return Revocation.Revoked;
        };
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time, more: b => b.Target("others", others, "job", [.. Enumerable.Range(0, AtOnce).Select(i => $"s{i}")]).Policy(policy));
        using Gate opened = gate;
        for (int i = 0; i < AtOnce; i++)
            await job.Session.Provider<BearerToken>("others").GetAsync(new CredentialRequest { Scopes = ScopeSet.Of($"s{i}") });
        policy.Change("2", policy.Decide);
        await Eventually.HoldsAsync(() => ending == AtOnce, "all turns are taken");
        CredentialProvider<StaticKey> provider = job.Session.Provider<StaticKey>("billing");
        StaticKey first = await provider.GetAsync();
        policy.Change("3", policy.Decide);
        StaticKey second = await provider.GetAsync();

        gate.Open();
        await job.QuietAsync();

        Assert.That((first.Kept.Reveal(), second.Kept.Reveal()), Is.EqualTo(((string?)null, job.Key)));
    }

    [Test]
    public async Task A_deny_lets_the_key_go_that_was_held_then_and_not_the_one_that_was_read_since()
    {
        var time = new ManualTimeProvider();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time);
        CredentialProvider<StaticKey> provider = job.Session.Provider<StaticKey>("billing");
        StaticKey first = await provider.GetAsync();
        time.Advance(TimeSpan.FromMinutes(8));
        await provider.GetAsync();
        await job.QuietAsync();
        StaticKey second = await provider.GetAsync();
        Assert.That(second, Is.Not.SameAs(first));

        await job.Session.EndLeaseAsync(first, "the policy denied it, before it was read again");

        Assert.That(second.Kept.Reveal(), Is.EqualTo(job.Key));
    }

    [Test]
    public async Task A_refresh_that_brings_another_key_and_cannot_be_recorded_leaves_the_held_one()
    {
        var time = new ManualTimeProvider();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time);
        job.Service.Respond = _ => ScriptedAnswer.Status(200);   // both keys are good for a while
        await job.CallAsync();
        string old = job.Key;
        job.Rotate();
        await ReadWithoutARecordAsync(job, time);

        Assert.That(await job.CallAsync(), Is.EqualTo(200));
        Assert.That(job.Service.Requests[^1].Headers[StaticKeyJob.Header], Is.EqualTo(old));
    }

    [Test]
    public async Task A_copy_that_the_service_refused_is_let_go_with_the_reading_of_the_next()
    {
        var time = new ManualTimeProvider();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time);
        CredentialProvider<StaticKey> provider = job.Session.Provider<StaticKey>("billing");
        StaticKey refused = await provider.GetAsync();
        job.Rotate(inVault: false);
        time.Advance(TimeSpan.FromMinutes(2));

        Assert.That(await job.CallAsync(), Is.EqualTo(401));

        Assert.That((job.Reads, refused.Kept.Reveal()), Is.EqualTo((2, (string?)null)));
        StaticKey next = await provider.GetAsync();
        Assert.That(next.Kept.Reveal(), Is.Not.Null);
        await job.Session.CompleteAsync();
        Assert.That(next.Kept.Reveal(), Is.Null);
    }

    [Test]
    public async Task A_policy_that_is_changed_lets_the_key_go_and_is_asked_anew()
    {
        var policy = new TestPolicy { Decide = _ => AccessDecision.Permit("all", permitsStaticKey: true) };
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(more: b => b.Policy(policy));
        StaticKey held = await job.Session.Provider<StaticKey>("billing").GetAsync();

        policy.Change("2", request => request.StaticKey is null ? AccessDecision.Permit("issued") : AccessDecision.Deny("no-static-keys", $"{request.StaticKey} is one"));

        TokenExchangeException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.CallAsync())!;
        Assert.That(denied.Message, Does.Contain("secret/data/legacy/billing#value, of Billing team, until ").And.Contain("is one"));
        await Eventually.HoldsAsync(() => held.Kept.Reveal() is null, "the key is let go");
    }

    [Test]
    public async Task A_policy_that_permits_no_longer_life_than_the_hand_out_permits_no_static_key_and_none_is_read()
    {
        var policy = new TestPolicy { Decide = _ => AccessDecision.Permit("strict", refuseLongerLife: true, permitsStaticKey: true) };
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(more: b => b.Policy(policy));

        AccessDeniedException denied = Assert.ThrowsAsync<AccessDeniedException>(() => job.CallAsync())!;

        Assert.That(denied.Message, Does.Contain("refuseLongerLife expected a credential that ends, presented a static key"));
        Assert.That((job.Reads, job.Service.Requests.Count), Is.EqualTo((0, 0)));
    }

    [Test]
    [UnsupportedOSPlatform("windows")]
    [Platform("Linux")]
    public async Task What_a_killed_job_leaves_in_its_journal_is_told_as_living_on_without_the_key()
    {
        string folder = Directory.CreateTempSubdirectory("nhi-static-").FullName;
        try
        {
            string journals = Path.Combine(folder, "journals"), left = Path.Combine(folder, "left");
            await using StaticKeyJob job = await StaticKeyJob.StartAsync(more: b => b.Journal(journals));
            await job.CallAsync();
            Copy(Directory.GetFiles(journals).Single(), left);
            Assert.That(Directory.GetFiles(left).Select(File.ReadAllText).Single(), Does.Contain("\"target\":\"billing\"").And.Not.Contain(job.Key));

            RecoveryReport report = await JobSession.RecoverAsync(b => b
                .Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload).Target("other", new TestExchanger(new ManualTimeProvider()), "job").Audit(job.Audit).Journal(left).EndOnSignals(false));

            Assert.That(report.Refused, Is.Empty);
            LeaseOutcome outcome = report.Jobs.Single().Leases.Single(lease => lease.Target == "billing");
            Assert.That((outcome.End, outcome.Reason), Is.EqualTo((LeaseEnd.LivesOn, "a static key: its owner alone ends it")));
            Assert.That(job.Audit.Events.Last(e => e.Target == "billing").StaticKey, Is.Null, "no target says whose it is");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    [UnsupportedOSPlatform("windows")]
    [Platform("Linux")]
    public async Task What_a_killed_job_leaves_in_its_journal_is_told_with_its_owner_where_the_target_is_declared()
    {
        string folder = Directory.CreateTempSubdirectory("nhi-static-").FullName;
        try
        {
            string journals = Path.Combine(folder, "journals"), left = Path.Combine(folder, "left");
            await using StaticKeyJob killed = await StaticKeyJob.StartAsync(more: b => b.Journal(journals));
            await killed.CallAsync();
            Copy(Directory.GetFiles(journals).Single(), left);

            var audit = new RecordingSink();

            RecoveryReport report = await JobSession.RecoverAsync(b => b
                .Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload)
                .Target("vault", Targets.VaultLogin(killed.Emulator.Vault.Address, "orders"), "job")
                .Target("billing", Targets.VaultStaticKey(killed.Emulator.Vault.Address, StaticKeyJob.Path, StaticKeyJob.Owner, StaticKeyJob.In(null, TimeSpan.FromDays(30)), o => o.Header.Name = StaticKeyJob.Header), t =>
                {
                    t.Through = "vault";
                    t.AllowedOrigins.Add(killed.Service.Uri);
                })
                .Audit(audit).Journal(left).EndOnSignals(false));

            Assert.That(report.Jobs.Single().Leases.Single(lease => lease.Target == "billing").End, Is.EqualTo(LeaseEnd.LivesOn));
            AuditEvent told = audit.Events.Single(e => e is { Target: "billing", Kind: AuditEventKind.Orphaned });
            Assert.That((told.StaticKey?.Owner, told.StaticKey?.Secret, told.DiesAt), Is.EqualTo((StaticKeyJob.Owner, "secret/data/legacy/billing#value", (DateTimeOffset?)null)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // The journal as a kill at this instant leaves it, of a process that is there no more. The framework would ask for the lock that its job holds.
    [UnsupportedOSPlatform("windows")]
    private static void Copy(string journal, string folder)
    {
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using SafeFileHandle handle = UnixOpen.ToRead(journal);
        byte[] bytes = new byte[RandomAccess.GetLength(handle)];
        string text = Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(handle, bytes, 0)).Replace(FormattableString.Invariant($"\"process\":{Environment.ProcessId},"), "\"process\":2147483647,", StringComparison.Ordinal);
        using FileStream copy = new(Path.Combine(folder, Path.GetFileName(journal)), new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        copy.Write(Encoding.UTF8.GetBytes(text));
    }

    // The refresh is due, and its outcome can't be recorded.
    private static async Task ReadWithoutARecordAsync(StaticKeyJob job, ManualTimeProvider time)
    {
        job.Audit.Refuse = one => one is { Kind: AuditEventKind.Refreshed, Target: "billing" } ? new IOException("the sink is down") : null;
        time.Advance(TimeSpan.FromMinutes(8));
        await job.CallAsync();
        await job.QuietAsync();
    }
}
