using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Nhi.TokenExchange.Tests.Policy;

namespace Nhi.TokenExchange.Tests.DependencyInjection;

/// <summary>Says which version of the policy's file is in force, and whether the file is that one.</summary>
internal sealed class PolicyHealthCheckTests : PolicyFileFixture
{
    private const string Check = "token-exchange-policy";

    [Test]
    public async Task A_file_that_is_in_force_is_healthy_and_one_that_is_refused_is_degraded()
    {
        var services = new Services();
        Put(Document(7));
        await using ServiceProvider container = Build(services, b => b.PolicyFile(PolicyPath));

        HealthReportEntry entry = (await CheckAsync(container)).Entries[Check];
        Assert.That((entry.Status, entry.Description), Is.EqualTo((HealthStatus.Healthy, "Revision 7 is in force.")));
        Assert.That(entry.Data["revision"], Does.StartWith("7+sha256:"));

        Put(Document(6));
        services.Time.Advance(TimeSpan.FromSeconds(5));
        await Eventually.HoldsAsync(async () => (await CheckAsync(container)).Entries[Check].Status == HealthStatus.Degraded, "the refusal");
        entry = (await CheckAsync(container)).Entries[Check];
        Assert.That(entry.Description, Is.EqualTo("Revision 7 is in force; the file as it is now is refused: its revision 6 is older than 7: a file that was put back"));
    }

    [Test]
    public async Task A_session_without_a_file_has_no_such_check()
    {
        await using ServiceProvider container = Build(new Services(), _ => { });

        Assert.That((await CheckAsync(container)).Entries.Keys, Has.None.EqualTo(Check));
    }

    [Test]
    public async Task The_sessions_of_a_factory_share_one_file_and_a_change_ends_what_both_have()
    {
        var services = new Services();
        Put(Policies.Text(1, Policies.Permit("all", """{ "target": "warehouse" }""")));
        await using ServiceProvider container = Build(services, b => b.PolicyFile(PolicyPath));
        JobSessionFactory factory = container.GetRequiredService<JobSessionFactory>();
        await using JobSession one = await factory.StartAsync(new JobContext { Run = "1" });
        await using JobSession two = await factory.StartAsync(new JobContext { Run = "2" });
        BearerToken[] held = [await one.Provider<BearerToken>("warehouse").GetAsync(), await two.Provider<BearerToken>("warehouse").GetAsync()];
        await one.CompleteAsync();

        Put(Policies.Text(2));
        services.Time.Advance(TimeSpan.FromSeconds(5));

        await Eventually.HoldsAsync(() => services.Warehouse.Revoked.Contains(held[1]), "the end of what the other session has");
        Assert.ThrowsAsync<AccessDeniedException>(() => two.Provider<BearerToken>("warehouse").GetAsync().AsTask());
    }

    private static ServiceProvider Build(Services services, Action<TokenExchangeBuilder> more)
    {
        var collection = new ServiceCollection();
        collection.AddTokenExchange(b =>
        {
            services.Compose(b);
            more(b);
        });
        collection.AddLogging(logging => logging.ClearProviders());
        collection.AddHealthChecks().AddTokenExchange();
        return collection.BuildServiceProvider();
    }

    private static Task<HealthReport> CheckAsync(ServiceProvider container) => container.GetRequiredService<HealthCheckService>().CheckHealthAsync();
}
