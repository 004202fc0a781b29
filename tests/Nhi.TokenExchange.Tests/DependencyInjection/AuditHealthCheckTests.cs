using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests.DependencyInjection;

/// <summary>Says whether a sink that nobody waits for takes what it is told. What it says of a collector: <c>CollectorFaultTests</c>.</summary>
internal sealed class AuditHealthCheckTests
{
    private const string Check = "token-exchange-audit";

    [Test]
    public async Task A_sink_that_drops_what_it_is_told_is_degraded_until_it_takes_an_event_again()
    {
        var sink = new RecordingSink { Refuse = _ => new IOException("full") };
        await using ServiceProvider container = Build(b => b.AuditBestEffort(sink));
        Assert.That((await LookAsync(container))[Check].Status, Is.EqualTo(HealthStatus.Healthy), "it was told nothing yet");
        JobSession session = container.GetRequiredService<JobSession>();

        await session.Provider<BearerToken>("warehouse").GetAsync();
        await Eventually.HoldsAsync(async () => (await LookAsync(container))[Check].Status == HealthStatus.Degraded, "the drop");
        HealthReportEntry dropping = (await LookAsync(container))[Check];
        Assert.That(dropping.Description, Does.Contain("RecordingSink: IOException"));
        Assert.That(dropping.Data["sinks"], Is.EqualTo("drop events"));

        sink.Refuse = null;
        await session.Provider<BearerToken>("lake").GetAsync();
        await Eventually.HoldsAsync(async () => (await LookAsync(container))[Check].Status == HealthStatus.Healthy, "what it takes again");
    }

    [Test]
    public async Task A_session_all_of_whose_sinks_have_to_record_has_no_such_check()
    {
        await using ServiceProvider container = Build(_ => { });
        Assert.That((await LookAsync(container)).Keys, Has.None.EqualTo(Check));
    }

    private static ServiceProvider Build(Action<TokenExchangeBuilder> more)
    {
        var collection = new ServiceCollection();
        collection.AddTokenExchange(b =>
        {
            new Services().Compose(b);
            more(b);
        });
        collection.AddLogging(logging => logging.ClearProviders());
        collection.AddHealthChecks().AddTokenExchange();
        return collection.BuildServiceProvider();
    }

    private static async Task<IReadOnlyDictionary<string, HealthReportEntry>> LookAsync(ServiceProvider container) => (await container.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries;
}
