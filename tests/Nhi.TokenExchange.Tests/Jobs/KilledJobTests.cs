using System.Diagnostics;

namespace Nhi.TokenExchange.Tests;

/// <summary>What jobs leave behind that are killed, and what the next ones make of it.</summary>
[Platform(Include = "Linux,MacOsX", Reason = "Kills processes with SIGKILL.")]
internal sealed class KilledJobTests : JournalFixture
{
    // Of the job of seventy-five credentials: it says that it started, and then three steps of each.
    private const int AllLines = 1 + (3 * 75);

    private IEnumerable<string> WithHandle => Fingerprints("held").Concat(Fingerprints("chosen"));

    [Test]
    public async Task Killed_at_any_instant_it_leaves_nothing_unrevoked_that_has_a_handle_and_nothing_untold([Range(1, 20)] int run)
    {
        int seed = Environment.TickCount + (run * 7919);
        int lines = new Random(seed).Next(1, AllLines + 1);
        TestContext.Out.WriteLine($"seed {seed}: killed after {lines} of {AllLines} lines");
        await KillJobAsync(lines);
        var audit = new RecordingSink();

        RecoveryReport report = await RecoverAsync(audit);

        IReadOnlyList<string> held = Fingerprints("held"), chosen = Fingerprints("chosen"), bare = Fingerprints("bare"), revoked = Fingerprints("revoked");
        LeaseOutcome[] leases = [.. report.Jobs.SelectMany(job => job.Leases)];
        Assert.That(report.AllEnded, Is.True, report.ToString());
        Assert.That(report.Jobs, Has.Count.LessThanOrEqualTo(1));
        Assert.That(Fingerprints("again"), Is.Empty, "each was revoked once");
        Assert.That(leases.Count(lease => lease.End == LeaseEnd.Revoked), Is.EqualTo(revoked.Count));
        Assert.That(leases.Where(lease => lease.End == LeaseEnd.Revoked && lease.Fingerprint.Length > 0).Select(lease => lease.Fingerprint), Is.SubsetOf(revoked));
        Assert.That(chosen, Is.SubsetOf(revoked), "a handle that was known before the exchange ends it at any instant");
        Assert.That(leases.Where(lease => lease.Target == "bare").Select(lease => lease.End), Is.All.EqualTo(LeaseEnd.CannotBeRevoked));
        // What the issuer had made when its answer had not come yet is an exchange in the air.
        int unknown = held.Except(revoked).Count() + bare.Except(leases.Select(lease => lease.Fingerprint)).Count();
        Assert.That(unknown, Is.LessThanOrEqualTo(report.Jobs.Sum(job => job.FlightsInTheAir)), "none is forgotten");
        Assert.That(audit.Events.Count(one => one.Kind == AuditEventKind.Revoked), Is.EqualTo(revoked.Count));
        Assert.That(audit.Events.Count(one => one.Kind == AuditEventKind.Recovered), Is.EqualTo(report.Jobs.Sum(job => job.FlightsInTheAir)));
        Assert.That(audit.Events.Select(one => (one.Job.Pipeline, one.Job.Run)), Is.All.EqualTo(("orders-nightly", "4711")));
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task Nothing_that_was_handed_out_is_unknown_to_the_next()
    {
        await KillJobAsync(AllLines);

        RecoveryReport report = await RecoverAsync();

        Assert.That(report.Jobs.Single().FlightsInTheAir, Is.Zero);
        Assert.That(Fingerprints("revoked"), Is.EquivalentTo(WithHandle).And.Count.EqualTo(50));
        Assert.That(report.Jobs.Single().Leases, Has.Count.EqualTo(75));
        Assert.That(report.Jobs.Single().Leases.Where(lease => lease.Target == "bare").Select(lease => lease.ToString()), Is.All.Contains("cannot be revoked, dies at"));
    }

    [Test]
    public async Task The_next_job_recovers_beside_its_own_work_and_tells_log_and_audit()
    {
        await KillJobAsync(AllLines);
        using var logged = new LoggedText();
        var audit = new RecordingSink();

        await using JobSession next = await JobSession.StartAsync(b => Compose(b, audit).Job(new JobContext { Pipeline = "orders-nightly", Run = "4712" }).Logging(logged));
        RecoveryReport report = await next.WaitForRecoveryAsync();

        Assert.That(report.AllEnded, Is.True);
        Assert.That(Fingerprints("revoked"), Is.EquivalentTo(WithHandle));
        Assert.That(logged.Text, Does.Contain("What earlier jobs left behind, killed or ended, was dealt with").And.Match("run 4711.* \\(session [0-9a-f-]{18}-0000-000000000000, process [0-9]+, started .+Z, was killed\\): .+; "));
        Assert.That(audit.Events.Where(one => one.Kind == AuditEventKind.Revoked).Select(one => one.Job.Run), Is.All.EqualTo("4711"));
        Assert.That((await next.CompleteAsync()).Leases, Is.Empty, "they are not its own");
    }

    [Test]
    public async Task Of_two_recoverers_one_recovers()
    {
        await KillJobAsync(AllLines);
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var open = new ManualResetEventSlim();
        Task<RecoveryReport> first = RecoverAsync(before: _ =>
        {
            reached.TrySetResult();
            open.Wait();
        });
        await reached.Task;

        RecoveryReport second = await RecoverAsync();
        open.Set();

        Assert.That(second.Jobs, Is.Empty);
        Assert.That(second.Refused, Is.Empty);
        Assert.That((await first).Jobs.Single().Leases, Has.Count.EqualTo(75));
        Assert.That(Fingerprints("again"), Is.Empty);
    }

    [Test]
    public async Task Recoverers_of_many_processes_at_once_revoke_each_once()
    {
        await KillJobAsync(AllLines);
        Process[] recoverers = [.. Enumerable.Range(0, 4).Select(_ => ChildProcess.Start("recover", Journals, Ledger))];
        string[] said = [.. (await Task.WhenAll(recoverers.Select(ChildProcess.EndAsync))).Select(recovered => recovered.Said)];
        foreach (Process recoverer in recoverers)
            recoverer.Dispose();

        Assert.That(said, Is.All.Contains("recovered"));
        Assert.That(said.Sum(text => text.Split('\n').Count(line => line == "revoke")), Is.EqualTo(50));
        Assert.That(Fingerprints("revoked"), Is.EquivalentTo(WithHandle));
        Assert.That(Files(), Is.Empty);
    }

    [TestCase(1)]
    [TestCase(9)]
    [TestCase(20)]
    public async Task A_recoverer_that_is_killed_leaves_the_rest_to_the_next(int afterLines)
    {
        await KillJobAsync(AllLines);
        using (Process recoverer = ChildProcess.Start("recover", Journals, Ledger))
        {
            for (int line = 0; line < afterLines; line++)
                Assert.That(await ChildProcess.ReadLineAsync(recoverer), Is.EqualTo("revoke"));
            recoverer.Kill();
            await recoverer.WaitForExitAsync();
        }

        RecoveryReport report = await RecoverAsync();

        Assert.That(report.AllEnded, Is.True);
        Assert.That(Fingerprints("revoked"), Is.EquivalentTo(WithHandle));
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task A_job_that_lives_is_left_alone()
    {
        using Process child = ChildProcess.Start("journal", Journals, Ledger);
        for (int line = 0; line < AllLines; line++)
            await ChildProcess.ReadLineAsync(child);

        RecoveryReport report = await RecoverAsync();

        Assert.That((report.Jobs.Count, report.Refused.Count), Is.EqualTo((0, 0)));
        Assert.That(Fingerprints("revoked"), Is.Empty);
        child.Kill();
        await child.WaitForExitAsync();
    }
}
