using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>What a dead job left at Vault is ended with a login that is a credential as any: decided, recorded, in a journal, ended.</summary>
internal sealed class VaultRecoveryTests
{
    private string _journals = "";

    [SetUp]
    public void MakeAFolder() => _journals = Path.Combine(Directory.CreateTempSubdirectory("nhi-vault-").FullName, "journals");

    [TearDown]
    public void RemoveIt() => Directory.Delete(Path.GetDirectoryName(_journals)!, recursive: true);

    [Test]
    public async Task Login_and_secret_are_ended_with_one_login_that_the_audit_knows_and_that_ends_too()
    {
        await using VaultJob dead = await VaultJob.LeftBehindAsync(_journals);
        var audit = new RecordingSink();

        RecoveryReport report = await dead.RecoverAsync(_journals, audit);

        Assert.That(report.Jobs.SelectMany(job => job.Leases).Select(lease => lease.End).ToArray(), Has.Length.EqualTo(2).And.All.AnyOf(LeaseEnd.Revoked, LeaseEnd.AlreadyGone), report.ToString());
        Assert.That((dead.Vault.OpenTokens, dead.Vault.OpenLeases), Is.EqualTo((0, 0)));
        string[] made = [.. dead.Emulator.Ledger.Issued.Skip(2).Select(issue => issue.Fingerprint)];
        Assert.That(made, Has.Length.EqualTo(1));
        Assert.That(audit.Events.Where(e => e.Kind == AuditEventKind.Issued).Select(e => e.Fingerprint), Is.EqualTo(made));
        Assert.That(audit.Events.Where(e => e.Kind == AuditEventKind.Revoked).Select(e => e.Fingerprint), Has.Member(made[0]));
        Assert.That(Directory.GetFiles(_journals), Is.Empty);
    }

    [Test]
    public async Task A_secret_whose_login_was_revoked_before_it_is_told_as_ended()
    {
        await using VaultJob dead = await VaultJob.LeftBehindAsync(_journals);
        string accessor = dead.Emulator.Ledger.Issued.Single(issue => issue.Handle is { } handle && !handle.Contains('/', StringComparison.Ordinal)).Handle!;
        Assert.That(await dead.OperateAsync(HttpMethod.Post, "auth/token/revoke-accessor", $$"""{"accessor":"{{accessor}}"}"""), Is.EqualTo(204));
        Assert.That((dead.Vault.OpenTokens, dead.Vault.OpenLeases), Is.EqualTo((0, 0)), "the lease went with its login");

        RecoveryReport report = await dead.RecoverAsync(_journals, new RecordingSink());

        Assert.That(report.Jobs.SelectMany(job => job.Leases).Select(lease => lease.End).ToArray(), Has.Length.EqualTo(2).And.All.AnyOf(LeaseEnd.Revoked, LeaseEnd.AlreadyGone), report.ToString());
        Assert.That(Directory.GetFiles(_journals), Is.Empty);
    }

    [Test]
    public async Task A_role_that_may_not_revoke_leases_leaves_a_secret_that_went_with_its_login_as_failed_until_its_end()
    {
        await using VaultJob dead = await VaultJob.LeftBehindAsync(_journals);
        dead.Role.Paths.Clear();
        dead.Role.Paths.Add("auth/token/revoke-accessor");
        dead.Role.Paths.Add(VaultJob.Path);

        RecoveryReport report = await dead.RecoverAsync(_journals, new RecordingSink());

        Assert.That(report.Jobs.SelectMany(job => job.Leases).Select(lease => (lease.Target, lease.End)), Is.EquivalentTo(new[] { ("vault", LeaseEnd.Revoked), ("database", LeaseEnd.Failed) }), report.ToString());
        Assert.That(dead.Vault.OpenLeases, Is.Zero, "it ended with its login; docs/job-end.md says that a recovery does not know");
        dead.Role.Paths.Add("sys/leases/revoke");
        Assert.That((await dead.RecoverAsync(_journals, new RecordingSink())).AllEnded, Is.True);
    }

