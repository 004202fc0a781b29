using System.Collections.Concurrent;
using System.Globalization;

namespace Nhi.TokenExchange.Tests;

/// <summary>In which order a recovery asks issuers, and what one that hangs holds up.</summary>
internal sealed class RecoveryOrderTests : JournalFixture
{
    private const string Issuer = "https://issuer.test/";

    private readonly ManualTimeProvider _time = new();
    private readonly TaskCompletionSource<Revocation> _never = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Test]
    public async Task An_issuer_that_hangs_holds_up_no_other_and_is_asked_no_more_once_it_has_answered_nobody([Values(1, 30)] int journals)
    {
        int silent = 0, healthy = 0;
        for (int i = 0; i < journals; i++)
            Write($"{Header}\n{string.Join('\n', Enumerable.Range(1, 20).Select(number => Of("silent", number)))}\n{Of("healthy", 21)}\n");
        Task<RecoveryReport> recovering = RecoverAsync(("healthy", _ => Answered(ref healthy)), ("silent", _ =>
        {
            Interlocked.Increment(ref silent);
            return _never.Task;
        }));

        await Eventually.HoldsAsync(() => (Volatile.Read(ref healthy), Volatile.Read(ref silent)) == (journals, 16), "each revocation of the one, and the first of the other");
        Assert.That(recovering.IsCompleted, Is.False);
        _time.Advance(TimeSpan.FromSeconds(10));
        RecoveryReport report = await recovering;

        Assert.That(silent, Is.EqualTo(16), "the others would have waited as long, in vain");
        LeaseOutcome[] left = [.. report.Jobs.SelectMany(job => job.Leases).Where(lease => lease.End == LeaseEnd.Failed)];
        Assert.That((report.AllEnded, left.Length), Is.EqualTo((false, 20 * journals)));
        Assert.That(left.Select(lease => lease.Target), Is.All.EqualTo("silent"));
        Assert.That(left.Count(lease => lease.Reason!.Contains("not asked for by this recovery, as none of its target ended for 10 seconds (of one of those: not done until the deadline, at https://issuer.test/); the next recovery asks for it", StringComparison.Ordinal)), Is.EqualTo((20 * journals) - 16));
        Assert.That(Files(), Has.Length.EqualTo(journals), "what was not reached stays");
    }

    [Test]
    public async Task An_issuer_that_answers_some_is_asked_for_all()
    {
        int asked = 0;
        Write($"{Header}\n{string.Join('\n', Enumerable.Range(1, 40).Select(number => Of("slow", number)))}\n");
        Task<RecoveryReport> recovering = RecoverAsync(("slow", request => Interlocked.Increment(ref asked) % 16 == 1 ? _never.Task : Task.FromResult(Revocation.AlreadyGone)));

        await Eventually.HoldsAsync(() => Volatile.Read(ref asked) == 40, "the last one");
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.That((await recovering).Jobs.Single().Leases.Count(lease => lease.End == LeaseEnd.AlreadyGone), Is.EqualTo(37));
    }

    [TestCase(3)]
    [TestCase(40)]
    public async Task What_was_got_through_another_is_ended_before_that_and_the_longest_lived_first(int children)
    {
        var asked = new ConcurrentQueue<int>();
        using var gate = new Gate();
        int answered = 0, answeredBefore = 0;
        Write($"{Header}\n{Of("warehouse", 1)}\n{string.Join('\n', Enumerable.Range(2, children).Select(number => Of("orders", number, diesAt: $"{2100 + number}-01-01T00:00:00.0000000+00:00")))}\n");
        Task<RecoveryReport> recovering = RecoverAsync(
            [("warehouse", _ =>
            {
                answeredBefore = Volatile.Read(ref answered);
                return Task.FromResult(Revocation.AlreadyGone);
            }), ("orders", async request =>
            {
                asked.Enqueue(int.Parse(request.Handle!.AsSpan("lease/f".Length), CultureInfo.InvariantCulture));
                await gate.PassAsync();
                Interlocked.Increment(ref answered);
                return Revocation.AlreadyGone;
            })], through: "warehouse");

        int atOnce = Math.Min(children, 16);
        await Eventually.HoldsAsync(() => asked.Count >= atOnce, "those that are asked for at once");
        Assert.That(asked.Order(), Is.EqualTo(Enumerable.Range(children + 2 - atOnce, atOnce)));
        gate.Open();

        Assert.That((await recovering).AllEnded, Is.True);
        Assert.That(answeredBefore, Is.EqualTo(children));
    }

    [Test]
    public async Task A_plug_in_that_blocks_its_thread_holds_up_no_other_target()
    {
        using var open = new ManualResetEventSlim();
        int healthy = 0;
        Write($"{Header}\n{Of("blocking", 1)}\n{Of("healthy", 2)}\n");
        Task<RecoveryReport> recovering = RecoverAsync(("healthy", _ => Answered(ref healthy)), ("blocking", _ =>
        {
            open.Wait();
            return Task.FromResult(Revocation.AlreadyGone);
        }));

        await Eventually.HoldsAsync(() => Volatile.Read(ref healthy) == 1, "the other's revocation");
        open.Set();

        Assert.That((await recovering).AllEnded, Is.True);
    }

    [Test]
    public async Task Journals_that_were_not_looked_at_before_the_job_ended_are_told_of()
    {
        const int Left = 70, AtOnce = 64;
        for (int i = 0; i < Left; i++)
            Write($"{Header}\n{Of("silent", 1)}\n");
        await using JobSession brief = await JobSession.StartAsync(b =>
        {
            Compose(b, [("silent", _ => _never.Task)]);
            b.EndWithin(TimeSpan.FromSeconds(5));
        });
        await Eventually.HoldsAsync(() => _time.PendingTimers > 0, "a revocation");
        Task<JobReport> ending = brief.CompleteAsync();
        await Eventually.HoldsAsync(() => brief.Ended.IsCancellationRequested, "the job's end");
        _time.Advance(TimeSpan.FromSeconds(5));
        await ending.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System);
        RecoveryReport report = await brief.WaitForRecoveryAsync();

        int notReached = Left - report.Jobs.Count;
        Assert.That((report.AllEnded, report.Refused.Single().Code), Is.EqualTo((false, "NHI7007")), report.ToString());
        Assert.That(notReached, Is.GreaterThanOrEqualTo(Left - AtOnce));
        Assert.That(report.ToString(), Does.Contain($"{notReached} journal(s) in '{Journals}' were not looked at before this recovery was stopped"));
    }

    [Test]
    public async Task A_journal_whose_job_lives_is_not_counted_among_those_that_were_not_looked_at()
    {
        const int AtOnce = 64, OfOneTarget = 16;
        string[] targets = ["silent-1", "silent-2", "silent-3", "silent-4"];
        for (int i = 0; i < AtOnce; i++)
            Write($"{Header}\n{Of(targets[i / OfOneTarget], 1)}\n");
        Write($"{Header}\n{Of(targets[0], 1)}\n");
        using FileStream living = Locked(Write($"{Header}\n{Of(targets[0], 1)}\n")), another = Locked(Write($"{Header}\n{Of(targets[0], 1)}\n"));
        int asked = 0;
        await using JobSession brief = await JobSession.StartAsync(b =>
        {
            Compose(b, [.. targets.Select(target => (target, (Func<RevocationRequest<BearerToken>, Task<Revocation>>)(_ =>
            {
                Interlocked.Increment(ref asked);
                return _never.Task;
            })))]);
            b.EndWithin(TimeSpan.FromSeconds(5));
        });
        await Eventually.HoldsAsync(() => Volatile.Read(ref asked) == AtOnce, "as many journals as are open at once");
        Task<JobReport> ending = brief.CompleteAsync();
        await Eventually.HoldsAsync(() => brief.Ended.IsCancellationRequested, "the job's end");
        _time.Advance(TimeSpan.FromSeconds(5));
        await ending.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System);
        RecoveryReport report = await brief.WaitForRecoveryAsync();

        Assert.That(report.Refused.Single().Message, Does.Contain($"1 journal(s) in '{Journals}' were not looked at"), report.ToString());

        // As a living job has it.
        static FileStream Locked(string journal) => new(journal, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
    }

    private static string Of(string target, int number, string diesAt = "2126-01-01T00:00:00.0000000+00:00") => Lease(number, diesAt: diesAt, target: target, issuer: Issuer);

    private static Task<Revocation> Answered(ref int count)
    {
        Interlocked.Increment(ref count);
        return Task.FromResult(Revocation.AlreadyGone);
    }

    private Task<RecoveryReport> RecoverAsync(params (string Target, Func<RevocationRequest<BearerToken>, Task<Revocation>> OnRevoke)[] targets) => RecoverAsync(targets, through: null);

    private Task<RecoveryReport> RecoverAsync((string Target, Func<RevocationRequest<BearerToken>, Task<Revocation>> OnRevoke)[] targets, string? through) => JobSession.RecoverAsync(b => Compose(b, targets, through));

    private void Compose(TokenExchangeBuilder builder, (string Target, Func<RevocationRequest<BearerToken>, Task<Revocation>> OnRevoke)[] targets, string? through = null)
    {
        builder.Identity("job", TestProofs.Source(_time), ActsFor.Workload).Audit(new RecordingSink()).Journal(Journals).Time(_time).Jitter(() => 0).EndOnSignals(false);
        foreach ((string target, Func<RevocationRequest<BearerToken>, Task<Revocation>> onRevoke) in targets)
        {
            builder.Target(target, new TestExchanger(_time) { OnRevoke = onRevoke }, options =>
            {
                if (through is null || target == through)
                    options.Identity = "job";
                else
                    options.Through = through;
            });
        }
    }
}
