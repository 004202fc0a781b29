using System.Diagnostics;

namespace Nhi.TokenExchange.Tests;

/// <summary>How a whole process ends with its job.</summary>
[Platform(Include = "Linux,MacOsX", Reason = "Sends POSIX signals with kill(1).")]
[Parallelizable]
public class JobEndTests
{
    [TestCase("TERM", 143)]
    [TestCase("INT", 130)]
    [TestCase("HUP", 129)]
    public async Task A_signal_ends_the_leases_first_and_then_does_what_it_always_does(string signal, int exitCode)
    {
        using Process child = await StartAsync("wait");

        using (Process kill = Process.Start("kill", [$"-{signal}", $"{child.Id}"]))
            await kill.WaitForExitAsync();
        (string rest, _, int ended) = await ChildProcess.EndAsync(child);

        Assert.That(rest, Does.Contain("revoked").And.Contain($"audit: the job ended (SIG{signal})\n"));
        Assert.That(ended, Is.EqualTo(exitCode));
    }

    [TestCase("TERM", 143)]
    [TestCase("INT", 130)]
    public async Task An_emulator_in_the_process_takes_no_signal_away(string signal, int exitCode)
    {
        using Process child = await StartAsync("wait beside the emulator");
        Assert.That(await ChildProcess.ReadLineAsync(child), Is.EqualTo("emulating"));

        using (Process kill = Process.Start("kill", [$"-{signal}", $"{child.Id}"]))
            await kill.WaitForExitAsync();
        (string rest, _, int ended) = await ChildProcess.EndAsync(child);

        Assert.That(rest, Does.Contain("revoked"));
        Assert.That(ended, Is.EqualTo(exitCode));
    }

    [TestCase("exit")]
    [TestCase("exit", "hosted")]
    public async Task Environment_Exit_ends_the_leases(params string[] how)
    {
        using Process child = await StartAsync(how);

        (string rest, _, int ended) = await ChildProcess.EndAsync(child);

        Assert.That(rest, Does.Contain("revoked").And.Contain("audit: the job ended (exit)\n"));
        Assert.That(ended, Is.EqualTo(3));
    }

    [Test]
    public async Task The_normal_end_ends_the_leases()
    {
        using Process child = await StartAsync("end");

        (string rest, _, int ended) = await ChildProcess.EndAsync(child);

        Assert.That(rest, Does.Contain("revoked").And.Contain("audit: the job ended (disposed)\n"));
        Assert.That(ended, Is.Zero);
    }

    [Test]
    public async Task A_job_that_throws_ends_its_leases_on_the_way_out()
    {
        using Process child = await StartAsync("throw");

        (string rest, _, int ended) = await ChildProcess.EndAsync(child);

        Assert.That(rest, Does.Contain("revoked"));
        Assert.That(ended, Is.Not.Zero);
    }

    [TestCase("throw on a thread")]
    [TestCase("throw on a thread", "hosted")]
    public async Task An_exception_that_nobody_caught_ends_the_leases_before_it_ends_the_process(params string[] how)
    {
        using Process child = await StartAsync(how);

        (string rest, string error, int ended) = await ChildProcess.EndAsync(child);

        Assert.That(rest, Does.Contain("revoked").And.Contain("audit: the job ended (unhandled exception System.InvalidOperationException)\n"));
        Assert.That(ended, Is.EqualTo(134), "SIGABRT, as always");
        Assert.That(error, Does.Contain("a thread's own failure"));
    }

    [TestCase(0, "unrevoked")]
    [TestCase(69, "unrevoked", "fail")]
    [TestCase(0, "exit unrevoked")]
    [TestCase(69, "exit unrevoked", "fail")]
    [TestCase(0, "end", "fail")]
    [TestCase(3, "exit", "fail")]
    public async Task FailOnUnrevoked_makes_the_process_fail_and_nothing_else_does(int exitCode, params string[] how)
    {
        using Process child = await StartAsync(how);
        Assert.That((await ChildProcess.EndAsync(child)).ExitCode, Is.EqualTo(exitCode));
    }

    private static async Task<Process> StartAsync(params string[] how)
    {
        Process child = ChildProcess.StartForSignals(how);
        Assert.That(await ChildProcess.ReadLineAsync(child), Is.EqualTo("ready"));
        return child;
    }

    [Test]
    public async Task T1_A_wall_clock_that_is_ahead_when_the_job_ends_leaves_nothing_unrevoked()
    {
        var time = new ManualTimeProvider();
        await using EmulatedJob job = await EmulatedJob.StartAsync(time, emulated: new ManualTimeProvider());
        BearerToken token = await job.Warehouse.GetAsync();
        time.SetWall(token.ExpiresAt.AddHours(1));

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(job.Emulator.Ledger.IsAlive(token.Fingerprint), Is.False);
        Assert.That(report.Leases.Single().End, Is.EqualTo(LeaseEnd.Revoked));
    }

    [Test]
    public async Task T1_A_credential_that_comes_dead_by_a_clock_that_is_ahead_is_revoked_and_not_taken_for_gone()
    {
        var time = new ManualTimeProvider();
        await using EmulatedJob job = await EmulatedJob.StartAsync(time, emulated: new ManualTimeProvider(), proof: claims => claims.Lives(new ManualTimeProvider().GetUtcNow(), TimeSpan.FromDays(1)),
            target: (options, _) => options.RequestedTokenType = SubjectTokenType.Jwt);
        time.SetWall(time.GetUtcNow().AddHours(2));

        TokenExchangeException dead = Assert.ThrowsAsync<TokenExchangeException>(() => job.Warehouse.GetAsync().AsTask())!;

        Assert.That(dead.Code, Is.EqualTo("NHI5003"));
        Assert.That(job.Emulator.Ledger.Issued.Count(issue => issue.RevokedAt is null), Is.Zero);
    }
}