    [Test]
    public async Task A_policy_that_denies_the_login_lets_a_recovery_make_none()
    {
        await using VaultJob dead = await VaultJob.LeftBehindAsync(_journals);
        var policy = new TestPolicy { Decide = _ => AccessDecision.Deny("no-vault", "not now") };

        RecoveryReport report = await dead.RecoverAsync(_journals, new RecordingSink(), policy);

        Assert.That(dead.Emulator.Ledger.Issued, Has.Count.EqualTo(2));
        Assert.That(report.Jobs.SelectMany(job => job.Leases).Select(lease => lease.End), Is.All.EqualTo(LeaseEnd.Failed), "the next recovery tries again");
        Assert.That(Directory.GetFiles(_journals), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task A_policy_file_decides_on_the_login_as_well()
    {
        await using VaultJob dead = await VaultJob.LeftBehindAsync(_journals);
        string file = Path.Combine(Path.GetDirectoryName(_journals)!, "policy.json");
        await File.WriteAllTextAsync(file, """{ "version": 1, "revision": 7, "rules": [] }""");
        var audit = new RecordingSink();

        RecoveryReport report = await dead.RecoverAsync(_journals, audit, more: b => b.PolicyFile(file));

        Assert.That(dead.Emulator.Ledger.Issued, Has.Count.EqualTo(2), "nobody logs in");
        Assert.That(report.AllEnded, Is.False);
        Assert.That(audit.Events.First(told => told.Kind == AuditEventKind.Denied).PolicyRevision, Does.StartWith("7"));
        await File.WriteAllTextAsync(file, "{");
        Assert.That(() => dead.RecoverAsync(_journals, audit, more: b => b.PolicyFile(file)), Throws.InstanceOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI1006"));
        Assert.That(Directory.GetFiles(_journals), Has.Length.EqualTo(1), "nothing is lost");
    }

    [Test]
    public async Task Its_own_login_that_it_cannot_end_is_in_the_report()
    {
        await using VaultJob dead = await VaultJob.LeftBehindAsync(_journals);
        var audit = new RecordingSink
        {
            Refuse = told =>
            {
                if (told is { Kind: AuditEventKind.Revoked, Target: "vault" })   // what was left behind is; from now on Vault is away
                    dead.Emulator.Faults.Next(EmulatorEndpoint.VaultToken, Fault.Status(503), times: 1000);
                return null;
            },
        };

        RecoveryReport report = await dead.RecoverAsync(_journals, audit, more: b => b.EndWithin(TimeSpan.FromSeconds(1)));

        string own = dead.Emulator.Ledger.Issued[^1].Fingerprint;
        Assert.That(report.AllEnded, Is.False, report.ToString());
        Assert.That(report.Jobs[^1].Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (own, LeaseEnd.Failed) }));
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public async Task Stopped_or_killed_in_the_middle_it_leaves_no_login_of_its_own()
    {
        await using VaultJob dead = await VaultJob.LeftBehindAsync(_journals);
        HeldRequest revoking = dead.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultToken);
        using var stop = new CancellationTokenSource();
        Task<RecoveryReport> recovering = dead.RecoverAsync(_journals, new RecordingSink(), cancellationToken: stop.Token);
        await revoking.Reached;
        string own = dead.Emulator.Ledger.Issued[^1].Handle!;

        Assert.That(Directory.GetFiles(_journals).Select(Read).ToArray(), Has.One.Contains(own), "killed now, the next one ends it by its accessor");
        await stop.CancelAsync();
        Assert.That(() => recovering, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(dead.Emulator.Ledger.Issued.Single(issue => issue.Handle == own).RevokedAt, Is.Not.Null, "it has its own time to end");
        revoking.Release();
    }

    [Test]
    public async Task A_job_of_a_login_alone_that_is_done_at_once_lets_the_recovery_come_to_its_end()
    {
        await using VaultJob dead = await VaultJob.LeftBehindAsync(_journals);
        HeldRequest own = dead.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultLogin);
        await using JobSession next = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(dead.Identity.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("vault", Targets.VaultLogin(dead.Vault.Address, "orders"), "job")
            .Audit(new RecordingSink()).Jitter(() => 0).Journal(_journals).EndWithin(TimeSpan.FromMinutes(1)).EndOnSignals(false));
        await own.Reached;
        Task<JobReport> ending = next.CompleteAsync();
        own.Release();
        await ending;

        Assert.That(dead.Vault.OpenTokens, Is.Zero);
    }

    // Beside its lock.
    private static string Read(string journal)
    {
        using SafeFileHandle handle = UnixOpen.ToRead(journal);
        byte[] bytes = new byte[RandomAccess.GetLength(handle)];
        return Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(handle, bytes, 0));
    }
}
