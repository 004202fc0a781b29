namespace Nhi.TokenExchange.Tests;

/// <summary>How long a job may run at most.</summary>
internal sealed class LongestDurationTests
{
    [Test]
    public async Task The_job_is_ended_when_its_time_is_up_and_callers_are_told()
    {
        using var logged = new LoggedText();
        await using TestJob job = await StartAsync(b => b.Logging(logged));
        job.Time.Advance(TimeSpan.FromHours(2) - TimeSpan.FromSeconds(1));
        await job.Warehouse.GetAsync();
        Assert.That(job.Session.Leases.IsClosed, Is.False);

        job.Time.Advance(TimeSpan.FromSeconds(1));

        TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;
        JobReport report = await job.Session.CompleteAsync();
        Assert.That((error.Code, error.Stage), Is.EqualTo(("NHI7003", ExchangeStage.JobEnded)));
        Assert.That(error.Message, Does.Contain("The job has run for its MaxDuration of 02:00:00"));
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued).And.Count.EqualTo(1));
        Assert.That(report.AllEnded, Is.True);
        Assert.That(job.Audit.Events[^1].Reason, Is.EqualTo("the job had run for its MaxDuration of 02:00:00"));
        Assert.That(logged.Text, Does.Contain("; the job had run for its MaxDuration of 02:00:00"));
    }

    [Test]
    public async Task Time_that_the_machine_slept_counts()
    {
        await using TestJob job = await StartAsync();
        job.Time.Suspend(TimeSpan.FromHours(3));
        job.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!.Code, Is.EqualTo("NHI7003"));
    }

    [Test]
    public async Task A_wall_clock_that_is_set_back_gives_no_more_time()
    {
        await using TestJob job = await StartAsync();
        job.Time.SetWall(job.Time.GetUtcNow() - TimeSpan.FromHours(5));
        job.Time.Advance(TimeSpan.FromHours(2));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!.Code, Is.EqualTo("NHI7003"));
    }

    [Test]
    public async Task A_job_that_ends_before_leaves_no_timer_and_without_a_limit_there_is_none()
    {
        await using TestJob limited = await StartAsync();
        int whileItRuns = limited.Time.PendingTimers;
        await limited.Session.CompleteAsync();
        await using TestJob unlimited = await TestJob.StartAsync();
        Assert.That((whileItRuns, limited.Time.PendingTimers, unlimited.Time.PendingTimers), Is.EqualTo((1, 0, 0)));
    }

    [TestCase(0)]
    [TestCase(24 * 3600)]
    public void A_limit_out_of_its_range_is_refused(int seconds) =>
        Assert.That(async () => await StartAsync(b => b.MaxDuration(TimeSpan.FromSeconds(seconds))), Throws.TypeOf<TokenExchangeException>().With.Message.Contains("MaxDuration: is ").And.Message.Contains("from 00:00:01 to 23:59:59"));

    [Test]
    public void Settings_say_both_and_code_wins()
    {
        string path = Path.Combine(Path.GetTempPath(), "kill"), other = Path.Combine(Path.GetTempPath(), "other");
        SessionPlan said = Configuration.Sections.Freeze(Configuration.Sections.With(("MaxDuration", "01:30:00"), ("KillSwitch", path)));
        SessionPlan overruled = Configuration.Sections.Freeze(Configuration.Sections.With(("MaxDuration", "01:30:00"), ("KillSwitch", path)), b => b.MaxDuration(TimeSpan.FromMinutes(5)).KillSwitch(other));
        Assert.That((said.MaxDuration, said.KillSwitch), Is.EqualTo(((TimeSpan?)TimeSpan.FromMinutes(90), path)));
        Assert.That((overruled.MaxDuration, overruled.KillSwitch), Is.EqualTo(((TimeSpan?)TimeSpan.FromMinutes(5), other)));
    }

    private static Task<TestJob> StartAsync(Action<TokenExchangeBuilder>? more = null) => TestJob.StartAsync(more: b =>
    {
        b.MaxDuration(TimeSpan.FromHours(2));
        more?.Invoke(b);
    });
}
