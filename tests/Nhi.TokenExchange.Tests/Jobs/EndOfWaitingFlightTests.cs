namespace Nhi.TokenExchange.Tests;

/// <summary>A refresh that is in the air, or waits to be tried again, when its job ends; and what the log says of it.</summary>
internal sealed class EndOfWaitingFlightTests
{
    [Test]
    public async Task The_end_does_not_wait_for_an_exchange_that_only_waits_to_be_tried_again()
    {
        var time = new ManualTimeProvider();
        await using EmulatedJob job = await EmulatedJob.StartAsync(time);
        job.Emulator.Faults.Always(EmulatorEndpoint.AuthorizationToken, Fault.Status(503));
        Task<BearerToken> caller = job.Warehouse.GetAsync().AsTask();
        await Eventually.HoldsAsync(() => job.Exchanges == 1, "the first try");
        DateTimeOffset began = time.GetUtcNow();

        JobReport report = await job.Session.CompleteAsync().WaitAsync(TimeSpan.FromSeconds(20));   // the clock stands still: a wait never ends

        Assert.That((report.FlightsInTheAir, report.AllEnded, job.Exchanges, time.GetUtcNow()), Is.EqualTo((0, true, 1, began)));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => caller)!.Code, Is.EqualTo(ErrorCodes.JobEnded));
    }

    [Test]
    public async Task A_refresh_that_fails_while_a_good_credential_is_held_says_that_it_is_served_on()
    {
        var log = new LoggedText();
        await using TestJob job = await TestJob.StartAsync(more: b => b.Logging(log));
        await RefreshAsync(job, () => { });
        Assert.That(log.Text, Does.Contain("the current credential is served on while it is good"));
    }

    [Test]
    public async Task One_that_fails_after_the_current_one_s_end_does_not()
    {
        var log = new LoggedText();
        await using TestJob job = await TestJob.StartAsync(more: b => b.Logging(log));
        await RefreshAsync(job, () => job.Time.Advance(TimeSpan.FromHours(2)));
        Assert.That(log.Text, Does.Contain("Refresh of warehouse failed").And.Contain("nothing that is good is held").And.Not.Contain("served on"));
    }

    [Test]
    public async Task One_that_fails_when_the_job_ends_does_not()
    {
        var log = new LoggedText();
        await using TestJob job = await TestJob.StartAsync(more: b => b.Logging(log));
        await RefreshAsync(job, () => _ = job.Session.RevokeAsync("incident"));
        await job.Session.CompleteAsync();
        Assert.That(log.Text, Does.Contain("Refresh of warehouse failed").And.Contain("the job ends, and nothing is handed out any more").And.Not.Contain("served on"));
    }

    private static async Task RefreshAsync(TestJob job, Action whileItIsSent)
    {
        await job.Warehouse.GetAsync();
        await job.QuietAsync();
        job.Issuer.Answer = _ =>
        {
            whileItIsSent();
            throw new TokenExchangeException("NHI4002", ExchangeStage.Exchange, "Down.") { IsTransient = true };
        };
        job.Time.Advance(TimeSpan.FromMinutes(50));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();
    }
}
