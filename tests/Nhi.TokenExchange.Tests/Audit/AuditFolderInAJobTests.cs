using System.Runtime.Versioning;
using System.Text.Json;

namespace Nhi.TokenExchange.Tests;

/// <summary>A job whose audit is a folder of files: what is not recorded is not handed out, and the chain ends with the job.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class AuditFolderInAJobTests : AuditFolderFixture
{
    [Test]
    public async Task The_intent_is_on_the_disk_before_the_exchange_and_the_issue_before_the_credential_is_handed_out()
    {
        Disk.ForgetsWhatIsNotFlushed = true;
        IReadOnlyList<JsonElement> atExchange = [];
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = _ =>
        {
            atExchange = FollowChain(Files());
            return new Issued<BearerToken>(job.Issuer.NewToken());
        };

        await job.Warehouse.GetAsync();

        Assert.That(Kinds(atExchange), Is.EqualTo(new[] { "Attested", "Permitted", "Exchanging" }));
        Assert.That(Kinds(FollowChain(Files())), Is.EqualTo(new[] { "Attested", "Permitted", "Exchanging", "Issued" }));
    }

    [Test]
    public async Task The_last_line_of_a_job_that_ends_in_order_says_that_the_chain_is_whole_and_stands_behind_the_revocations()
    {
        await using TestJob job = await StartAsync();
        await job.Warehouse.GetAsync();
        await job.Session.CompleteAsync();

        IReadOnlyList<JsonElement> events = FollowChain(Files());
        Assert.That(Kinds(events), Is.EqualTo(new[] { "Attested", "Permitted", "Exchanging", "Issued", "Revoked" }));
        Assert.That(events[^1].GetProperty("kind").GetString(), Is.EqualTo("end"));
        Assert.That(Log.Text, Does.Contain(", end): "));
    }

    [Test]
    public async Task What_can_t_be_recorded_as_issued_is_revoked_and_not_handed_out()
    {
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = _ =>
        {
            Disk.Room = 0;
            return new Issued<BearerToken>(job.Issuer.NewToken());
        };

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;

        Assert.That(refused.Code, Is.EqualTo("NHI6001"));
        Assert.That(refused.IsTransient, Is.True);
        await job.QuietAsync();
        Assert.That(job.Issuer.Revoked.Select(token => token.Fingerprint), Is.EqualTo(job.Issuer.Issued.Select(token => token.Fingerprint)));
        Assert.That(Kinds(FollowChain(Files())), Is.EqualTo(new[] { "Attested", "Permitted", "Exchanging" }));
    }

    [Test]
    public async Task Without_a_record_of_the_intent_nothing_is_asked_of_the_issuer()
    {
        await using TestJob job = await StartAsync();
        Disk.FailsToFlush = true;
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;
        Assert.That(refused.Code, Is.EqualTo("NHI6001"));
        Assert.That(job.Issuer.Requests, Is.Empty);
        Disk.FailsToFlush = false;
    }

    [Test]
    public async Task A_disk_that_hangs_costs_two_seconds_and_what_it_takes_late_stands_in_its_order()
    {
        await using TestJob job = await StartAsync();
        Task flushing = Disk.Shut();
        Task<BearerToken> getting = job.Warehouse.GetAsync().AsTask();
        await flushing;
        await Eventually.HoldsAsync(() => job.Time.PendingTimers > 0, "the wait for the record");
        await Eventually.HoldsAsync(() =>
        {
            job.Time.Advance(TimeSpan.FromMilliseconds(100));
            return getting.IsCompleted;
        }, "the end of that wait");

        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => getting)!.Code, Is.EqualTo("NHI6001"));
        Assert.That(job.Issuer.Requests, Is.Empty);
        Disk.Gate.Set();
        job.Time.Advance(TimeSpan.FromMinutes(1));
        await job.Warehouse.GetAsync();
        await job.Session.CompleteAsync();
        Assert.That(Kinds(FollowChain(Files())), Is.EqualTo(new[] { "Attested", "Failed", "Attested", "Permitted", "Exchanging", "Issued", "Revoked" }));
    }

    [Test]
    public async Task A_disk_that_hangs_at_the_job_s_end_holds_it_up_by_two_seconds()
    {
        await using TestJob job = await StartAsync();
        await job.Warehouse.GetAsync();
        _ = Disk.Shut();
        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(() => job.Issuer.Revoked.Count == 1, "the revocation");
        job.Time.Advance(TimeSpan.FromSeconds(12));

        Assert.That((await ending).AllEnded, Is.True);
        Assert.That(Log.Text, Does.Contain("The audit has not come to its end by now"));
        Disk.Gate.Set();
        await job.Session.Released;
        Assert.That(Marks(FollowChain(Files())), Is.EqualTo(new[] { "file", "end" }), "it goes on as long as the process does");
    }

    [Test]
    public async Task Sixty_four_grants_at_once_share_flushes()
    {
        const int Grants = 64;
        await using TestJob job = await StartAsync(target: t => t.Scopes = ScopeSet.Of([.. Enumerable.Range(0, Grants).Select(i => FormattableString.Invariant($"s{i}"))]));
        int before = Disk.Flushes;
        Task flushing = Disk.Shut();
        Task<BearerToken>[] grants = [.. Enumerable.Range(0, Grants).Select(i => Task.Run(async () => await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of(FormattableString.Invariant($"s{i}")) })))];
        await flushing;
        // The file is told of each event before the other sink is.
        await Eventually.HoldsAsync(() => job.Audit.Kinds.Count == Grants, "the first event of each");
        Disk.Gate.Set();
        await Task.WhenAll(grants);

        Assert.That(job.Audit.Kinds, Has.Count.EqualTo(4 * Grants));
        Assert.That(Disk.Flushes - before, Is.LessThanOrEqualTo(2 + (3 * Grants)), "the first events of all took two");
        Assert.That(Kinds(FollowChain(Files())), Is.EquivalentTo(job.Audit.Kinds.Select(kind => kind.ToString())));
    }

    [Test]
    public async Task A_job_that_cannot_start_leaves_a_chain_that_is_whole()
    {
        Assert.That(() => StartAsync(more: b => b.Policy(new ThrowingPolicy())), Throws.InstanceOf<NotSupportedException>());
        Assert.That(Marks(FollowChain(Files())), Is.EqualTo(new[] { "file", "end" }));
        await using TestJob next = await StartAsync();
    }

    [Test]
    public async Task A_folder_that_is_not_required_holds_no_exchange_up_and_fails_none()
    {
        await using TestJob job = await StartAsync(options: o => o.IsRequired = false);
        _ = Disk.Shut();
        await job.Warehouse.GetAsync();
        Disk.Gate.Set();
        await job.Session.CompleteAsync();
        Assert.That(Kinds(FollowChain(Files())), Is.EqualTo(new[] { "Attested", "Permitted", "Exchanging", "Issued", "Revoked" }));

        await using TestJob full = await StartAsync(options: o => o.IsRequired = false);
        Disk.Room = 0;
        await full.Warehouse.GetAsync();
        await full.Session.CompleteAsync();
        Assert.That(Log.Text, Does.Contain("audit event(s) were dropped that the sink AuditFileSink did not take (IOException)"));
    }

    private Task<TestJob> StartAsync(Action<TargetOptions>? target = null, Action<AuditFolderOptions>? options = null, Action<TokenExchangeBuilder>? more = null) => TestJob.StartAsync(target: target, more: b =>
    {
        b.AuditFolder(Folder, options).AuditDisk(Disk).Logging(Log);
        more?.Invoke(b);
    });

    private static IEnumerable<string> Kinds(IEnumerable<JsonElement> events) => events.Where(one => one.TryGetProperty("unmapped", out _)).Select(one => one.GetProperty("unmapped").GetProperty("kind").GetString()!);

    private sealed class ThrowingPolicy : IAccessPolicy
    {
        public string Revision => "1";

        public ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken) => new(AccessDecision.Permit("all"));

        public Microsoft.Extensions.Primitives.IChangeToken GetChangeToken() => throw new NotSupportedException();
    }
}
