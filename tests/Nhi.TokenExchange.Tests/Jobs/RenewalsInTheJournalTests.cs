using System.Runtime.CompilerServices;

namespace Nhi.TokenExchange.Tests;

/// <summary>What becomes of a job's journal, and of its memory, while a credential is renewed over and over.</summary>
internal sealed class RenewalsInTheJournalTests : JournalFixture
{
    // The set of leases looks for dead ones at every 64th.
    private const int Renewals = 200;

    [TestCase("lease/one")]
    [TestCase(null)]
    public async Task What_was_renewed_is_let_go_and_its_journal_goes_at_the_end(string? handle)
    {
        var time = new ManualTimeProvider();
        var issuer = new RenewingIssuer(handle);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload).Target("login", issuer, "job")
            .Time(time).Jitter(() => 0).EndOnSignals(false).Journal(Journals));

        WeakReference first = await RenewAsync(job.Provider<BearerToken>("login"), job, time);
        GC.Collect();

        Assert.That(issuer.Renewed, Is.EqualTo(Renewals));
        Assert.That(first.IsAlive, Is.False, "its successor stands for it");
        Assert.That((await job.CompleteAsync()).Leases, Has.Count.EqualTo(1));
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task What_is_renewed_while_its_job_ends_is_ended_once_and_listed_once()
    {
        var time = new ManualTimeProvider();
        await using VaultJob job = await VaultJob.StartAsync(time, more: b => b.Journal(Journals));
        VaultSecret secret = await job.HeldAsync();
        HeldRequest renewing = job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultLease, HoldPoint.BeforeAnswer);
        time.Advance(VaultJob.RefreshDue);
        await renewing.Reached;

        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => job.Vault.OpenLeases == 0, "the end of the lease, though its renewal is on the way");
        renewing.Release();
        JobReport report = await ending;

        Assert.That(report.Leases.Select(lease => (lease.Target, lease.End)), Is.EquivalentTo(new[] { ("database", LeaseEnd.Revoked), ("vault", LeaseEnd.Revoked) }));
        LedgerIssue issue = job.Emulator.Ledger.Issued.Single(issue => issue.Fingerprint == secret.Fingerprint);
        Assert.That((issue.Renewals, issue.RevocationsAsked), Is.EqualTo((1, 1)));
        Assert.That(job.Audit.Events.Count(e => e.Fingerprint == secret.Fingerprint && e.Kind is AuditEventKind.Revoked or AuditEventKind.Expired), Is.EqualTo(1));
        Assert.That(Files(), Is.Empty, "nothing is left for the next start");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> RenewAsync(CredentialProvider<BearerToken> login, JobSession job, ManualTimeProvider time)
    {
        WeakReference first = await FirstAsync(login);
        for (int i = 0; i < Renewals; i++)
        {
            time.Advance(TimeSpan.FromMinutes(45));
            await login.GetAsync();
            await HeldFlight.LandedAsync(job, login);
        }
        return first;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> FirstAsync(CredentialProvider<BearerToken> login) => new(await login.GetAsync());

    private sealed class RenewingIssuer(string? handle) : TokenExchanger<BearerToken>
    {
        private readonly string _token = Guid.NewGuid().ToString("N");

        public int Renewed { get; private set; }

        public override Uri Issuer { get; } = new("https://issuer.test/");

        public override Audience SubjectAudience { get; } = new("https://issuer.test/");

        public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
        {
            if (request.Held is not null)
                Renewed++;
            return new(new Issued<BearerToken>(new BearerToken(_token, request.Time.GetUtcNow().AddHours(1))) { RevocationHandle = handle, IsRenewal = request.Held is not null });
        }

        public override ValueTask<Revocation> RevokeAsync(RevocationRequest<BearerToken> request, CancellationToken cancellationToken) => new(Revocation.Revoked);
    }
}
