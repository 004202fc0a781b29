using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests.DependencyInjection;

/// <summary>Says how each target fares, and asks nobody.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class HealthCheckTests
{
    private readonly Services _services = new();

    [Test]
    public async Task A_target_that_nobody_asked_is_healthy_and_stays_unasked()
    {
        await using ServiceProvider container = Build();

        HealthReport report = await CheckAsync(container);

        Assert.That(report.Entries.Keys, Is.EquivalentTo(["token-exchange:warehouse", "token-exchange:lake", "token-exchange:box"]));
        Assert.That(report.Status, Is.EqualTo(HealthStatus.Healthy));
        Assert.That(_services.Warehouse.Requests, Is.Empty);
    }

    [Test]
    public async Task A_held_credential_is_healthy_and_told_by_fingerprint_alone()
    {
        await using ServiceProvider container = Build();
        BearerToken token = await GetAsync(container);

        HealthReportEntry entry = await WarehouseAsync(container);

        Assert.That(entry.Status, Is.EqualTo(HealthStatus.Healthy));
        Assert.That(entry.Data["fingerprint"], Is.EqualTo(token.Fingerprint));
        Assert.That(string.Join(' ', entry.Data.Values) + entry.Description, Does.Not.Contain(token.Reveal()));
    }

    [Test]
    public async Task A_failing_refresh_beside_a_good_credential_is_degraded_until_it_works_again()
    {
        await using ServiceProvider container = Build();
        await GetAsync(container);
        _services.Warehouse.Answer = _ => throw Down();
        _services.Time.Advance(TimeSpan.FromMinutes(45));
        await RefreshAsync(container);

        HealthReportEntry entry = await WarehouseAsync(container);
        Assert.That((entry.Status, entry.Data["code"], entry.Data["state"]), Is.EqualTo((HealthStatus.Degraded, "NHI4002", "refresh failing")));

        _services.Warehouse.Answer = null;
        _services.Time.Advance(TimeSpan.FromSeconds(5));
        await RefreshAsync(container);
        Assert.That((await WarehouseAsync(container)).Status, Is.EqualTo(HealthStatus.Healthy));
    }

    [Test]
    public async Task The_next_try_is_told_by_the_wait_that_stands_and_not_after_the_credential_beside_it_is_gone()
    {
        await using ServiceProvider container = Build();
        await GetAsync(container);
        _services.Warehouse.Answer = _ => throw Down();
        _services.Time.Advance(new TimeSpan(0, 59, 20));   // the credential is handed out for 30 s more
        foreach (double wait in (double[])[0.5, 1, 2, 4, 8])
        {
            await RefreshAsync(container);
            Assert.That(await NextTryAsync(container), Is.EqualTo(TimeSpan.FromSeconds(wait)));
            _services.Time.Advance(TimeSpan.FromSeconds(wait / 2));
            Assert.That(await NextTryAsync(container), Is.EqualTo(TimeSpan.FromSeconds(wait / 2)));
            _services.Time.Advance(TimeSpan.FromSeconds(wait / 2));
            Assert.That(await NextTryAsync(container), Is.EqualTo(TimeSpan.Zero));
        }
        await RefreshAsync(container);
        Assert.That(await NextTryAsync(container), Is.EqualTo(TimeSpan.FromSeconds(16)));

        _services.Time.Advance(TimeSpan.FromSeconds(15));
        HealthReportEntry entry = await WarehouseAsync(container);
        Assert.That((entry.Data["state"], entry.Data["nextTryIn"]), Is.EqualTo(("failed", TimeSpan.Zero)), "a second is left of that wait, but it counts only beside a good credential");
        _services.Warehouse.Answer = null;
        await GetAsync(container);
        Assert.That((await WarehouseAsync(container)).Data, Does.Not.ContainKey("nextTryIn"));
    }

    [Test]
    public async Task A_failed_exchange_with_nothing_held_is_unhealthy_and_a_minute_untried_degraded()
    {
        await using ServiceProvider container = Build();
        _services.Warehouse.Answer = _ => throw Down();
        await Services.RefusedAsync(() => GetAsync(container));

        HealthReportEntry entry = await WarehouseAsync(container);
        Assert.That((entry.Status, entry.Data["nextTryIn"]), Is.EqualTo((HealthStatus.Unhealthy, TimeSpan.FromSeconds(0.5))));
        _services.Time.Advance(TimeSpan.FromSeconds(61));

        Assert.That((await WarehouseAsync(container)).Status, Is.EqualTo(HealthStatus.Degraded), "or a service out of rotation would never be asked again");
        Assert.That(_services.Warehouse.Requests, Has.Count.EqualTo(1));
        Assert.That((await CheckAsync(container)).Entries["token-exchange:lake"].Status, Is.EqualTo(HealthStatus.Healthy));
    }

    [Test]
    public async Task One_refused_credential_is_no_trouble_a_row_of_them_is()
    {
        await using ServiceProvider container = Build();
        CredentialProvider<BearerToken> warehouse = container.GetRequiredKeyedService<CredentialProvider<BearerToken>>("warehouse");
        warehouse.Reject(await warehouse.GetAsync());
        Assert.That((await WarehouseAsync(container)).Status, Is.EqualTo(HealthStatus.Healthy));

        warehouse.Reject(await warehouse.GetAsync());

        HealthReportEntry entry = await WarehouseAsync(container);
        Assert.That((entry.Status, entry.Data["code"]), Is.EqualTo((HealthStatus.Unhealthy, "NHI8004")));
    }

    [Test]
    public async Task After_the_end_it_is_what_the_registration_says_of_failures()
    {
        await using ServiceProvider container = Build(HealthStatus.Degraded);
        HealthCheckService health = container.GetRequiredService<HealthCheckService>();
        await container.GetRequiredService<JobSession>().CompleteAsync();

        HealthReport report = await health.CheckHealthAsync(registration => registration.Tags.Contains("ready"));

        Assert.That(report.Entries, Has.Count.EqualTo(3));
        Assert.That(report.Entries.Values.Select(entry => (entry.Status, entry.Data["state"])), Is.All.EqualTo((HealthStatus.Degraded, "ended")));
    }

    [Test]
    public async Task Credentials_that_should_have_been_ended_and_could_not_be_are_told_of_while_the_job_runs_and_after_it()
    {
        await using ServiceProvider container = Build();
        HealthCheckService health = container.GetRequiredService<HealthCheckService>();
        _services.Warehouse.OnRevoke = _ => throw new TokenExchangeException(ErrorCodes.RevocationFailed, ExchangeStage.Revoke, "This client may not revoke.");
        JobSession job = container.GetRequiredService<JobSession>();
        await job.RevokeCredentialAsync(await GetAsync(container), "drill");

        HealthReportEntry running = await WarehouseAsync(container);
        await job.CompleteAsync();
        HealthReportEntry ended = (await health.CheckHealthAsync()).Entries["token-exchange:warehouse"];

        Assert.That((running.Status, running.Data["state"], running.Data["unrevoked"]), Is.EqualTo((HealthStatus.Degraded, "not asked", 1)));
        Assert.That((ended.Status, ended.Data["state"], ended.Data["unrevoked"]), Is.EqualTo((HealthStatus.Unhealthy, "ended", 1)));
        Assert.That(ended.Description, Is.EqualTo("The job has ended. 1 credential(s) of it that should have been ended could not be; log and audit say which."));
    }

    private ServiceProvider Build(HealthStatus? failureStatus = null) =>
        _services.Build(services => services.AddLogging().AddHealthChecks().AddTokenExchange(failureStatus, ["ready"]));

    private static Task<BearerToken> GetAsync(ServiceProvider container) => container.GetRequiredService<JobSession>().Provider<BearerToken>("warehouse").GetAsync().AsTask();

    private static Task<HealthReport> CheckAsync(ServiceProvider container) => container.GetRequiredService<HealthCheckService>().CheckHealthAsync();

    private static async Task<HealthReportEntry> WarehouseAsync(ServiceProvider container) => (await CheckAsync(container)).Entries["token-exchange:warehouse"];

    private static async Task<object> NextTryAsync(ServiceProvider container) => (await WarehouseAsync(container)).Data["nextTryIn"];

    // A refresh runs beside its caller: wait until it has landed.
    private static async Task RefreshAsync(ServiceProvider container)
    {
        await GetAsync(container);
        var provider = (SlotProvider<BearerToken>)container.GetRequiredService<JobSession>().Provider<BearerToken>("warehouse");
        await Eventually.HoldsAsync(() => !provider.HasFlight, "the landing of the refresh");
    }

    private static TokenExchangeException Down() => new(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, "down") { IsTransient = true };
}
